"""What goes into an acoustic model and comes out of it, as arrays."""

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]
"""Samples [S] in [-1, 1] at the model's rate."""

LogPosteriors = npt.NDArray[np.float32]
"""[T, C]; for several models that are searched as one, [M, T, C]."""
