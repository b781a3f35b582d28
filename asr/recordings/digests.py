"""What identifies a recording: the SHA-256 of its file."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from asr.audio import audio_status
from asr.errors import InputError
from asr.storage.files import file_digest, owner_of
from asr.storage.json_files import read_jsonl, write_jsonl

DIGESTS = "audio.jsonl"
"""In an output folder: the digest of each file that was read, with the size and time by which it is known again."""


class Identity(NamedTuple):
    """A file at the time when it was read: bytes, microseconds since 1970, and the SHA-256."""

    size: int
    modified: int
    digest: bytes


def identity(audio: Path, known: Identity | None = None) -> Identity:
    """The identity of a file, which is read if `known` has another size or time. Raises InputError where it cannot."""
    status = _status(audio)
    if known is not None and known[:2] == status:
        return known
    return Identity(*status, _digest(audio, *status))


def require_unchanged(audio: Path, known: Identity) -> None:
    """Raises InputError for a file that has changed since it had this identity."""
    if known[:2] != _status(audio):
        raise InputError("changed while it was read; run the command again when it is complete", audio)


def _status(audio: Path) -> tuple[int, int]:
    status = audio_status(audio)
    return status.st_size, status.st_mtime_ns // 1000


@lru_cache(maxsize=64)
def _digest(audio: Path, size: int, modified: int) -> bytes:
    """The SHA-256 of a file as it is now: lists have many parts of one."""
    return bytes.fromhex(file_digest(audio))


class AudioDigests:
    """The digests of audio files, each read once while its size and time of change stay the same."""

    def __init__(self, path: Path) -> None:
        """Begins with those in the file `path`, if it is there.

        Raises InputError where it is a file of the user's in an output folder.
        """
        if (owner := owner_of(path)) is not None:
            owner.require_replaceable(path)
        self.path = path
        self._known: dict[str, Identity] = {}
        for row in read_jsonl(path) if path.is_file() else ():
            try:
                self._known[str(row["audio"])] = Identity(row["size"], row["modified"], bytes.fromhex(row["sha256"]))
            except (KeyError, TypeError, ValueError):
                continue  # read again

    def of(self, audio: Path) -> str:
        """The SHA-256 of a file. Raises InputError where it cannot be read."""
        known = self._known[str(audio)] = identity(audio, self._known.get(str(audio)))
        return known.digest.hex()

    def known(self, audio: Path) -> Identity | None:
        """What a file was when it was last read."""
        return self._known.get(str(audio))

    def add(self, audio: Path, known: Identity) -> None:
        """Adds a file that was read elsewhere."""
        self._known[str(audio)] = known

    def write(self) -> None:
        """Writes them, sorted by their paths."""
        write_jsonl(
            self.path,
            (
                {"audio": audio, "size": known.size, "modified": known.modified, "sha256": known.digest.hex()}
                for audio, known in sorted(self._known.items())
            ),
        )
