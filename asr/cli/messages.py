"""What a command shows on standard error: its own messages, and those of libraries where asked for."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from asr.errors import printable
from asr.processes.ranks import rank

PROGRAM = "asr"
STANDARD_ERROR = 2
"""The file descriptor."""


def show_messages(verbose: bool = False, debug: bool = False) -> None:
    """Shows the messages of the `asr` loggers from INFO up; `verbose` adds DEBUG.

    `debug` adds DEBUG too, the warnings of libraries, and tracebacks of errors that are one line otherwise.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StandardError)]:
        root.removeHandler(handler)
    root.addHandler(_StandardError(debug))
    usual = logging.WARNING if rank() else logging.INFO  # process 0 speaks for all
    logging.getLogger(PROGRAM).setLevel(logging.DEBUG if verbose or debug else usual)
    if debug:
        warnings.simplefilter("default")
        logging.captureWarnings(True)
    else:
        warnings.simplefilter("ignore")


@contextmanager
def codecs_silenced() -> Iterator[None]:
    """Drops what compiled libraries print to standard error inside the `with`; Python's messages still get there.

    With --verbose or --debug, nothing is dropped.
    """
    ours = sys.stderr
    if ours is None or logging.getLogger(PROGRAM).isEnabledFor(logging.DEBUG):
        yield
        return
    ours.flush()
    with (
        open(os.dup(STANDARD_ERROR), "w", encoding=ours.encoding, errors=ours.errors, buffering=1) as kept,
        open(os.devnull, "wb") as nowhere,
    ):
        if _writes_to_standard_error(ours):
            sys.stderr = kept
        os.dup2(nowhere.fileno(), STANDARD_ERROR)
        try:
            yield
        finally:
            sys.stderr = ours
            os.dup2(kept.fileno(), STANDARD_ERROR)


def _writes_to_standard_error(stream: TextIO) -> bool:
    try:
        return stream.fileno() == STANDARD_ERROR
    except (OSError, ValueError):  # a stream without a file, as in tests
        return False


class _StandardError(logging.Handler):
    """Writes to the `sys.stderr` of the moment; drops what libraries say unless `debug`."""

    def __init__(self, debug: bool) -> None:
        super().__init__()
        self.debug = debug

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.name == PROGRAM or record.name.startswith(f"{PROGRAM}.")
        return (ours or self.debug) and super().filter(record) is not False

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage())
        if record.levelno >= logging.ERROR:
            message = f"{PROGRAM}: {message}"
        if self.debug and record.exc_info:
            message = f"{logging.Formatter().formatException(record.exc_info)}\n{message}"
        return message

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except Exception:
            self.handleError(record)
