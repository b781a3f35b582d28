"""The feature archive: the frames of all utterances, one after another, in one .npy file with an index next to it.

`stem.npy` is a float32 array [F, D] that NumPy maps into memory. `stem.index.jsonl` has its schema in the first line,
then a line for each utterance with the CRC-32 of its frames, and last the CRC-32 of all lines before:

    {"schema": "asr-features-2", "dim": 40}
    {"utterance": "fvmh0-sx206", "speaker": "fvmh0", "frames": 309, "crc32": 3735928559}
    {"utterances": 1, "crc32": 305419896}
"""

import io
import json
import os
import tokenize
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError
from asr.storage.files import complete_file

SCHEMA = "asr-features-2"
FIX = "run asr features again"
Frames = np.memmap[tuple[int, int], np.dtype[np.float32]]
CHECKED_AT_OPENING = 200_000_000
"""Bytes of features that are checked when an archive is opened, spread over it: a second at the speed of a disk."""


def array_path(stem: Path | str) -> Path:
    """The file of the frames of the archive `stem`."""
    return Path(f"{stem}.npy")


def index_path(stem: Path | str) -> Path:
    """The file that says which utterances the archive `stem` has."""
    return Path(f"{stem}.index.jsonl")


class ArchiveWriter:
    """Writes an archive in one pass; its files appear only at `close`, or at the end of a `with` block."""

    def __init__(self, stem: Path | str, dim: int) -> None:
        """`dim`: features of a frame. Raises OutputError where the files cannot be written."""
        self.dim = dim
        self.frames = 0
        self._utterances: set[str] = set()
        self._index_crc = 0
        self._open = ExitStack()
        self._index = self._open.enter_context(complete_file(index_path(stem), "wb"))
        self._array = self._open.enter_context(complete_file(array_path(stem), "wb"))
        self._array.write(_header(0, dim))
        self._write_line({"schema": SCHEMA, "dim": dim})

    def append(self, utterance: str, speaker: str, features: NDArray[np.float32]) -> None:
        """Adds one utterance's features [T, D]. Raises ValueError for another D, and for an utterance that is there."""
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(f"{utterance}: features of shape {features.shape}, expected [T, {self.dim}]")
        if utterance in self._utterances:
            raise ValueError(f"{utterance}: is in the archive already")
        self._utterances.add(utterance)
        stored = np.ascontiguousarray(features, dtype="<f4")
        self._array.write(stored.data)
        row = {"utterance": utterance, "speaker": speaker, "frames": len(stored), "crc32": _crc(stored)}
        self._write_line(row)
        self.frames += len(stored)

    def close(self) -> None:
        """Gives both files their names. Raises OutputError where the disk is full."""
        self._write_line({"utterances": len(self._utterances), "crc32": self._index_crc})
        self._array.seek(0)
        self._array.write(_header(self.frames, self.dim))
        self._open.close()

    def _write_line(self, row: dict[str, object]) -> None:
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        self._index_crc = zlib.crc32(line, self._index_crc)
        self._index.write(line)

    def __enter__(self) -> "ArchiveWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._open.__exit__(kind, error, at)


