"""What audio is once it is read."""

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]
"""Samples [S] of one channel, in [-1, 1]."""
