"""The posteriors of a recording with the names of their classes and the times of their frames."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Posteriors:
    """Log posteriors of each class in each frame; `numpy.asarray` of it is `log_probabilities`.

    A model of HMM states has a class for each state of a phone (`aa_0`, `aa_1`, ...), a CTC model one for each phone
    and one for the blank.
    """

    log_probabilities: npt.NDArray[np.float32]
    """[T, C], natural logarithms. A row's probabilities sum to 1."""
    classes: list[str]
    """[C] names."""
    times: npt.NDArray[np.float64]
    """[T]: the middle of each frame in seconds."""
    shift: float
    """Seconds from one frame to the next."""

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """[T, C]"""
        return np.exp(self.log_probabilities)

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.log_probabilities)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.log_probabilities, dtype, copy=copy)
