"""A server around a small trained model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.serving import LIMITS, client_of

from asr.recognizer import Recognizer
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
