"""Several processes train one model: by --devices, and under torchrun."""

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.commands.asr_command import Command, done
from support.commands.forked import Forked
from torch.distributed import TCPStore

from asr.errors import InputError
from asr.processes.launcher import launch
from asr.processes.lost import LOST_STATUS
from asr.storage.json_files import read_json, read_jsonl

ASR = (sys.executable, "-m", "asr")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "asr")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
NO_DROPOUT = "--set=model.dropout=0"


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = list(map(str, arguments))
    return subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT, timeout=240)


@pytest.fixture
def captured(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capfd


def test_two_processes_give_the_bundle_of_one(
    tiny_recipe: Path, own_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    alone = asr_command("run", tiny_recipe, "--out", own_run, NO_DROPOUT, "--device", "cpu")
    assert alone.status == 0
    two = tmp_path / "two"
    outcome = asr_command("run", tiny_recipe, "--out", two, NO_DROPOUT, "--device", "cpu", "--devices", 2)
    assert outcome.status == 0, outcome.err
    assert done(outcome.err) == ["prepare", "features", "train", "decode", "score"], "each once"
    assert outcome.out.count("Report: ") == 1
    close_weights(own_run, two)
    assert read_json(two / "results.json")["device"].startswith("2 x CPU")
    assert read_json(two / "decode/speed.json")["device"].startswith("2 x CPU")
    assert not list(two.rglob("*.asr-part")), "shares are gone once they are joined"
    shared = contents(two / "decode")
    assert asr_command("run", tiny_recipe, "--out", two, NO_DROPOUT, "--device=cpu", "--from=decode").status == 0
    assert contents(two / "decode") == shared


@pytest.mark.faults
def test_torchrun_and_devices_give_the_same_files(
    tiny_recipe: Path, own_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    two = Path(shutil.copytree(own_run, tmp_path / "two"))
    run = ("run", tiny_recipe, NO_DROPOUT, "--device", "cpu", "--from=train")
    assert asr_command(*run, "--out", two, "--devices", 2).status == 0
    under_torchrun = call(*TORCHRUN, *run, "--out", own_run)
    assert under_torchrun.returncode == 0, under_torchrun.stderr
    assert done(under_torchrun.stderr) == ["train", "decode", "score"]
    name = "train/bundle/model.safetensors"
    assert (own_run / name).read_bytes() == (two / name).read_bytes()
    assert contents(own_run / "decode") == contents(two / "decode")


def by_torchrun(command: list[object], logs: Path) -> Callable[[], list[tuple[int, str]]]:
    """Starts the command on two machines, each with a launcher of its own, which find each other at an address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    meet = ("--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", address)
    machine = [sys.executable, "-m", "torch.distributed.run", *meet, "-m", "asr", *map(str, command)]
    started = [subprocess.Popen(machine, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) for _ in range(2)]

    def wait() -> list[tuple[int, str]]:
        said = [process.communicate(timeout=400)[1] for process in started]
        return [(process.returncode, errors) for process, errors in zip(started, said, strict=True)]

    return wait


def by_variables(command: list[object], logs: Path) -> Callable[[], list[tuple[int, str]]]:
    """Starts the command as the launchers of two machines would, with their environment variables."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port, "TORCHELASTIC_RUN_ID": "two machines"}
    shared |= {"TORCHELASTIC_USE_AGENT_STORE": True, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 1, "LOCAL_RANK": 0}
    started = [
        Forked(logs / str(number), command, shared | {"RANK": number, "GROUP_RANK": number}) for number in range(2)
    ]

    def wait(held: TCPStore = store) -> list[tuple[int, str]]:
        ended = [process.end() for process in started]
        return [(each.status, each.err) for each in ended]

    return wait


@pytest.mark.parametrize("start", [by_variables, pytest.param(by_torchrun, marks=pytest.mark.faults)])
def test_two_machines_train_as_one_with_speech_on_disk(
    start: Callable[[list[object], Path], Callable[[], list[tuple[int, str]]]],
    tiny_recipe: Path,
    own_run: Path,
    tmp_path: Path,
    asr_command: Command,
) -> None:
    """They share the folders."""
    settings = (NO_DROPOUT, "training.batching=utterances", "training.epochs=2", "augmentation.speed=[0.9, 1.1]")
    streamed = ("training.resident=false", "training.memory=0.000001")
    options = [f"--set={each.removeprefix('--set=')}" for each in settings]

    def training(name: str) -> list[object]:
        where = [own_run / "prepare", own_run / "features", tmp_path / name / "train"]
        return ["train", *where, "--recipe", tiny_recipe, "--device=cpu", *options]

    wait = start([*training("two"), *(f"--set={each}" for each in streamed)], tmp_path)
    assert asr_command(*training("one")).status == 0
    for status, errors in wait():
        assert status == 0, errors
    close_weights(tmp_path / "one", tmp_path / "two")


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a decode stage that do not tell the time."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("speed.json", "stage.json"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def close_weights(one: Path, other: Path) -> None:
    first, second = (load_file(folder / "train/bundle/model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.faults
def test_a_killed_process_ends_all_with_one_line_and_the_rerun_resumes(tiny_recipe: Path, own_run: Path) -> None:
    shutil.rmtree(own_run / "train")
    command = [*ASR, "run", tiny_recipe, "--out", own_run, "--stage=train", "--device=cpu", "--devices=2"]
    long = [*command, "--set=training.epochs=2000", "--set=training.patience=2000"]
    started = subprocess.Popen(list(map(str, long)), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    wait_for(lambda: (own_run / "train/checkpoints/last.safetensors").exists())
    second = int(Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()[1])
    os.kill(second, signal.SIGKILL)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == 1
    said = [line for line in errors.splitlines() if not line.startswith("epoch ")]
    assert said == ["train: running", "asr: process 1 of 2 was killed (SIGKILL); rerun the same command to resume"]
    epochs = len(list(read_jsonl(own_run / "train/metrics.jsonl")))
    assert 0 < epochs < 2000
    again = call(*command, f"--set=training.epochs={epochs + 2}", f"--set=training.patience={epochs + 2}")
    assert again.returncode == 0, again.stderr
    trained = [line.split(":")[0] for line in again.stderr.splitlines() if line.startswith("epoch ")]
    assert trained in ([f"epoch {epochs + 1}", f"epoch {epochs + 2}"], [f"epoch {epochs + each}" for each in range(3)])


@pytest.mark.faults
def test_one_that_is_killed_while_it_decodes_its_share(tiny_recipe: Path, own_run: Path) -> None:
    command = [*ASR, "run", tiny_recipe, "--out", own_run, "--device=cpu", "--set=decoding.nbest=2"]
    started = subprocess.Popen(
        list(map(str, [*command, "--devices=2"])), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    wait_for(lambda: any((own_run / "decode").glob(".share.1.*")))
    second = int(Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()[1])
    os.kill(second, signal.SIGKILL)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == 1
    assert errors.splitlines()[-1] == "asr: process 1 of 2 was killed (SIGKILL); rerun the same command to resume"
    again = call(*command)
    assert again.returncode == 0, again.stderr
    assert done(again.stderr) == ["decode", "score"]
    assert not list(own_run.rglob("*.asr-part"))


def test_what_one_process_says_counts_and_not_that_others_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n[ $RANK = 0 ] && exit {LOST_STATUS}\necho 'asr: no memory' >&2; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert launch(2, [], os.environ) == 3
    assert capsys.readouterr().err == "asr: no memory\n"
    program.write_text(f"#!/bin/sh\nexit {LOST_STATUS}\n")
    with pytest.raises(InputError, match="the processes lost contact with each other; rerun"):
        launch(2, [], os.environ)


def test_nobody_waits_for_the_others_once_one_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n[ $RANK = 1 ] && kill -KILL $$\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr("asr.processes.launcher._GRACE", 60.0)
    before = time.monotonic()
    with pytest.raises(InputError, match=r"process 1 of 2 was killed \(SIGKILL\); rerun"):
        launch(2, [], os.environ)
    assert time.monotonic() - before < 30


def test_one_that_fails_does_not_wait_for_the_others_on_its_way_out(tmp_path: Path) -> None:
    """As Fabric's handler at exit does, which says goodbye to all."""
    fails = "import atexit, sys, time; atexit.register(time.sleep, 60); from asr.cli.main import main; main()"
    numbers = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", fails, "run", "none.yaml"],
        check=False, capture_output=True, text=True, env=ENVIRONMENT | numbers, cwd=tmp_path,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "asr: none.yaml: cannot read: No such file or directory\n")
    assert time.monotonic() - started < 50


def test_sigterm_ends_all_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n[ $RANK = 1 ] && kill -TERM $PPID\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    started = time.monotonic()
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("not handled"))
    try:
        with pytest.raises(InputError, match="ended by SIGTERM; rerun the same command to resume"):
            launch(2, [], os.environ)
        with pytest.raises(pytest.fail.Exception, match="not handled"):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - started < 30


def test_a_process_ends_with_the_one_that_launched_it(tiny_recipe: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # nobody gives it a task
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(silent.getsockname()[1]), "ASR_LAUNCHED": "1"}
        numbers = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        command = ["run", tiny_recipe, "--out", tmp_path / "run", "--device=cpu"]
        stdin, launcher = multiprocessing.Pipe(duplex=False)
        waiting = Forked(tmp_path / "log", command, place | numbers, stdin)
        try:
            silent.settimeout(120)
            silent.accept()
            launcher.close()
            assert waiting.end(20).status == LOST_STATUS
        finally:
            waiting.process.kill()


def wait_for(happened, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.faults
def test_a_mistake_of_the_recipe_is_said_once(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", "--set=corpus.dir=/no/such", "--devices=2")
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1, outcome.err
    assert "corpus.dir: no such folder" in outcome.err


def test_what_fails_in_all_processes_is_said_once(
    tiny_recipe: Path, tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 'asr: /no/such: corpus.dir: no such folder' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", "--devices=2")
    assert (outcome.status, outcome.err) == (1, "asr: /no/such: corpus.dir: no such folder\n")


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda:1", "--devices 64: use it with --device auto, cpu or cuda, not cuda:1"),
        ("cuda", f"this machine has {torch.cuda.device_count()} CUDA devices"),
    ],
)
def test_devices_that_are_not_there(
    device: str, message: str, tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", tmp_path / "run", "--device", device, "--devices", 64)
    assert outcome.status == 1
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
