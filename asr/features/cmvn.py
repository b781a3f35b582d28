"""Cepstral mean and variance normalisation: statistics gathered in one pass, kept per speaker, and merged."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import InputError
from asr.storage.files import complete_file

SCHEMA = "asr-cmvn-1"
VARIANCE_FLOOR = 1e-10  # a constant column becomes 0, not noise
FIX = "run asr features again"


@dataclass(eq=False)
class Statistics:
    """Count, sum [D] and sum of squares [D] of frames, in double precision."""

    count: float
    sum: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> "Statistics":
        """The statistics of one utterance's features [T, D]."""
        values = np.asarray(features, dtype=np.float64)
        return cls(float(len(values)), values.sum(axis=0), np.einsum("td,td->d", values, values))

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(self.count + other.count, self.sum + other.sum, self.squares + other.squares)

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.sum / max(self.count, 1.0)

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation [D], floored."""
        variance = self.squares / max(self.count, 1.0) - self.mean**2
        return np.asarray(np.sqrt(np.maximum(variance, VARIANCE_FLOOR)))

    def normalize(self, features: NDArray[np.float32], variance: bool = True) -> NDArray[np.float32]:
        """Features [T, D] minus the mean and, with `variance`, divided by the deviation."""
        centred = features - self.mean
        return np.asarray(centred / self.deviation if variance else centred, dtype=np.float32)


@dataclass(eq=False)
class Cmvn:
    """The statistics of a set of utterances, per speaker."""

    speakers: dict[str, Statistics] = field(default_factory=dict)

    def add(self, speaker: str, features: NDArray[np.float32]) -> None:
        """Adds one utterance's features [T, D]."""
        new = Statistics.of(features)
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

    def merged(self, other: "Cmvn") -> "Cmvn":
        """The statistics of both sets of utterances."""
        speakers = dict(self.speakers)
        for name, statistics in other.speakers.items():
            speakers[name] = speakers[name] + statistics if name in speakers else statistics
        return Cmvn(speakers)


def cmvn_path(stem: Path | str) -> Path:
    """The file of the statistics of the archive `stem`."""
    return Path(f"{stem}.cmvn.safetensors")


def save_cmvn(path: Path | str, cmvn: Cmvn) -> None:
    """Writes the statistics as safetensors: `count` [K], `sum` and `squares` [K, D], the K speakers in the header."""
    from safetensors.numpy import save

    rows = list(cmvn.speakers.values())
    tensors = {
        "count": np.array([row.count for row in rows]),
        "sum": np.stack([row.sum for row in rows]),
        "squares": np.stack([row.squares for row in rows]),
    }
    # A single key: safetensors writes several in random order.
    header = {"cmvn": json.dumps({"schema": SCHEMA, "speakers": list(cmvn.speakers)}, ensure_ascii=False)}
    with complete_file(path, "wb") as file:
        file.write(save(tensors, metadata=header))


def load_cmvn(path: Path | str) -> Cmvn:
    """Reads what `save_cmvn` wrote. Raises InputError when the file is missing or is not such a file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            head = json.loads(file.metadata()["cmvn"])
            count, total, squares = (file.get_tensor(name) for name in ("count", "sum", "squares"))
        names = head["speakers"]
        if head["schema"] != SCHEMA or not len(names) == len(count) == len(total) == len(squares):
            raise ValueError("sizes do not agree")
    except FileNotFoundError as error:
        raise InputError(f"no such CMVN statistics; {FIX}", path) from error
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"not a complete file of CMVN statistics; {FIX}", path) from error
    return Cmvn({name: Statistics(float(count[k]), total[k], squares[k]) for k, name in enumerate(names)})
