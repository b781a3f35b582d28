"""Cepstral mean and variance normalisation: statistics gathered in one pass, kept per speaker, and merged."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError
from asr.storage.checksums import arrays_crc32
from asr.storage.files import complete_file

SCHEMA = "asr-cmvn-2"
UNCHECKED_SCHEMA = "asr-cmvn-1"
"""As in bundles of version 0.1: without a checksum."""
VARIANCE_FLOOR = 1e-10  # a constant column becomes 0, not noise
FIX = "run asr features again"


@dataclass(eq=False)
class Statistics:
    """Count, sum [D] and sum of squares [D] of frames, in double precision."""

    count: float
    sum: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float32], weights: NDArray[np.float64] | None = None) -> "Statistics":
        """The statistics of one utterance's features [T, D], whose frames count as often as `weights` [T] say (None:
        once)."""
        values = np.asarray(features, dtype=np.float64)
        if weights is None:
            return cls(float(len(values)), values.sum(axis=0), np.einsum("td,td->d", values, values))
        return cls(float(weights.sum()), weights @ values, weights @ values**2)

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(self.count + other.count, self.sum + other.sum, self.squares + other.squares)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean [D]; 0 where there are no frames."""
        return self.sum / max(self.count, 1.0)

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation [D], floored."""
        variance = self.squares / max(self.count, 1.0) - self.mean**2
        return np.asarray(np.sqrt(np.maximum(variance, VARIANCE_FLOOR)))


@dataclass(eq=False)
class Cmvn:
    """The statistics of a set of utterances, per speaker."""

    speakers: dict[str, Statistics] = field(default_factory=dict)
    prior: Statistics | None = None
    """What is expected of a speaker who has not said anything yet."""

    def add(self, speaker: str, new: Statistics) -> None:
        """Adds the statistics of one utterance."""
        known = self.speakers.get(speaker)
        self.speakers[speaker] = new if known is None else known + new

    def total(self) -> Statistics:
        """The global statistics, of all speakers together. Raises ValueError when there are none."""
        if not self.speakers:
            raise ValueError("no CMVN statistics were gathered")
        first, *rest = self.speakers.values()
        return sum(rest, first)

    def overall(self) -> "Cmvn":
        """The same frames as a single unnamed speaker's: all that global normalisation needs."""
        return Cmvn({"": self.total()})

    def typical(self) -> Statistics:
        """The mean of all speakers' frames, and their deviation from the means of their speakers."""
        total = self.total()
        spread = sum(each.count * each.deviation**2 for each in self.speakers.values()) / total.count
        return Statistics(total.count, total.sum, total.count * (spread + total.mean**2))


def cmvn_path(stem: Path | str) -> Path:
    """The file of the statistics of the archive `stem`."""
    return Path(f"{stem}.cmvn.safetensors")


def save_cmvn(path: Path | str, cmvn: Cmvn) -> None:
    """Writes the statistics as safetensors: `count` [K], `sum` and `squares` [K, D]. The header has the K speakers, and
    a checksum of all."""
    from safetensors.numpy import save

    rows = list(cmvn.speakers.values())
    tensors = {
        "count": np.array([row.count for row in rows]),
        "sum": np.stack([row.sum for row in rows]),
        "squares": np.stack([row.squares for row in rows]),
    }
    speakers = list(cmvn.speakers)
    head = {"schema": SCHEMA, "speakers": speakers, "crc32": arrays_crc32(speakers, tensors)}
    with complete_file(path, "wb") as file:
        # A single key: safetensors writes several in random order.
        file.write(save(tensors, metadata={"cmvn": json.dumps(head, ensure_ascii=False)}))


def load_cmvn(path: Path | str) -> Cmvn:
    """Reads what `save_cmvn` wrote. Raises InputError when the file is missing, is not such a file, or has changed."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            head = json.loads(file.metadata()["cmvn"])
            tensors = {name: file.get_tensor(name) for name in ("count", "sum", "squares")}
        names = head["speakers"]
        _check(head, names, tensors)
    except FileNotFoundError as error:
        raise InputError(f"no such CMVN statistics; {FIX}", path) from error
    except (SafetensorError, LookupError, TypeError, ValueError, OSError, RecursionError) as error:
        raise InputError(f"not a complete file of CMVN statistics, or changed since; {FIX}", path) from error
    count, total, squares = tensors.values()
    return Cmvn({name: Statistics(float(count[k]), total[k], squares[k]) for k, name in enumerate(names)})


def _check(head: dict[str, Any], names: list[str], tensors: dict[str, NDArray[Any]]) -> None:
    """Raises ValueError for statistics that are not as they were written."""
    count, total, squares = tensors.values()
    if any(values.dtype != np.float64 or not np.isfinite(values).all() for values in tensors.values()):
        raise ValueError("not finite numbers")
    if total.ndim != 2 or total.shape != squares.shape or not count.shape == (len(names),) == total.shape[:1]:
        raise ValueError("sizes do not agree")
    if not names or len(set(names)) < len(names):
        raise ValueError("speakers are missing or repeated")
    unchecked = head["schema"] == UNCHECKED_SCHEMA and "crc32" not in head
    if not unchecked and (head["schema"] != SCHEMA or head["crc32"] != arrays_crc32(names, tensors)):
        raise ValueError("changed")