def _header(frames: int, dim: int) -> bytes:
    """The .npy header; NumPy reserves room for a growing first axis, so its length does not depend on `frames`."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": (frames, dim)})
    return buffer.getvalue()


class Archive:
    """A complete archive: `archive[i]` reads the features [T, D] of utterance i, which no other memory holds then.

    `frames` is all of them, memory-mapped. An utterance's checksum is checked the first time that it is read.
    """

    def __init__(self, stem: Path | str, dim: int | None = None) -> None:
        """Checks up to CHECKED_AT_OPENING bytes of features.

        Raises InputError when a file is missing, truncated, changed, or does not match the other one, or when its
        features do not have `dim` columns.
        """
        self.stem = Path(stem)
        self.frames = _map(array_path(stem))
        index = _read_index(index_path(stem))
        self.utterances, self.speakers, self.starts = index.utterances, index.speakers, index.starts
        self._crcs = index.crcs
        if self.starts[-1] != len(self.frames):
            message = f"has {len(self.frames)} frames, but its index has {self.starts[-1]}; {FIX}"
            raise InputError(message, array_path(stem))
        if index.dim != self.dim:
            message = f"has {self.dim} features a frame, but its index has {index.dim}; {FIX}"
            raise InputError(message, array_path(stem))
        if dim not in (None, self.dim):
            raise InputError(f"has {self.dim} features a frame, but the recipe's have {dim}; {FIX}", array_path(stem))
        self._file = os.open(array_path(stem), os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._checked = np.zeros(len(self), dtype=bool)
        for number in _sample(self.starts, CHECKED_AT_OPENING // (4 * self.dim)):
            self.check(number)

    @property
    def dim(self) -> int:
        """Features of a frame."""
        return int(self.frames.shape[1])

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Raises InputError when the features have changed since they were written."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.check(index)

    def check(self, index: int) -> NDArray[np.float32]:
        """An utterance's features, compared with their checksum the first time. Raises InputError where they differ."""
        features = self._features(index)
        if not self._checked[index]:
            if _crc(features) != self._crcs[index]:
                message = f"the features of utterance {self.utterances[index]} have changed or belong to another; {FIX}"
                raise InputError(message, array_path(self.stem))
            self._checked[index] = True
        return features

    def _features(self, index: int) -> NDArray[np.float32]:
        # Not from the mapped frames, of which every page that was read would count as this process's memory.
        width = 4 * self.dim
        first, end = (int(self.starts[index + each]) * width for each in (0, 1))
        read = os.pread(self._file, end - first, self.frames.offset + first)
        return np.frombuffer(read[: len(read) - len(read) % width], "<f4").reshape(-1, self.dim)


def _sample(starts: NDArray[np.int64], most: int) -> Iterator[int]:
    """Utterances spread evenly over an archive, with at most about `most` frames; all of a small one."""
    count = len(starts) - 1
    step = max(float(starts[-1]) / max(most, 1), 1.0)
    return (int(number) for number in np.arange(0, count, step))


def _crc(features: NDArray[np.float32]) -> int:
    return zlib.crc32(np.ascontiguousarray(features).data)


def _map(path: Path) -> Frames:
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise InputError(f"no such feature archive; {FIX}", path) from error
    except (OSError, ValueError, EOFError, ArithmeticError, SyntaxError, TypeError, tokenize.TokenError) as error:
        raise InputError(f"not a complete feature archive; {FIX}", path) from error
    if not isinstance(frames, np.memmap) or frames.dtype != np.dtype("<f4") or frames.ndim != 2:
        raise InputError(f"not a feature archive (float32 [F, D] expected); {FIX}", path)
    if not frames.flags.c_contiguous or frames.offset + frames.nbytes != size:
        raise InputError(f"not a complete feature archive; {FIX}", path)
    return cast(Frames, frames)


@dataclass(frozen=True)
class _Index:
    """Utterances [N], their speakers [N], checksums [N], and where their frames begin [N + 1]."""

    dim: int
    utterances: list[str]
    speakers: list[str]
    crcs: NDArray[np.uint32]
    starts: NDArray[np.int64]


def _read_index(path: Path) -> _Index:
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
        head = json.loads(lines[0])
        if head["schema"] != SCHEMA:
            raise InputError(f"schema {str(head['schema'])[:40]!r} is not {SCHEMA!r}; {FIX}", path)
        last = json.loads(lines[-1])
        if last["crc32"] != zlib.crc32(content[: content.rfind(b"\n", 0, -1) + 1]):
            raise InputError(f"was changed since it was written; {FIX}", path)
        rows = json.loads(f"[{','.join(lines[1:-1])}]")  # twice as fast as one call per line
        if last["utterances"] != len(rows):
            raise ValueError("rows are missing")
        counts = np.array([row["frames"] for row in rows], dtype=np.int64)
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(counts, out=starts[1:])
        if (counts < 0).any():
            raise ValueError("negative counts")
        utterances = [row["utterance"] for row in rows]
        _require_distinct(utterances, path)
        speakers = [row["speaker"] for row in rows]
        index = _Index(
            int(head["dim"]), utterances, speakers, np.array([row["crc32"] for row in rows], np.uint32), starts
        )
    except FileNotFoundError as error:
        raise InputError(f"no such archive index; {FIX}", path) from error
    except (OSError, ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"not a complete archive index; {FIX}", path) from error
    return index


def _require_distinct(utterances: Sequence[str], path: Path) -> None:
    if len(known := set(utterances)) < len(utterances):
        for line, utterance in enumerate(utterances, 2):
            if utterance not in known:
                raise InputError(f"has utterance {utterance} twice; {FIX}", path, line)
            known.remove(utterance)
