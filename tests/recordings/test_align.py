"""`asr align` on files: all forms in and out, what is bad named, what is done kept."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from support.asr_command import Command, snapshot

from asr.corpora.cuts import read_cuts, write_cuts
from asr.formats.ctm import read_ctm
from asr.formats.phn import read_labels
from asr.formats.transcript import read_transcripts

FOLDER = "fslt2"


@pytest.fixture
def spoken(tiny_corpus: Path, tmp_path: Path) -> Path:
    """Three recordings of one speaker with TIMIT's label files beside them."""
    return Path(shutil.copytree(next(tiny_corpus.glob(f"test/*/{FOLDER}")), tmp_path / "spoken"))


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "alignments.jsonl").read_text(encoding="utf-8").splitlines()]


def symbols(path: Path) -> list[str]:
    return [label.symbol for label in read_labels(path)]


def test_label_files_beside_the_audio_are_aligned_into_every_format(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    outcome = asr_command(
        "align", tiny_run, spoken, "-o", out, "--format", "textgrid", "--format", "ctm", "--format", "phn"
    )
    assert outcome.status == 0
    assert "3 aligned, 0 failed" in outcome.err
    alignments = {alignment.utterance: alignment for alignment in read_transcripts(out / "alignments.jsonl")}
    assert set(alignments) == {path.stem for path in spoken.glob("*.phn")}
    ctm = {transcript.utterance: transcript for transcript in read_ctm(out / "phones.ctm")}
    for name, alignment in alignments.items():
        phones, info = alignment.phones, soundfile.info(spoken / f"{name}.flac")
        said = len([symbol for symbol in symbols(spoken / f"{name}.phn") if symbol != "q"])
        assert len(phones) == said
        assert phones[0].start == 0
        assert phones[-1].end == pytest.approx(info.duration, abs=1e-4)
        assert all(one.end == other.start for one, other in pairwise(phones))
        assert all(0 <= (phone.score or -1) <= 1 for phone in phones)
        for (low, high), phone in zip(alignment.intervals, phones, strict=False):
            assert low <= (phone.end or 0) <= high
        grid = textgrid.openTextgrid(str(out / "textgrids" / f"{name}.TextGrid"), includeEmptyIntervals=False)
        assert [entry.label for entry in grid.getTier("phones").entries] == [phone.phone for phone in phones]
        labels = read_labels(out / "labels" / f"{name}.phn")
        assert [label.symbol for label in labels] == [phone.phone for phone in phones]
        assert info.frames - 1 <= labels[-1].end <= info.frames
        assert [label.start for label in labels] == [round((phone.start or 0) * info.samplerate) for phone in phones]
        assert ctm[name].symbols == [phone.phone for phone in phones]


def test_words_are_aligned_through_a_lexicon(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    audio = sorted(spoken.glob("*.flac"))[0]
    (tmp_path / "lexicon.txt").write_text("HELLO  HH AH0 L OW1\nHELLO(1)  HH EH0 L OW1\nWORLD  W ER1 L D\n")
    common = ("--tier", "words", "--lexicon", tmp_path / "lexicon.txt", "--text", "Hello, world!")
    outcome = asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common, "--format", "phn")
    assert outcome.status == 0
    [alignment] = read_transcripts(tmp_path / "out" / "alignments.jsonl")
    phones = alignment.phones
    spans = {word.word: (word.start, word.end) for word in alignment.words}
    assert list(spans) == ["hello", "world"]
    inside = {
        name: [phone.phone for phone in phones if start <= (phone.start or 0) and (phone.end or 0) <= end]
        for name, (start, end) in spans.items()
    }
    assert inside["hello"] in (["hh", "ah", "l", "ow"], ["hh", "eh", "l", "ow"])
    assert [phone for phone in inside["world"] if phone != "sil"][:3] == ["w", "er", "l"]
    assert symbols(tmp_path / "out" / "labels" / f"{audio.stem}.wrd") == ["hello", "world"]


def test_numbers_are_named_or_spelled(tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command) -> None:
    audio = sorted(spoken.glob("*.flac"))[0]
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("hello 1.0 HH AH L OW\ntwenty 1.0 T W EH N T IY\ntwo 0.5 T UW\n")
    common = ("--tier", "words", "--lexicon", lexicon, "--text", "Hello, 22!")
    refused = asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common)
    assert refused.status == 1
    assert f"asr: {audio}: not in the lexicon: 22; spell numbers out, or use --spell-numbers" in refused.err
    assert asr_command("align", tiny_run, audio, "-o", tmp_path / "out", *common, "--spell-numbers").status == 0
    [row] = rows(tmp_path / "out")
    assert [word["word"] for word in row["words"]] == ["hello", "twenty", "two"]
    assert row["said"] == "Hello, 22!"


