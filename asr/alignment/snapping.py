"""Boundaries of phones moved to where the sound changes most.

A model that learns from its own alignments decides by itself whose frames the passage between two phones is, and keeps
to that: from a flat start, nasals reach into the vowels after them. Near a boundary, the place where the features
change most is closer to where phoneticians put it, and needs no labels of theirs.
"""

import numpy as np
import numpy.typing as npt

from asr.acoustics.frame_times import FrameTimes

SIDE = 2
"""Frames on each side of a place whose means are compared."""

Times = npt.NDArray[np.float64]


def spectral_change(features: npt.NDArray[np.float32]) -> Times:
    """[T + 1]: how much features [T, D] change before each frame and at the end: the distance between the means of
    `SIDE` frames on both sides, of fewer at the ends; 0 where one side has none."""
    count = len(features)
    sums = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0, dtype=np.float64)])
    places = np.arange(1, count)
    before, after = np.maximum(places - SIDE, 0), np.minimum(places + SIDE, count)
    left = (sums[places] - sums[before]) / (places - before)[:, None]
    right = (sums[after] - sums[places]) / (after - places)[:, None]
    change = np.zeros(count + 1)
    change[1:-1] = np.linalg.norm(right - left, axis=1)
    return change


def snap(edges: Times, change: Times, frames: FrameTimes, within: float) -> Times:
    """The edges of phones [N + 1] (s), of which all but the first and last move to the largest `change` (see
    `spectral_change`) within `within` seconds.

    A change counts less the farther away it is, by 1 - (distance / within)^2. A boundary goes at most half way to its
    neighbours, so that each phone keeps at least a frame if it had two; between frames, the change is taken to be a
    parabola.
    """
    if len(change) < 3:
        return edges
    inner = edges[1:-1]
    reach = int(np.ceil(within / frames.shift))
    nearest = np.rint((inner - frames.offset) / frames.shift).astype(np.int64)
    places = nearest[:, None] + np.arange(-reach, reach + 1)
    inside = (places > 0) & (places < len(change) - 1)
    places = np.clip(places, 1, len(change) - 2)
    distance = frames.offset + frames.shift * places - inner[:, None]
    room = np.maximum(np.diff(edges) - frames.shift, 0.0) / 2
    low, high = np.maximum(-within, -room[:-1]), np.minimum(within, room[1:])
    inside &= (low[:, None] <= distance) & (distance <= high[:, None])
    weighted = np.where(inside, change[places] * (1 - (distance / within) ** 2), -1.0)
    rows, best = np.arange(len(inner)), weighted.argmax(axis=1)
    moved = distance[rows, best] + frames.shift * _peak(change, places[rows, best])
    moved = np.where(weighted[rows, best] > 0, np.clip(moved, low, high), 0.0)
    return np.concatenate([edges[:1], inner + moved, edges[-1:]])


def _peak(values: Times, places: npt.NDArray[np.int64]) -> Times:
    """Where the parabola through the values at each place and its neighbours is highest, from that place: within half a
    step; 0 where the place is not higher than both."""
    before, here, after = values[places - 1], values[places], values[places + 1]
    curve = before - 2 * here + after
    highest = (here >= before) & (here >= after) & (curve < 0)
    return np.where(highest, (before - after) / np.where(highest, 2 * curve, 1.0), 0.0)
