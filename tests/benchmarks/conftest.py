"""What tests of benchmarks share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """The messages that are shown, which benchmarks change, are afterwards as before."""
    log = logging.getLogger("asr")
    before = log.level
    yield
    log.setLevel(before)
