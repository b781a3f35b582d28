"""The feature archive: the frames of all utterances, one after another, in one .npy file with an index beside it.

`stem.npy` is a float32 array [F, D] that NumPy maps into memory; `stem.index.jsonl` has its schema in the first line
and one utterance in each further line: `{"utterance": "fvmh0-sx206", "speaker": "fvmh0", "frames": 309}`.
"""

import io
import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError
from asr.storage.files import complete_file

SCHEMA = "asr-features-1"
FIX = "run asr features again"


def array_path(stem: Path | str) -> Path:
    return Path(f"{stem}.npy")


def index_path(stem: Path | str) -> Path:
    return Path(f"{stem}.index.jsonl")


class ArchiveWriter:
    """Writes an archive in one pass; its files appear only at `close`, or at the end of a `with` block."""

    def __init__(self, stem: Path | str, dim: int) -> None:
        self.dim = dim
        self.frames = 0
        self._open = ExitStack()
        self._index = self._open.enter_context(complete_file(index_path(stem)))
        self._array = self._open.enter_context(complete_file(array_path(stem), "wb"))
        self._array.write(_header(0, dim))
        self._index.write(json.dumps({"schema": SCHEMA, "dim": dim}) + "\n")

    def append(self, utterance: str, speaker: str, features: NDArray[np.float32]) -> None:
        """Adds one utterance's features [T, D]."""
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(f"{utterance}: features of shape {features.shape}, expected [T, {self.dim}]")
        self._array.write(np.ascontiguousarray(features, dtype="<f4").data)
        row = {"utterance": utterance, "speaker": speaker, "frames": len(features)}
        self._index.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.frames += len(features)

    def close(self) -> None:
        self._array.seek(0)
        self._array.write(_header(self.frames, self.dim))
        self._open.close()

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
    """A complete archive, memory-mapped: `archive[i]` is the features [T, D] of utterance i."""

    def __init__(self, stem: Path | str, dim: int | None = None) -> None:
        """Raises InputError when a file is missing, truncated, or does not match the other one, or when its features
        do not have `dim` columns."""
        self.stem = Path(stem)
        self.frames = _map(array_path(stem))
        self.utterances, self.speakers, self.starts = _index(index_path(stem))
        if self.starts[-1] != len(self.frames):
            message = f"has {len(self.frames)} frames, but its index has {self.starts[-1]}; {FIX}"
            raise InputError(message, array_path(stem))

        if dim not in (None, self.dim):
            raise InputError(f"has {self.dim} features a frame, but the recipe's have {dim}; {FIX}", array_path(stem))

    @property
    def dim(self) -> int:
        return int(self.frames.shape[1])

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.frames[self.starts[index] : self.starts[index + 1]]


def _map(path: Path) -> NDArray[np.float32]:
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"no such feature archive; {FIX}", path) from error
    except MemoryError:
        raise
    except Exception as error:  # NumPy lets out whatever its parsing of a damaged header runs into
        raise InputError(f"not a complete feature archive; {FIX}", path) from error
    if not isinstance(frames, np.ndarray) or frames.dtype != np.float32 or frames.ndim != 2:
        raise InputError(f"not a feature archive (float32 [F, D] expected); {FIX}", path)
    return cast(NDArray[np.float32], frames)


def _index(path: Path) -> tuple[list[str], list[str], NDArray[np.int64]]:
    """Utterances [N], their speakers [N] and where their frames begin [N + 1]."""
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        head, *rows = json.loads(f"[{','.join(lines)}]")  # twice as fast as one call per line
        if head["schema"] != SCHEMA:
            raise InputError(f"schema {head['schema']!r} is not {SCHEMA!r}; {FIX}", path)
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(np.array([row["frames"] for row in rows], dtype=np.int64), out=starts[1:])
        return [row["utterance"] for row in rows], [row["speaker"] for row in rows], starts
    except FileNotFoundError as error:
        raise InputError(f"no such archive index; {FIX}", path) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a complete archive index; {FIX}", path) from error
