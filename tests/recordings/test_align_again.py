"""Aligning into a folder that has results or files of the user: what is done is kept, and nothing is lost."""

import json
import shutil
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from support.commands.asr_command import Command, snapshot
from support.corpora.ctm import read_ctm
from support.corpora.recordings import rows

from asr.formats.phn import read_labels


def test_what_is_done_stays_and_a_changed_transcript_is_aligned_again(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("align", tiny_run, spoken, "-o", out)
    before = {row["utterance"]: row for row in rows(out, "alignments.jsonl")}
    labels = sorted(spoken.glob("*.phn"))[1]
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:2], *lines[3:]]) + "\n")
    with open(out / "alignments.jsonl", "a") as file:
        file.write('{"utterance": "cut sh')
    outcome = asr_command("align", tiny_run, spoken, "-o", out)
    assert "1 aligned, 2 already done, 0 failed" in outcome.err
    after = {row["utterance"]: row for row in rows(out, "alignments.jsonl")}
    assert len(rows(out, "alignments.jsonl")) == 3
    assert [name for name in before if before[name] != after[name]] == [labels.stem]
    (out / "models.json").unlink()
    outcome = asr_command("align", tiny_run, spoken, "-o", out)
    assert "3 aligned, 0 failed" in outcome.err
    assert len(rows(next(out.glob("previous-*")), "alignments.jsonl")) == 3


def test_former_formats_are_written_again(tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command) -> None:
    out, audio = tmp_path / "out", next(spoken.glob("*.flac"))
    forms = ("--format", "textgrid", "--format", "ctm", "--format", "phn")
    assert asr_command("align", tiny_run, audio, "-o", out, *forms, "--text", "aa b").status == 0
    assert asr_command("align", tiny_run, audio, "-o", out, "--text", "w eh n", "--format", "ctm").status == 0
    labels = read_labels(out / "labels" / f"{audio.stem}.phn")
    assert [label.symbol for label in labels if label.symbol != "sil"] == ["w", "eh", "n"]
    grid = textgrid.openTextgrid(str(out / "textgrids" / f"{audio.stem}.TextGrid"), includeEmptyIntervals=False)
    assert [entry.label for entry in grid.getTier("phones").entries] == [label.symbol for label in labels]
    assert labels[-1].end == soundfile.info(audio).frames


def test_results_of_another_lexicon_are_kept_aside(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out, audio = tmp_path / "out", next(spoken.glob("*.flac"))
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("AN  AE1 N\n")
    words = ("--tier", "words", "--lexicon", lexicon, "--text", "an an")
    assert asr_command("align", tiny_run, audio, "-o", out, "--format", "ctm", "--format", "phn", *words).status == 0
    before = {name: content for name, content in snapshot(out).items() if not name.startswith(".")}
    outcome = asr_command("align", tiny_run, audio, "-o", out, "--text", "w eh n", "--format", "ctm")
    assert outcome.status == 0
    [aside] = out.glob("previous-*")
    assert f"{out} holds results of another model or lexicon; they are now in {aside.name}\n" in outcome.err
    assert snapshot(aside) == before
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        "alignments.jsonl",
        "audio.jsonl",
        "models.json",
        "phones.ctm",
        "exports.json",
        aside.name,
    }


def test_the_users_own_labels_stay(tiny_run: Path, spoken: Path, asr_command: Command) -> None:
    before = snapshot(spoken)
    outcome = asr_command("align", tiny_run, spoken, "-o", spoken)
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert "holds files that asr align did not write" in outcome.err
    assert snapshot(spoken) == before


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("textgrid", "textgrids/{}.TextGrid"),
        ("phn", "labels/{}.phn"),
        ("ctm", "phones.ctm"),
    ],
)
def test_files_made_by_hand_in_the_output_folder_stay(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command, form: str, files: str
) -> None:
    out, audio = tmp_path / "out", sorted(spoken.glob("*.flac"))
    assert asr_command("align", tiny_run, audio[0], "-o", out, "--format", "textgrid", "--format", form).status == 0
    mine = [out / files.format(path.stem) for path in audio[:2]]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("by hand\n")
    outcome = asr_command("align", tiny_run, spoken, "-o", out, "--format", form)
    assert outcome.status == 1
    assert "was not written by asr align, or was changed since; move it away" in outcome.err
    assert {path.read_text() for path in mine} == {"by hand\n"}
    assert len(rows(out, "alignments.jsonl")) == 3
    assert f"2 aligned, 1 already done, 0 failed, {len(set(mine))} missing in a format" in outcome.err
    assert len(list((out / "textgrids").glob("*"))) == 3


