"""Formats of an output folder: brought up to date from the JSON Lines, without a second recognition."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from praatio import textgrid
from support.commands.asr_command import Command
from support.corpora.ctm import read_ctm

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, WordSegment, read_transcripts, write_transcripts
from asr.recordings.export import PLAIN, Exports, View
from asr.storage.json_files import write_json
from asr.storage.output_folder import output_folder

PHONES = [PhoneSegment("sil", 0.0, 0.2, 0.9), PhoneSegment("cl", 0.2, 0.3, 0.4), PhoneSegment("k", 0.3, 0.4, 0.8)]


def transcript(name: str) -> Transcript:
    return Transcript(name, PHONES, duration=0.4, words=[WordSegment("cat", 0.2, 0.4)])


@contextmanager
def exports(out: Path, *formats: str, view: View = PLAIN) -> Iterator[Exports]:
    with output_folder(out, "transcribe", "--out") as folder:
        yield Exports(folder, out / "transcripts.jsonl", formats, view, "timit48")


def export(out: Path, transcripts: list[Transcript], *formats: str, view: View = PLAIN) -> int:
    """Adds transcripts to a folder, as a command does."""
    with exports(out, *formats, view=view) as opened:
        for each in transcripts:
            opened.add(each)
        known = list(read_transcripts(out / "transcripts.jsonl")) if (out / "transcripts.jsonl").exists() else []
        write_transcripts(out / "transcripts.jsonl", [*known, *transcripts])
        return opened.finish()


def labels(out: Path, name: str) -> list[str]:
    grid = textgrid.openTextgrid(str(out / "textgrids" / f"{name}.TextGrid"), includeEmptyIntervals=False)
    return [entry.label for entry in grid.getTier("phones").entries]


def test_files_of_an_utterance_come_at_once_and_the_others_at_the_end(tmp_path: Path) -> None:
    with exports(tmp_path, "textgrid", "ctm") as opened:
        opened.add(transcript("a"))
        assert labels(tmp_path, "a") == ["sil", "cl", "k"]
        assert not (tmp_path / "phones.ctm").exists()
        write_transcripts(tmp_path / "transcripts.jsonl", [transcript("a")])
        assert opened.finish() == 0
    assert [each.utterance for each in read_ctm(tmp_path / "phones.ctm")] == ["a"]
    assert [each.symbols for each in read_ctm(tmp_path / "words.ctm")] == [["cat"]]


def test_another_format_or_view_is_made_from_the_results(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    assert export(tmp_path, [], "textgrid", "ctm", view=View("ipa")) == 0
    assert labels(tmp_path, "a") == ["k"]
    assert [each.symbols for each in read_ctm(tmp_path / "phones.ctm")] == [["k"]]
    assert next(iter(read_transcripts(tmp_path / "transcripts.jsonl"))).symbols == ["sil", "cl", "k"]


def test_former_formats_keep_their_view_and_get_new_results(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid", view=View("timit39"))
    export(tmp_path, [transcript("b")], "csv")
    assert labels(tmp_path, "a") == labels(tmp_path, "b") == ["sil", "k"]
    lines = (tmp_path / "phones.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["utterance", *["a"] * 3, *["b"] * 3]


def test_a_folder_without_a_mark_keeps_its_formats(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    (tmp_path / "exports.json").unlink()
    export(tmp_path, [transcript("b")], "ctm")
    assert labels(tmp_path, "b") == ["sil", "cl", "k"]


def test_files_that_are_up_to_date_are_not_written_again(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a"), transcript("b")], "textgrid")
    before = (tmp_path / "textgrids/a.TextGrid").stat().st_ino
    (tmp_path / "textgrids/b.TextGrid").unlink()
    assert export(tmp_path, [], "textgrid") == 0
    assert (tmp_path / "textgrids/a.TextGrid").stat().st_ino == before
    assert (tmp_path / "textgrids/b.TextGrid").is_file()


def test_an_interrupted_change_of_view_is_made_again(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    with exports(tmp_path, "textgrid", view=View("timit39")):
        pass  # killed before `finish`
    export(tmp_path, [], "textgrid", view=View("timit39"))
    assert labels(tmp_path, "a") == ["sil", "k"]


def test_an_interrupted_change_of_view_is_finished_with_another_format(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    with exports(tmp_path, "textgrid", view=View("timit39")):
        pass  # killed before `finish`
    export(tmp_path, [transcript("b")], "ctm")
    assert labels(tmp_path, "a") == labels(tmp_path, "b") == ["sil", "k"]


def test_a_file_that_a_power_failure_left_empty_is_written_again(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    (tmp_path / "textgrids/a.TextGrid").write_text("")
    assert export(tmp_path, [], "textgrid") == 0
    assert labels(tmp_path, "a") == ["sil", "cl", "k"]


def test_phones_with_a_low_score_are_left_out(tmp_path: Path) -> None:
    view = View(min_score=0.5)
    export(tmp_path, [transcript("a")], "textgrid", "jsonl", view=view)
    assert labels(tmp_path, "a") == ["sil", "k"]
    [kept] = read_transcripts(tmp_path / "phones.jsonl")
    assert (kept.symbols, kept.words) == (["sil", "k"], transcript("a").words)
    assert next(iter(read_transcripts(tmp_path / "transcripts.jsonl"))).symbols == ["sil", "cl", "k"]


def test_the_score_of_a_merged_phone_counts(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "jsonl", view=View("timit39", 0.7))
    [kept] = read_transcripts(tmp_path / "phones.jsonl")
    assert [(each.phone, each.start, each.score) for each in kept.phones] == [("sil", 0.0, 0.7333), ("k", 0.3, 0.8)]


def test_json_lines_of_the_models_phones_are_not_repeated(tmp_path: Path) -> None:
    assert export(tmp_path, [transcript("a")], "jsonl") == 0
    assert {path.name for path in tmp_path.iterdir() if path.name[0] != "."} == {"transcripts.jsonl", "exports.json"}


@pytest.mark.parametrize("form", ["ctm", "stm", "trn"])
def test_what_a_format_cannot_hold_costs_one_entry(tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture) -> None:
    assert export(tmp_path, [transcript("a b"), transcript("c")], form, "csv") == 1
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == [
        f"utterance 'a b': {form.upper()} allows no spaces in names; rename it; it is left out of its {form}"
    ]
    assert "a b" not in (tmp_path / f"phones.{form}").read_text()
    assert "a b" in (tmp_path / "phones.csv").read_text()


def test_an_unknown_symbol_costs_one_entry(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = Transcript("odd", [PhoneSegment("xx", 0.0, 0.1)])
    assert export(tmp_path, [odd, transcript("a")], "ctm", "textgrid", view=View("ipa")) == 2
    lines = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert all(line.startswith("utterance odd: phone 'xx' is not in the model's phone set") for line in lines)
    assert len(lines) == 2
    assert [each.utterance for each in read_ctm(tmp_path / "phones.ctm")] == ["a"]


def test_a_wrong_request_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--format xml: choose jsonl, textgrid"):
        export(tmp_path, [], "xml")
    with pytest.raises(InputError, match="'timit40'"):
        export(tmp_path, [], "ctm", view=View("timit40"))


def test_a_changed_mark_is_not_replaced(tmp_path: Path) -> None:
    export(tmp_path, [transcript("a")], "textgrid")
    (tmp_path / "exports.json").write_text("[]\n")
    with pytest.raises(InputError, match="was changed since"):
        export(tmp_path, [], "textgrid")
    with output_folder(tmp_path / "other", "transcribe", "--out"):
        write_json(tmp_path / "other" / "exports.json", {"ctm": 1})
    with pytest.raises(InputError, match=r"exports\.json: .*delete it"):
        export(tmp_path / "other", [], "textgrid")


def test_a_command_writes_every_format_and_another_needs_no_recognition(
    tiny_run: Path, tiny_corpus: Path, tmp_path: Path, asr_command: Command
) -> None:
    out, audio = tmp_path / "out", sorted(tiny_corpus.glob("test/*/fslt2/*.flac"))[0]
    outcome = asr_command("transcribe", tiny_run, audio, "-o", out, "--format", "elan", "--format", "trn")
    assert outcome.status == 0
    before = (out / "transcripts.jsonl").read_bytes()
    outcome = asr_command(
        "transcribe", tiny_run, audio, "-o", out, "--format", "csv", "--format", "webvtt", "--phones", "ipa"
    )
    assert (outcome.status, "0 transcribed, 1 already done" in outcome.err) == (0, True)
    assert (out / "transcripts.jsonl").read_bytes() == before
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path.name[0] != "."}
    assert names == {
        "audio.jsonl",
        "transcripts.jsonl",
        "model.json",
        "exports.json",
        "phones.trn",
        "phones.csv",
        f"elan/{audio.stem}.eaf",
        f"webvtt/phones/{audio.stem}.vtt",
    }
    assert json.loads((out / "exports.json").read_text())["csv"] == {"phones": "ipa", "min_score": 0.0}


def test_n_best_lists_are_added_to_what_is_done(
    tiny_run: Path, tiny_corpus: Path, tmp_path: Path, asr_command: Command
) -> None:
    out, audio = tmp_path / "out", sorted(tiny_corpus.glob("test/*/fslt2/*.flac"))[:2]
    asr_command("transcribe", tiny_run, *audio, "-o", out)
    plain = list(read_transcripts(out / "transcripts.jsonl"))
    assert "2 transcribed, 0 failed" in asr_command("transcribe", tiny_run, *audio, "-o", out, "--nbest", "3").err
    assert "0 transcribed, 2 already" in asr_command("transcribe", tiny_run, *audio, "-o", out, "--nbest", "3").err
    assert "0 transcribed, 2 already" in asr_command("transcribe", tiny_run, *audio, "-o", out).err
    for one, best in zip(plain, read_transcripts(out / "transcripts.jsonl"), strict=True):
        assert best.phones == one.phones
        assert [each.phone for each in best.nbest[0].phones] == one.symbols
        assert len({tuple(each.phone for each in other.phones) for other in best.nbest}) == 3
        scores = [each.score for each in best.nbest]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1, abs=1e-3)
