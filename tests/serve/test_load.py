"""Many requests at once, and what is left on the disk."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from starlette.testclient import TestClient
from support.pages.serving import LIMITS, client_of, form, recording

from asr.serve.limits import Limits
from asr.serve.server import temporary_folder
from asr.serve.speech import Speech

ROOM = 1_000_000
"""Bytes by which memory may grow while 150 requests with 3 MB of recordings are answered, after the first 50."""
SECONDS = 300.0
"""After which a server that does not stop is killed."""


def test_fifty_requests_at_once_are_answered_in_flat_memory(client: TestClient) -> None:
    files = [form(recording(0.2 + 0.02 * number)) for number in range(50)]

    def send(file) -> tuple[int, list]:
        response = client.post("/v1/transcribe", files=file)
        return response.status_code, response.json()["phones"]

    def allocated() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        with ThreadPoolExecutor(50) as pool:
            first = list(pool.map(send, files))
            before = allocated()
            for _ in range(3):
                assert list(pool.map(send, files)) == first
            grown = allocated() - before
    finally:
        tracemalloc.stop()
    assert [status for status, _ in first] == [200] * 50
    assert grown < ROOM


def test_more_than_may_wait_are_told_to_come_back(speech: Speech) -> None:
    limits = Limits(at_once=1, waiting=0)
    small = Speech(speech.recognizer, "tiny", limits)
    with client_of(small) as client, ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda _: client.post("/v1/transcribe", files=form()), range(20)))
        refused = [each for each in responses if each.status_code == 503]
        assert len(responses) - len(refused) >= limits.uploads
        assert all(each.headers["retry-after"] == "5" for each in refused)
        assert all("try again" in each.json()["error"]["message"] for each in refused)
        assert client.post("/v1/transcribe", files=form()).status_code == 200


def test_nothing_is_left_on_the_disk(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    large = recording(4.0) + bytes(int(LIMITS.megabytes * 500_000))
    for file in (form(), form(b"bad"), form(large)):
        client.post("/v1/transcribe", files=file, data={"format": "textgrid"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "left"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_folder_of_the_process_is_removed(
    number: signal.Signals, left: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted() -> None:
        with temporary_folder():
            Path(tempfile.mkdtemp()).joinpath("file").write_text("x")
            assert len(list(tmp_path.iterdir())) == 1
            signal.raise_signal(number)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    with pytest.raises(left):
        interrupted()
    signal.signal(signal.SIGINT, before)
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.faults)])
def test_the_command_prints_an_address_and_leaves_nothing(tiny_run: Path, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "asr", "serve", str(tiny_run), "--port", "0", "--lexicon", "none"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    heard = partial(signal.signal, number, signal.SIG_DFL)  # ignored in the background
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=heard) as process:
        assert process.stderr is not None
        limit = Timer(SECONDS, process.kill)
        limit.start()
        shown = next(line for line in process.stderr if "http" in line)
        assert shown.startswith("Open http://127.0.0.1:")
        assert [path.name[:10] for path in tmp_path.iterdir()] == ["asr-serve-"]
        process.send_signal(number)
        assert "Traceback" not in process.stderr.read()
        limit.cancel()
    assert list(tmp_path.iterdir()) == []
