"""A part of a file as a file of its own, with other bytes in one place."""

import io
import os
from pathlib import Path
from typing import BinaryIO


class Window(io.RawIOBase, BinaryIO):
    """The bytes from `start` to `stop` of a file (None: its end), read only; `patch` replaces those at `patch_at`.

    It pretends to be `longer` times as long.
    """

    def __init__(
        self,
        path: Path,
        start: int = 0,
        stop: int | None = None,
        patch_at: int = 0,
        patch: bytes = b"",
        longer: int = 1,
    ) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with the window
        self._start = start
        self._size = (os.fstat(self._file.fileno()).st_size if stop is None else stop) - start
        self._claimed = self._size * longer
        self._patch_at, self._patch = patch_at, patch
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._claimed}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        self._file.seek(self._start + self._at)
        count = self._file.readinto(view) or 0
        first = max(self._at, self._patch_at)
        last = min(self._at + count, self._patch_at + len(self._patch))
        if first < last:
            view[first - self._at : last - self._at] = self._patch[first - self._patch_at : last - self._patch_at]
        self._at += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
