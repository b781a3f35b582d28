"""What happens when one recording fails: one line, and the others go on."""

import logging
from pathlib import Path

from asr.errors import InputError, OutputError, is_interrupt, is_out_of_memory

log = logging.getLogger(__name__)

LONGEST_REASON = 300


def log_failure(error: Exception, path: Path, consequence: str = "") -> None:
    """Logs in one line why a recording failed. Raises the error again if it concerns all: a full disk, or Ctrl-C."""
    if isinstance(error, OutputError) or (isinstance(error, SystemError) and is_interrupt(error)):
        raise error
    log.error("%s%s", _message(error, path), consequence, exc_info=error)


def taken(output: Path, other: object, utterance: str) -> str:
    """Why a recording is left out whose name another one already has in the results."""
    return f"{output} already has a result of {other} named {utterance}; choose another folder with --out"


def _message(error: Exception, path: Path) -> str:
    if isinstance(error, InputError):
        return str(error)
    if is_out_of_memory(error):
        return f"{path}: does not fit in memory; split it into parts, or choose another --device"
    reason = " ".join(str(error).split())
    return f"{path}: {type(error).__name__}: {reason[:LONGEST_REASON]}"