def test_a_linked_folder_in_the_output_folder_is_not_written_to(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    asr_command("align", tiny_run, spoken, "-o", out)
    shutil.move(out / "textgrids", mine)
    (out / "textgrids").symlink_to(mine)
    before = snapshot(mine)
    outcome = asr_command("align", tiny_run, spoken, "-o", out)
    assert outcome.err.count("textgrids: is a link; asr writes only into folders of its own") == 3
    assert outcome.status == 1
    assert snapshot(mine) == before


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "x", "a b", "C:", "~", "\\", "...", "\u202e", "é", "x" * 300]),
    min_size=1,
    max_size=4,
).map("/".join) | st.sampled_from(
    ["/etc/x", "../../x", "..", "/", "//x", "x\0y", "x/", "..\\..\\x", "textgrids/../../x"]
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planted=st.lists(NAMES, min_size=5, max_size=30, unique=True))
def test_no_name_in_a_file_leads_out_of_the_output_folder(
    tiny_run: Path,
    tiny_corpus: Path,
    tmp_path_factory: pytest.TempPathFactory,
    asr_command: Command,
    planted: list[str],
) -> None:
    """Names in alignments.jsonl, in a list of transcripts and as labels of a TextGrid."""
    top = tmp_path_factory.mktemp("top")
    spoken = Path(shutil.copytree(next(tiny_corpus.glob("test/*/fslt2")), top / "spoken"))
    out = top / "deep" / "down" / "out"
    assert asr_command("align", tiny_run, spoken, "-o", out).status == 0
    row = rows(out, "alignments.jsonl")[0]
    outside = {name: content for name, content in snapshot(top).items() if not name.startswith("deep/down/out/")}
    with open(out / "alignments.jsonl", "a", encoding="utf-8") as file:
        file.writelines(json.dumps(row | {"utterance": name}) + "\n" for name in planted)
    listed = top / "listed.jsonl"
    listed.write_text("".join(json.dumps({"utterance": name, "audio": name, "text": "aa"}) + "\n" for name in planted))
    grids = top / "grids"
    for path in spoken.glob("*.flac"):
        labels = "".join(f'intervals\nxmin = {n}\nxmax = {n + 1}\ntext = "{name}"\n' for n, name in enumerate(planted))
        grids.mkdir(exist_ok=True)
        (grids / f"{path.stem}.TextGrid").write_text(labels, encoding="utf-8")
    kept = snapshot(top)
    forms = [part for form in ("textgrid", "ctm", "phn") for part in ("--format", form)]
    for given_transcripts in ([], ["--transcripts", listed], ["--transcripts", grids]):
        outcome = asr_command("align", tiny_run, spoken, "-o", out, *forms, *given_transcripts)
        assert "Traceback" not in outcome.err
        after = snapshot(top)
        assert {name for name in after if not name.startswith("deep/down/out/")} == {
            name for name in kept if not name.startswith("deep/down/out/")
        }
        assert all(after[name] == content for name, content in outside.items())
    assert not Path("/etc/x.TextGrid").exists()
    assert not Path("/etc/x.phn").exists()


def test_labels_whose_audio_is_gone_are_named_and_the_rest_is_written(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    assert asr_command("align", tiny_run, spoken, "-o", out, "--format", "phn").status == 0
    gone, *others = sorted(spoken.glob("*.flac"))
    gone.unlink()
    assert asr_command("align", tiny_run, *others, "-o", out, "--format", "ctm").status == 0
    (out / "labels" / f"{gone.stem}.phn").unlink()
    outcome = asr_command("align", tiny_run, *others, "-o", out, "--format", "ctm")
    assert outcome.status == 1
    assert f"asr: {gone}: " in outcome.err
    assert "its phn is not written" in outcome.err
    assert "0 aligned, 2 already done, 0 failed, 1 missing in a format: " in outcome.err
    assert len(list(read_ctm(out / "phones.ctm"))) == len(others) + 1


def test_a_line_whose_speaker_is_no_text_is_named(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out, audio = tmp_path / "out", sorted(spoken.glob("*.flac"))[0]
    assert asr_command("align", tiny_run, audio, "-o", out).status == 0
    with open(out / "alignments.jsonl", "a") as file:
        file.write('{"utterance": "talk-1-3", "speaker": 3, "phones": []}\n')
    outcome = asr_command("align", tiny_run, audio, "-o", out)
    assert outcome.status == 1
    assert outcome.err.endswith("alignments.jsonl:2: not a transcript: speaker must be text, not 3\n")
