"""Requests to the application of `asr serve` without a network."""

from typing import Any

from starlette.testclient import TestClient

from asr.serve.access import Access
from asr.serve.app import create_app
from asr.serve.limits import Limits
from asr.serve.speech import Speech
from support.corpora.audio_files import tone, wav_bytes

LIMITS = Limits(megabytes=1.0, seconds=5.0, live_seconds=20.0, at_once=2, waiting=100, live=2, text=200)
OWN = "http://127.0.0.1:8000"
LIVE = "ws://127.0.0.1:8000/v1/live"


def client_of(speech: Speech, access: Access | None = None, address: str = OWN) -> TestClient:
    return TestClient(
        create_app(speech, access or Access.for_host("127.0.0.1")), address, raise_server_exceptions=False
    )


def recording(seconds: float = 1.0) -> bytes:
    """A WAV file of a tone."""
    return wav_bytes(tone(seconds=seconds))


def form(content: bytes | None = None, name: str = "one.wav") -> dict[str, Any]:
    """The files of a request with a recording."""
    return {"audio": (name, recording() if content is None else content)}
