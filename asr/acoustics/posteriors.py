"""What goes into an acoustic model and comes out of it, as arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LogPosteriors = npt.NDArray[np.float32]
"""[T, C]; for several models that are searched as one, [M, T, C]."""


class Scored(NamedTuple):
    """What a model makes of a recording: log posteriors (natural) and, of a model with a second output for the times of
    phones, those of its classes in each frame of features, [T, F]."""

    log_posteriors: LogPosteriors
    timing: LogPosteriors | None = None
