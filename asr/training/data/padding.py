"""The lengths to which utterances are padded: few, so that a CUDA graph can be kept for each shape of minibatch."""

import numpy as np
import numpy.typing as npt

SHAPES = 12
MOST_CANDIDATES = 512


def padded_lengths(lengths: npt.NDArray[np.int64], number: int = SHAPES) -> list[int]:
    """The `number` lengths, or fewer, that take the fewest frames when each utterance is padded to the next of them.

    `lengths` [U] are the utterances', in frames. Ascending; the last is the longest utterance's. Of many different
    lengths only some quantiles are candidates.
    """
    candidates = np.unique(lengths)
    if len(candidates) > MOST_CANDIDATES:
        candidates = np.unique(np.quantile(lengths, np.linspace(0, 1, MOST_CANDIDATES), method="higher"))
    covered = np.searchsorted(np.sort(lengths), candidates, side="right")
    before = np.concatenate([[0], covered])
    # frames[i, j]: of the utterances longer than candidate i - 1 and not longer than candidate j, padded to candidate j
    frames = np.where(before[:-1, None] < covered, (covered - before[:-1, None]) * candidates, np.inf)
    fewest, choices = frames[0], []
    for _ in range(min(number, len(candidates)) - 1):
        # with one length more: those up to candidate i - 1 are padded by the earlier choices, the others to candidate j
        sums = np.concatenate([[0.0], fewest[:-1]])[:, None] + frames
        choices.append(sums.argmin(axis=0))
        fewest = sums.min(axis=0)
    last = len(candidates) - 1
    chosen = [last]
    for choice in reversed(choices):
        last = int(choice[last]) - 1
        if last < 0:
            break
        chosen.append(last)
    return [int(candidates[index]) for index in reversed(chosen)]
