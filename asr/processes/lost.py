"""Another process has gone."""

from asr.processes.ranks import are_several

LOST_STATUS = 75
"""The exit status of a process that lost contact with another; the other one's end is the reason to report."""


class LostProcessError(RuntimeError):
    """Another process has gone."""


def is_lost_process(error: BaseException) -> bool:
    """Whether another process has ended; PyTorch reports it as a RuntimeError."""
    if isinstance(error, LostProcessError):
        return True
    words = ("connection closed by peer", "connection reset by peer", "broken pipe", "connection refused")
    named = type(error).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
    return are_several() and (named or any(word in str(error).lower() for word in words))
