"""What one server accepts."""

from dataclasses import dataclass

from asr.threads import available_cores


@dataclass(frozen=True)
class Limits:
    """Bounds that keep the memory, the disk space and the waiting time of a server flat."""

    megabytes: float = 50.0
    """Size of a request."""
    seconds: float = 300.0
    """Length of a recording."""
    live_seconds: float = 60.0
    """Length of a recording that is transcribed while one speaks."""
    at_once: int = available_cores()
    """Recordings that are worked on at the same time; others wait."""
    waiting: int = 100
    """Requests that may wait or upload; further ones are refused."""
    live: int = 4
    """Microphones at the same time."""
    upload_seconds: float = 60.0
    """Time to upload a recording."""
    text: int = 5000
    """Characters of a transcript."""

    @property
    def uploads(self) -> int:
        """Recordings that are on disk at the same time."""
        return self.at_once + 4
