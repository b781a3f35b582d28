"""A stage is skipped while what it read and wrote is the same, whatever the clock says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.errors import InputError
from asr.runs.stage import Stage, corpus_digest
from asr.storage.files import write_text
from asr.storage.output_folder import output_folder


class Steps:
    """Two stages: `first` writes a text, `second` writes it twice."""

    def __init__(self, folder: Path, text: str = "one") -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.first = Stage("first", folder / "first", [], {"text": text}, self._first(text))
        self.second = Stage("second", folder / "second", [self.first], {}, self._second)

    def _first(self, text: str):  # type: ignore[no-untyped-def]
        def write() -> None:
            self.calls.append("first")
            write_text(self.folder / "first" / "a.txt", text.lower())

        return write

    def _second(self) -> None:
        self.calls.append("second")
        write_text(self.folder / "second" / "b.txt", 2 * (self.folder / "first/a.txt").read_text())

    def run(self) -> list[str]:
        self.calls.clear()
        for stage in (self.first, self.second):
            if not stage.is_current():
                stage.run()
        return list(self.calls)


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path) -> Iterator[None]:
    with output_folder(tmp_path, "run", "--out"):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert Steps(tmp_path).run() == ["first", "second"]
    return tmp_path


def test_is_skipped_when_nothing_changed(folder: Path) -> None:
    assert Steps(folder).run() == []
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))
    assert Steps(folder).run() == []


def test_runs_again_with_other_settings(folder: Path) -> None:
    assert Steps(folder, "two").run() == ["first", "second"]
    assert (folder / "second/b.txt").read_text() == "twotwo"


def test_the_same_bytes_from_other_settings_skip_what_follows(folder: Path) -> None:
    assert Steps(folder, "ONE").run() == ["first"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"fingerprint": "x"}'])
def test_a_damaged_record_is_no_record_and_must_be_moved(folder: Path, content: bytes) -> None:
    record = folder / "first/stage.json"
    record.write_bytes(content)
    with pytest.raises(InputError, match=r"stage\.json: was changed since asr wrote it; move it away"):
        Steps(folder).run()
    record.unlink()
    assert Steps(folder).run() == ["first"]


def test_a_lost_output_is_written_again_and_a_changed_one_is_the_user_s(folder: Path) -> None:
    (folder / "first/a.txt").unlink()
    assert Steps(folder).run() == ["first"]
    changed = folder / "second/b.txt"
    changed.write_text("oneon")
    with pytest.raises(InputError, match=r"b\.txt: was changed since asr wrote it"):
        Steps(folder).run()
    assert changed.read_text() == "oneon"


def test_an_action_that_fails_leaves_no_record(folder: Path) -> None:
    def fail() -> None:
        raise InputError("no")

    stage = Stage("first", folder / "first", [], {"text": "other"}, fail)
    with pytest.raises(InputError):
        stage.run()
    assert Steps(folder).run() == ["first"]


def test_what_an_earlier_run_left_does_not_stay_but_files_of_the_user_do(folder: Path) -> None:
    write_text(folder / "first/fold-1/old.txt", "old")
    write_text(folder / "first/checkpoints/last", "state")
    (folder / "first/notes.txt").write_text("mine")
    Steps(folder, "two").run()
    left = sorted(str(path.relative_to(folder / "first")) for path in (folder / "first").rglob("*") if path.is_file())
    assert left == ["a.txt", "checkpoints/last", "notes.txt", "stage.json"]
    assert "notes.txt" not in Steps(folder, "two").first.outputs()


def test_from_scratch_removes_what_it_would_resume_from(folder: Path) -> None:
    write_text(folder / "first/checkpoints/last", "state")
    Steps(folder).first.run(from_scratch=True)
    assert sorted(path.name for path in (folder / "first").rglob("*") if path.is_file()) == ["a.txt", "stage.json"]


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "first"
    (folder / "first").rename(elsewhere)
    (folder / "first").symlink_to(elsewhere)
    with pytest.raises(InputError, match="first: is a link"):
        Steps(folder, "two").run()
    assert (elsewhere / "a.txt").read_text() == "one"


def test_hidden_files_and_working_files_do_not_count(folder: Path) -> None:
    (folder / "first/.DS_Store").write_text("x")
    (folder / "first/metrics.jsonl").write_text("x")
    (folder / "first/tensorboard").mkdir()
    (folder / "first/tensorboard/events").write_text("x")
    assert Steps(folder).run() == []


def test_a_stage_that_lost_a_kept_file_runs_from_scratch(tmp_path: Path) -> None:
    seen: list[bool] = []

    def train() -> None:
        seen.append((tmp_path / "train/checkpoints/last").exists())
        for name in ("checkpoints/last", "metrics.jsonl"):
            write_text(tmp_path / "train" / name, "x")

    stage = Stage("train", tmp_path / "train", [], {}, train, kept=("metrics.jsonl",))
    stage.run()
    assert stage.is_current()
    stage.run()
    (tmp_path / "train/metrics.jsonl").unlink()
    assert not stage.is_current()
    with pytest.raises(InputError, match="run it again"):
        stage.require_current()
    stage.run()
    assert stage.is_current()
    assert seen == [False, True, False]


def test_working_files_are_known_in_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / "train"

    def train() -> None:
        for name in ("checkpoints/last", "metrics.jsonl", "bundle/model", "bundle/old"):
            write_text(folder / "round-0" / name, "x")

    stage = Stage("train", folder, [], {}, train)
    stage.run()
    assert set(stage.outputs()) == {"round-0/bundle/model", "round-0/bundle/old"}
    (folder / "round-0/metrics.jsonl").write_text("y")
    assert stage.is_current()
    write_text(folder / "round-0/checkpoints/last", "y")
    other = Stage("train", folder, [], {}, lambda: None)
    other.run()
    left = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert left == ["last", "metrics.jsonl", "stage.json"]
    (folder / "round-0/metrics.jsonl").unlink()
    other.run(from_scratch=True)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["stage.json"]


def test_a_stage_stopped_before_it_wrote_what_it_keeps_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "train/checkpoints").mkdir(parents=True)
    (tmp_path / "train/checkpoints/last").write_text("state")
    Stage("train", tmp_path / "train", [], {}, lambda: None, kept=("metrics.jsonl",)).run()
    assert (tmp_path / "train/checkpoints/last").exists()


def test_the_device_is_recorded_and_changes_nothing(tmp_path: Path) -> None:
    on_gpu = Stage("train", tmp_path, [], {}, lambda: None, device="a GPU")
    assert on_gpu.recorded_device() is None
    on_gpu.run()
    on_cpu = Stage("train", tmp_path, [], {}, lambda: None, device="CPU")
    assert on_cpu.is_current()
    assert on_cpu.recorded_device() == "a GPU"


def test_a_stage_before_it_must_have_been_run(tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    with pytest.raises(InputError, match="first: stage first has not been run; run it first, or leave out --stage"):
        steps.second.run()
    steps.run()
    steps.second.require_current()
    with pytest.raises(InputError, match="first: stage first was run with other settings or inputs"):
        Steps(tmp_path, "two").second.require_current()


def test_the_corpus_digest_is_of_content(tmp_path: Path) -> None:
    corpus, elsewhere = tmp_path / "corpus", tmp_path / "elsewhere"
    for folder in (corpus, elsewhere):
        folder.mkdir()
        (folder / "a.wav").write_bytes(b"one")
    (corpus / "linked").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(corpus)
    first = corpus_digest(corpus)
    os.utime(corpus / "a.wav", (0, 0))
    (corpus / ".DS_Store").write_bytes(b"x")
    (corpus / "lost").symlink_to(tmp_path / "nowhere")
    (corpus / "recipe.yaml").write_text("edited")
    assert corpus_digest(corpus) == first
    (elsewhere / "a.wav").write_bytes(b"two")
    second = corpus_digest(corpus)
    assert second != first
    (corpus / "a.wav").rename(corpus / "b.wav")
    assert corpus_digest(corpus) not in (first, second)


def test_a_corpus_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: corpus\.dir: no such folder"):
        corpus_digest(tmp_path / "none")
