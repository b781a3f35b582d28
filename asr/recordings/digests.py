"""What identifies a recording: the SHA-256 of its file."""

from pathlib import Path
from typing import NamedTuple

from asr.audio import audio_status
from asr.errors import InputError
from asr.storage.files import file_digest, owner_of, read_jsonl, write_jsonl

DIGESTS = "audio.jsonl"
"""In an output folder: the digest of each file that was read, with the size and time by which it is known again."""


class _Known(NamedTuple):
    """Bytes, microseconds since 1970, and the SHA-256."""

    size: int
    modified: int
    digest: bytes


class AudioDigests:
    """The digests of audio files, each read once while its size and time of change stay the same.

    May be used from several threads.
    """

    def __init__(self, path: Path) -> None:
        """Begins with those in the file `path`, if it is there.

        Raises InputError where it is a file of the user's in an output folder.
        """
        if (owner := owner_of(path)) is not None:
            owner.require_replaceable(path)
        self.path = path
        self._known: dict[str, _Known] = {}
        for row in read_jsonl(path) if path.is_file() else ():
            try:
                self._known[str(row["audio"])] = _Known(row["size"], row["modified"], bytes.fromhex(row["sha256"]))
            except (KeyError, TypeError, ValueError):
                continue  # read again

    def of(self, audio: Path) -> str:
        """The SHA-256 of a file. Raises InputError where it cannot be read."""
        status = self._status(audio)
        known = self._known.get(str(audio))
        if known is None or known[:2] != status:
            known = self._known[str(audio)] = _Known(*status, bytes.fromhex(file_digest(audio)))
        return known.digest.hex()

    def require_unchanged(self, audio: Path) -> None:
        """Raises InputError for a file that has changed since its digest was made."""
        if self._known[str(audio)][:2] != self._status(audio):
            raise InputError("changed while it was read; run the command again when it is complete", audio)

    def write(self) -> None:
        """Writes them, sorted by their paths."""
        write_jsonl(
            self.path,
            (
                {"audio": audio, "size": known.size, "modified": known.modified, "sha256": known.digest.hex()}
                for audio, known in sorted(self._known.copy().items())  # threads may go on
            ),
        )

    def _status(self, audio: Path) -> tuple[int, int]:
        status = audio_status(audio)
        return status.st_size, status.st_mtime_ns // 1000
