"""A worker of the Ray engine: an actor that does the work of one core or GPU, and passes its messages on."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from asr.engines.engine import Start, Work
from asr.errors import InputError
from asr.threads import one_torch_thread
from asr.version import __version__

PACKAGE = "asr"


class Message(NamedTuple):
    """What was logged: the logger, the level and the text."""

    logger: str
    level: int
    text: str


class RayWorker:
    """Does one kind of work at a time on groups of items."""

    def __init__(self, level: int, version: str) -> None:
        """`level` is that of the messages that are passed on, `version` that of the process that sends the items."""
        self._version = version
        self._messages = _Messages()
        logger = logging.getLogger(PACKAGE)
        logger.setLevel(level)
        logger.addHandler(self._messages)
        self._work: Work[Any, Any] | None = None

    def start(self, start: Start[Any, Any], device: str) -> list[Message]:
        """Gets ready for a work. Raises InputError where the node has another version of asr."""
        if __version__ != self._version:
            raise InputError(f"has asr {__version__}, but the command is of {self._version}; install the same")
        self._work = start(device)
        return self._messages.taken()

    def run(self, items: Sequence[Any]) -> tuple[list[Any], list[Message]]:
        """The result of each item, and what was logged meanwhile."""
        assert self._work is not None
        with one_torch_thread():
            return self._work(items), self._messages.taken()


class _Messages(logging.Handler):
    """Keeps messages until they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Message] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(Message(record.name, record.levelno, record.getMessage()))

    def taken(self) -> list[Message]:
        kept, self._kept = self._kept, []
        return kept