def test_an_aligners_own_textgrid_is_a_transcript(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    """As MFA writes them: capitals, stress, empty intervals, sp and spn, and the speaker in the tier's name."""
    audio = sorted(spoken.glob("*.flac"))[0]
    labels = ["", "M", "OW1", "", "spn", "S", "sp", "T", "sil", "AH0", ""]
    entries = "".join(f'{n / 10}\n{(n + 1) / 10}\n"{label}"\n' for n, label in enumerate(labels))
    header = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1.1\n<exists>\n1\n'
    grid = f'{header}"IntervalTier"\n"anna - phones"\n0\n1.1\n{len(labels)}\n{entries}'
    audio.with_suffix(".TextGrid").write_text(grid, encoding="utf-16")
    assert asr_command("align", tiny_run, audio, "-o", tmp_path / "out").status == 0
    [row] = rows(tmp_path / "out")
    assert row["said"] == "M OW1 <eps> spn S sp T sil AH0"
    phones = [phone["phone"] for phone in row["phones"]]
    assert [phone for phone in phones if phone != "sil"] == ["m", "ow", "s", "t", "ah"]
    assert "sil" in phones[phones.index("t") : phones.index("ah")]


def test_transcripts_of_every_form_say_the_same(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("align", tiny_run, spoken, "-o", tmp_path / "beside")
    expected = rows(tmp_path / "beside")
    listed = tmp_path / "listed.jsonl"
    listed.write_text(
        "".join(json.dumps({"utterance": row["utterance"], "phones": row["phones"]}) + "\n" for row in expected)
    )
    plain = tmp_path / "plain"
    plain.mkdir()
    for row in expected:
        (plain / f"{row['utterance']}.lab").write_text(" ".join(phone["phone"] for phone in row["phones"]))
    for number, transcripts in enumerate([listed, plain, tmp_path / "beside" / "textgrids"]):
        out = tmp_path / f"out {number}"
        assert asr_command("align", tiny_run, spoken, "-o", out, "--transcripts", transcripts).status == 0
        assert [row["phones"] for row in rows(out)] == [row["phones"] for row in expected]


def test_what_cannot_be_aligned_is_named_and_the_rest_is_done(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, second, third = sorted(spoken.glob("*.flac"))
    second.with_suffix(".phn").write_text("0 800 xx\n")
    third.with_suffix(".phn").write_text("".join(f"{10 * n} {10 * n + 10} aa\n" for n in range(2000)))
    soundfile.write(spoken / "unknown.wav", np.zeros(16000, np.float32), 16000)
    (spoken / "broken.wav").write_text("no audio")
    (spoken / "broken.phn").write_text("0 100 aa\n")
    soundfile.write(spoken / "short.wav", np.zeros(100, np.float32), 16000)
    (spoken / "short.phn").write_text("0 100 aa\n")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out")
    assert outcome.status == 1
    assert "1 aligned, 5 failed" in outcome.err
    assert [row["utterance"] for row in rows(tmp_path / "out")] == [first.stem]
    for path, reason in [
        (second, "unknown phone 'xx'"),
        (third, "too few for its phones"),
        (spoken / "unknown.wav", "has no transcript"),
        (spoken / "broken.wav", "not an audio file"),
        (spoken / "short.wav", "shorter than one frame"),
    ]:
        assert any(str(path) in line and reason in line for line in outcome.err.splitlines()), (path, outcome.err)
    assert "Traceback" not in outcome.err


def test_what_is_done_stays_and_a_changed_transcript_is_aligned_again(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    out = tmp_path / "out"
    asr_command("align", tiny_run, spoken, "-o", out)
    before = {row["utterance"]: row for row in rows(out)}
    labels = sorted(spoken.glob("*.phn"))[1]
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:2], *lines[3:]]) + "\n")
    with open(out / "alignments.jsonl", "a") as file:
        file.write('{"utterance": "cut sh')
    outcome = asr_command("align", tiny_run, spoken, "-o", out)
    assert "1 aligned, 2 already done, 0 failed" in outcome.err
    after = {row["utterance"]: row for row in rows(out)}
    assert len(rows(out)) == 3
    assert [name for name in before if before[name] != after[name]] == [labels.stem]
    (out / "models.json").unlink()
    outcome = asr_command("align", tiny_run, spoken, "-o", out)
    assert "3 aligned, 0 failed" in outcome.err
    assert len(rows(next(out.glob("previous-*")))) == 3


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
    assert len(rows(out)) == 3
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


