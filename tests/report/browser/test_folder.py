"""The folder form of a report: what is in it, for hostile names too."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote

import numpy as np
import pytest
import soundfile
from lhotse.utils import fastcopy
from support.corpora.words import forget_words

from asr.corpora.cuts import read_cuts, write_cuts
from asr.errors import InputError
from asr.report.browser.folder import report_folder
from asr.report.report import report
from asr.storage.output_folder import output_folder


def data(folder: Path, name: str) -> object:
    text = (folder / "data" / name).read_text(encoding="ascii")
    found = re.fullmatch(r'receive(Run|Utterances)\((".*")\)\n', text)
    assert found
    return json.loads(json.loads(found[2]))


def utterances(folder: Path) -> dict[str, dict]:
    return {row["name"]: row for row in data(folder, "utterances-0.js")}  # type: ignore[attr-defined]


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]


def test_one_file_stays_the_default(run: Path) -> None:
    assert report(run) == run / "report.html"
    assert not (run / "report").exists()
    before = (run / "report.html").read_bytes()
    report_folder(run, "none")
    assert (run / "report.html").read_bytes() == before


def test_linked_sound_is_that_of_the_corpus(run: Path) -> None:
    assert report_folder(run, "link") == run / "report" / "index.html"
    rows = utterances(run / "report")
    assert len(rows) == 4
    for row in rows.values():
        assert (run / "report" / unquote(row["audio"])).resolve().parent == run.parent / "corpus"
        assert (run / "report" / row["picture"]).read_bytes()[:4] == b"\x89PNG"
    assert not (run / "report" / "audio").exists()


def test_embedded_sound_is_a_copy_in_the_folder(run: Path) -> None:
    report_folder(run, "embed")
    for row in utterances(run / "report").values():
        samples, rate = soundfile.read(run / "report" / row["audio"])
        assert (len(samples), rate) == (16000, 16000)


def test_of_several_channels_the_mean_is_heard_as_in_training(run: Path) -> None:
    path = next((run.parent / "corpus").glob("0 *"))
    samples, rate = soundfile.read(path)
    soundfile.write(path, np.stack([samples, 0 * samples], axis=1), rate)
    report_folder(run, "embed")
    heard, _ = soundfile.read(run / "report" / utterances(run / "report")["fair-1"]["audio"])
    assert np.abs(heard - samples / 2).max() < 1e-3


def test_a_part_of_a_file_is_copied_alone(run: Path) -> None:
    manifest = run / "prepare" / "test.cuts.jsonl.gz"
    cuts = list(read_cuts(manifest))
    cuts[1] = fastcopy(cuts[1], start=0.75, duration=0.25)
    cuts[1].supervisions[0].custom["age"] = 30
    write_cuts(manifest, cuts)
    report_folder(run, "link")
    row = utterances(run / "report")[cuts[1].id]
    assert row["groups"]["age"] == "30"
    heard, rate = soundfile.read(run / "report" / row["audio"])
    expected = soundfile.read(cuts[1].recording.sources[0].source)[0][12000:]
    assert rate == 16000
    np.testing.assert_allclose(heard, expected, atol=1e-4)


def test_without_sound_no_recording_is_read(run: Path) -> None:
    for path in (run.parent / "corpus").iterdir():
        path.unlink()
    report_folder(run, "none")
    assert not any("audio" in row or "picture" in row for row in utterances(run / "report").values())
    with pytest.raises(InputError):
        report_folder(run, "link")


def test_what_browsers_cannot_play_is_copied(run: Path) -> None:
    path = next((run.parent / "corpus").iterdir())
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples, rate, format="NIST", subtype="PCM_16")
    report_folder(run, "link")
    assert len(files(run / "report" / "audio")) == 1


def test_rows_hold_the_words_the_groups_and_the_pairs(run: Path) -> None:
    report_folder(run, "none")
    row = utterances(run / "report")["fair-1"]
    assert row["words"] == [["a<b>", 100, 400]]
    assert row["groups"] == {"sex": "female", "dialect": "dr0"}
    assert row["counts"] == [1, 0, 0, 6]
    assert row["pairs"][3] == ["s", "z", 300, 400, 300, 400, 0.75]
    about = data(run / "report", "run.js")
    assert isinstance(about, dict)
    assert ["s", "fricative"] in about["classOf"]
    assert about["words"] is True


def test_of_words_without_times_the_browser_knows_that_there_are_none(run: Path) -> None:
    forget_words(run)
    report_folder(run, "none")
    about = data(run / "report", "run.js")
    assert isinstance(about, dict)
    assert about["words"] is False


def test_no_name_from_the_corpus_becomes_a_path_or_html(run: Path) -> None:
    report_folder(run, "embed")
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9-]+\.[a-z]+|[a-z]+\.[a-z]+", name) for name in files(run / "report"))
    page = Links()
    page.feed((run / "report" / "index.html").read_text(encoding="utf-8"))
    assert not page.tags & {"img", "script"}
    assert all(target.startswith(("#", "errors.html#")) for target in page.targets)


def test_confusions_speakers_and_utterances_link_to_their_examples(run: Path) -> None:
    report_folder(run, "none")
    page = Links()
    page.feed((run / "report" / "index.html").read_text(encoding="utf-8"))
    filters = [parse_qs(target.partition("#")[2]) for target in page.targets]
    assert {"ref": ["s"], "hyp": ["z"]} in filters
    assert {"ref": ["g"], "hyp": ["-"]} in filters
    assert {"ref": ["-"], "hyp": ["m"]} in filters
    assert {"speaker": ["fair"], "errors": ["1"]} in filters
    assert {"utterance": ["fair-1"]} in filters


def test_a_run_without_transcripts_is_one_clear_line(run: Path) -> None:
    (run / "decode" / "test" / "hypotheses.jsonl").unlink()
    with pytest.raises(InputError, match=r"hypotheses\.jsonl: is missing"):
        report_folder(run, "none")


def test_a_report_that_fails_leaves_the_previous_one(run: Path) -> None:
    report_folder(run, "embed")
    before = files(run / "report")
    for audio in (run.parent / "corpus").iterdir():
        audio.unlink()
    with pytest.raises(InputError, match="no such audio file"):
        report_folder(run, "embed")
    assert files(run / "report") == before


def test_a_file_in_the_place_of_the_folder_is_named_and_stays(run: Path) -> None:
    (run / "report").write_text("mine")
    with (
        output_folder(run.parent / "other", "run", "RUN"),
        pytest.raises(InputError, match=r"report: is a file in the"),
    ):
        report_folder(run, "none")
    assert (run / "report").read_text() == "mine"


def test_another_mode_replaces_the_report_and_leaves_the_users_files(run: Path) -> None:
    report_folder(run, "embed")
    (run / "report" / "marks.jsonl").write_text("{}\n")
    report_folder(run, "none")
    assert not {"pictures", "audio"} & {path.name for path in (run / "report").iterdir()}
    assert (run / "report" / "marks.jsonl").read_text() == "{}\n"
