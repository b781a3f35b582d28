"""The Ray engine: what it writes is what threads write, also where workers die."""

import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from support.commands.asr_command import Command, snapshot
from support.corpora.recordings import RATE, errors, names, write_audio

from asr.engines import ray_workers
from asr.engines.ray_cluster import RayCluster
from asr.engines.threads import Threads
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.recordings import batch
from asr.recordings.export import PLAIN, Exports
from asr.recordings.results import Row
from asr.recordings.sources import Source, find_sources
from asr.recordings.work import Read, one_by_one
from asr.storage.output_folder import output_folder

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'asr-phones[ray]'")
pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray cluster of this machine with two cores, which the commands of this process find."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        configure_logging=False,
        log_to_driver=False,
        object_store_memory=100_000_000,
    )
    yield
    ray.shutdown()


@pytest.fixture
def two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_workers, "TRIES", 2)


@pytest.fixture
def engine(cluster: None) -> Iterator[RayCluster]:
    """With one worker: each takes seconds to start."""
    with RayCluster(jobs=1, device="cpu") as engine:
        yield engine


def workers() -> list[int]:
    """The processes of the workers that this process's cluster has."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title, parent = (folder / "cmdline").read_bytes(), _parent(folder)
            if title.startswith(b"ray::RayActor") and _parent(Path("/proc", str(parent))) == os.getpid():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended
    return found


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def after(items: Iterator, count: int, action: Callable[[], object]) -> Iterator:
    """The items; the action is done once, before the one of this number."""
    for number, item in enumerate(items):
        if number == count:
            action()
        yield item


def test_each_result_is_there_once_though_a_worker_is_killed(
    cluster: None,
    tiny_run: Path,
    good: Path,
    bad: Path,
    tmp_path: Path,
    asr_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(10):
        (good / f"again{number}.wav").hardlink_to(good / "one.wav")
    out = tmp_path / "out"
    arguments = ("transcribe", tiny_run, good, bad, "--format", "ctm", "--format", "textgrid", "-o", out)
    here = asr_command(*arguments)
    expected = snapshot(out.rename(tmp_path / "threads"))
    killed: list[int] = []

    def kill() -> None:
        killed.extend(workers()[:1])
        os.kill(killed[0], signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(batch, "track", lambda items, *_: after(items, 5, kill))
        patch.setattr(ray_workers, "SECONDS_UNTIL_WARNING", 600.0)  # a busy machine starts workers slowly
        there = asr_command(*arguments, "--engine", "ray")
    assert len(killed) == 1
    assert (there.status, there.out) == (here.status, here.out) == (1, "")
    assert snapshot(out) == expected
    assert len(set(names(out))) == len(names(out)) > 10
    assert sorted(there.err.splitlines()[1:]) == sorted(here.err.splitlines())
    again = asr_command(*arguments, "--engine", "ray")
    assert "0 transcribed, 19 already done" in again.err
    assert (out / "transcripts.jsonl").read_bytes() == expected["transcripts.jsonl"]


def test_alignments_are_equal(
    cluster: None, tiny_run: Path, spoken: Path, tmp_path: Path, asr_command: Command
) -> None:
    next(spoken.glob("*.phn")).unlink()
    inputs = (tiny_run, spoken, "-o")
    here = asr_command("align", *inputs, tmp_path / "threads")
    there = asr_command("align", *inputs, tmp_path / "ray", "--engine", "ray", "--jobs", 1)
    assert (there.status, len(errors(tmp_path / "ray"))) == (here.status, len(errors(tmp_path / "threads"))) == (1, 1)
    assert snapshot(tmp_path / "ray") == snapshot(tmp_path / "threads")


def test_features_are_equal(cluster: None, tiny_run: Path, tmp_path: Path, asr_command: Command) -> None:
    for engine in ("threads", "ray"):
        done = asr_command("features", tiny_run / "prepare", tmp_path / engine, "--engine", engine)
        assert done.status == 0
    assert snapshot(tmp_path / "ray") == snapshot(tmp_path / "threads")
    assert (tmp_path / "ray" / "train.npy").read_bytes() == (tiny_run / "features" / "train.npy").read_bytes()


def test_a_recording_that_kills_its_workers_fails_alone(engine: RayCluster, two_tries: None, tmp_path: Path) -> None:
    for name in "abc":
        write_audio(tmp_path / "audio" / f"{name}.wav", np.full(RATE, 0.1))
    tries = tmp_path / "tries"
    tries.mkdir()

    def start(device: str) -> object:
        def work(source: Source, read: Read) -> tuple[Transcript, Row]:
            if source.utterance == "b":
                (tries / str(os.getpid())).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            logging.getLogger("asr.test").warning("%s is odd", source.utterance)
            return Transcript(source.utterance, [], audio=str(source.path)), {}

        return one_by_one(work)

    output = tmp_path / "out" / "transcripts.jsonl"
    with output_folder(output.parent, "test", "--out") as folder:
        summary = batch.process(
            find_sources([tmp_path / "audio"]),
            output,
            start,
            RATE,
            lambda row, source: True,
            lambda failed: Exports(folder, output, [], PLAIN, "timit39", failed=failed),
            engine,
            "testing",
        )
    assert (summary.done, summary.failed) == (2, 1)
    assert names(output.parent) == ["a", "c"]
    assert len(list(tries.iterdir())) == 2
    row = errors(output.parent)[0]
    assert row["path"] == str(tmp_path / "audio" / "b.wav")
    assert row["what"] == "a worker died of it 2 times, in a crash or for lack of memory"


def test_items_of_a_group_that_kills_its_workers_are_done_alone(engine: RayCluster, two_tries: None) -> None:
    def start(device: str) -> Callable[[Sequence[int]], list[int]]:
        def work(items: Sequence[int]) -> list[int]:
            if 4 in items:
                os.kill(os.getpid(), signal.SIGKILL)
            return [item * item for item in items]

        return work

    found = dict(engine.map(start, [[0, 1, 2], [3, 4, 5], [6]]))
    assert isinstance(found.pop(4), InputError)
    assert found == {item: item * item for item in (0, 1, 2, 3, 5, 6)}


def test_results_are_in_order_and_as_those_of_threads(cluster: None, caplog: pytest.LogCaptureFixture) -> None:
    """And what the workers log is logged."""

    def start(device: str) -> Callable[[Sequence[int]], list[str]]:
        import time

        def work(items: Sequence[int]) -> list[str]:
            time.sleep(0.2 * (items[0] == 0))
            if 3 in items:
                logging.getLogger("asr.test").warning("%d is odd", *items)
            print("not shown")
            return [f"{device} {item}" for item in items]

        return work

    groups = [[0, 1], [2], [3], [4, 5]]
    with RayCluster(jobs=2, device="cpu") as engine:
        found = list(engine.map(start, groups))
        assert list(engine.map(start, [])) == []
    assert [record.getMessage() for record in caplog.records if record.name == "asr.test"] == ["3 is odd"]
    assert found == list(Threads(2).map(start, groups))


def test_a_worker_that_starts_slowly_need_not_lack_room(
    engine: RayCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ray_workers, "SECONDS_UNTIL_WARNING", 0.01)
    assert list(engine.map(lambda device: list, [[1], [2]])) == [(1, 1), (2, 2)]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == ["waiting for a Ray worker to start; other work may take all cores or GPUs of the cluster"]


def test_a_model_that_workers_cannot_open_ends_the_command(engine: RayCluster) -> None:
    def start(device: str) -> Callable[[Sequence[int]], list[int]]:
        raise InputError("no such bundle", "runs/dnn")

    with pytest.raises(InputError, match="a Ray worker cannot start: runs/dnn: no such bundle"):
        list(engine.map(start, [[1]]))