def test_a_name_that_ctm_cannot_hold_is_one_line_and_the_others_are_written(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, *others = sorted(spoken.glob("*.flac"))
    for suffix in (".flac", ".phn"):
        first.with_suffix(suffix).rename(spoken / f"two words{suffix}")
    out = tmp_path / "out"
    outcome = asr_command("align", tiny_run, spoken, "-o", out, "--format", "ctm", "--format", "textgrid")
    assert outcome.status == 1
    assert outcome.err.splitlines() == [
        f"asr: {spoken / 'two words.flac'}: utterance 'two words': CTM allows no spaces in names; rename it; "
        "it is left out of its ctm",
        f"3 aligned, 0 failed, 1 missing in a format: {out / 'alignments.jsonl'}",
    ]
    assert [transcript.utterance for transcript in read_ctm(out / "phones.ctm")] == [path.stem for path in others]
    assert (out / "textgrids" / "two words.TextGrid").is_file()


def test_an_odd_transcript_is_one_line_and_the_rest_is_done(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    first, second, third = sorted(spoken.glob("*.flac"))
    first.with_suffix(".TextGrid").write_text("[1]\n")
    second.with_suffix(".TextGrid").mkdir()
    third.with_suffix(".TextGrid").write_text("[]")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out")
    assert outcome.status == 1
    *lines, summary = outcome.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["asr", "asr"]
    assert [path.stem in line for path, line in zip((first, third), lines, strict=True)] == [True, True]
    assert summary.startswith("1 aligned, 2 failed: ")
    assert [row["utterance"] for row in rows(tmp_path / "out")] == [second.stem]


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
    spoken = Path(shutil.copytree(next(tiny_corpus.glob(f"test/*/{FOLDER}")), top / "spoken"))
    out = top / "deep" / "down" / "out"
    assert asr_command("align", tiny_run, spoken, "-o", out).status == 0
    row = rows(out)[0]
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


def test_several_models_give_the_median_and_the_widest_interval(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    asr_command("align", tiny_run, spoken, "-o", tmp_path / "one")
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "two", "--model", tiny_run)
    assert outcome.status == 0
    for one, two in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        assert one == two  # twice the same model
    grid = textgrid.openTextgrid(str(next((tmp_path / "two").rglob("*.TextGrid"))), includeEmptyIntervals=False)
    assert grid.tierNames == ("phones", "boundaries")


def test_evaluation_of_a_run(tiny_run: Path, tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("align", tiny_run, "--evaluate", "-o", tmp_path / "out")
    assert outcome.status == 0
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["utterances"] == 6
    assert found["boundaries"] > 100
    assert found["within"]["5"] <= found["within"]["50"] <= 100
    # Better than guessing: a boundary of even phones would be some tens of milliseconds off.
    assert found["median"] < 25
    assert f"{found['within']['20']:.1f}%" in outcome.out


@pytest.mark.parametrize("tested", [slice(None, -1), slice(1, None), slice(None, None, -1)])
def test_models_that_tested_other_utterances_are_not_evaluated_together(
    tiny_run: Path, own_run: Path, asr_command: Command, tested: slice
) -> None:
    cuts = own_run / "prepare" / "test.cuts.jsonl.gz"
    write_cuts(cuts, list(read_cuts(cuts))[tested])
    for runs in ((tiny_run, own_run), (own_run, tiny_run)):
        outcome = asr_command("align", runs[0], "--evaluate", "--model", runs[1])
        assert outcome.status == 1
        assert "they test other utterances; evaluate runs of the same corpus and folds" in outcome.err
        assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tier", "words"], "needs --lexicon"),
        (["--transcripts", "missing.jsonl"], "no such file"),
        (["--text", "aa"], "one audio file"),
        (["--evaluate"], "leave the audio out"),
        (["--spell-numbers"], "--spell-numbers is for --tier words"),
    ],
)
def test_a_wrong_call_is_one_line(
    tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command, arguments: list[str], message: str
) -> None:
    outcome = asr_command("align", tiny_run, spoken, "-o", tmp_path / "out", *arguments)
    assert outcome.status == 1
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
