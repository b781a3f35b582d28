"""Many requests at once, and what is left on the disk."""

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.serving import LIMITS, client_of, form, recording

from asr.serve.limits import Limits
from asr.serve.server import temporary_folder
from asr.serve.speech import Speech

ROOM = 60_000
"""kB by which memory may grow while 150 requests are answered, after the first 50."""


def resident() -> int:
    """kB of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_fifty_requests_at_once_are_answered_in_flat_memory(client: TestClient) -> None:
    files = [form(recording(0.2 + 0.05 * number)) for number in range(50)]

    def send(file) -> tuple[int, list]:
        response = client.post("/v1/transcribe", files=file)
        return response.status_code, response.json()["phones"]

    with ThreadPoolExecutor(50) as pool:
        first = list(pool.map(send, files))
        before = resident()
        again = [list(pool.map(send, files)) for _ in range(3)]
    assert [status for status, _ in first] == [200] * 50
    assert again == [first] * 3
    if sys.platform == "linux":
        assert resident() - before < ROOM


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


def test_the_folder_of_the_process_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted() -> None:
        with temporary_folder():
            Path(tempfile.mkdtemp()).joinpath("file").write_text("x")
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_an_address_and_leaves_nothing(tiny_run: Path, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "asr", "serve", str(tiny_run), "--port", "0", "--lexicon", "none"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    heard = partial(signal.signal, number, signal.SIG_DFL)  # ignored in the background
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=heard) as process:
        assert process.stderr is not None
        lines = iter(process.stderr)
        shown = next(line for line in lines if "http" in line)
        assert shown.startswith("Open http://127.0.0.1:")
        assert [path.name[:10] for path in tmp_path.iterdir()] == ["asr-serve-"]
        process.send_signal(number)
        assert "Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == []
