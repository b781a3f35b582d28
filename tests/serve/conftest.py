"""A server around a small trained model, and its page in a browser."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.testclient import TestClient
from support.corpora.audio_files import wav_bytes
from support.pages.chromium import chromium
from support.pages.serving import LIMITS, client_of

from asr.recognizer import Recognizer
from asr.serve.access import Access
from asr.serve.app import create_app
from asr.serve.server import listening
from asr.serve.speech import Speech


@pytest.fixture(scope="session")
def speech(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Speech:
    lexicon = tmp_path_factory.mktemp("lexicon") / "words.dict"
    lexicon.write_text("hello HH AH L OW\n")
    return Speech(Recognizer(tiny_run), "tiny", LIMITS, str(lexicon))


@pytest.fixture
def client(speech: Speech) -> Iterator[TestClient]:
    with client_of(speech) as client:
        yield client


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of noise that changes."""
    path = tmp_path_factory.mktemp("spoken") / "a b,1.wav"
    time = np.arange(48000) / 16000
    noise = np.random.default_rng(1).normal(0, 0.1, 48000) * (1 + np.sin(9 * time)) / 2
    path.write_bytes(wav_bytes(noise.astype(np.float32)))
    return path


@pytest.fixture(scope="module")
def microphone(spoken: Path) -> Iterator[Any]:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(*fake, f"--use-file-for-fake-audio-capture={spoken}") as running:
        yield running


@pytest.fixture(scope="module")
def address(speech: Speech) -> Iterator[str]:
    """The address of a server that listens, with a token."""
    access = Access(None, "a-secret-of-the-test")
    with listening("127.0.0.1", 0) as bound:
        server = uvicorn.Server(
            uvicorn.Config(create_app(speech, access), log_level="warning", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/#token={access.token}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(microphone: Any, address: str) -> Iterator[Any]:
    """The page, ready; at the end it has complained of nothing and asked no other server."""
    context = microphone.new_context(viewport={"width": 1300, "height": 900}, accept_downloads=True)
    context.set_default_timeout(120_000)
    page, problems, requested = context.new_page(), [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(address)
    page.wait_for_selector("#record:not([disabled])")
    yield page
    own = address.partition("#")[0]
    assert [each for each in requested if not each.startswith((own, "blob:", "data:"))] == []
    assert [each for each in problems if "status of 4" not in each] == []  # Chromium itself reports refused requests
    context.close()
