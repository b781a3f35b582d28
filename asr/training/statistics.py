"""Class statistics of the training labels: priors and self-loop probabilities."""

import numpy as np
import torch
from torch import Tensor

from asr.acoustics.tables import ClassStatistics
from asr.phones.classes import UNLABELLED
from asr.training.data.speech import Speech
from asr.training.data.targets import output_labels


def class_statistics(speech: Speech, classes: int, subsampling: int = 1) -> ClassStatistics:
    """Counts the labels of a model's output frames, each of which covers `subsampling` frames of the speech.

    The self-loop probability is 1 - visits / frames, the maximum likelihood estimate of a geometric duration; a visit
    ends where its utterance does. A class never seen counts as one frame. For CTC the statistics are constants:
    posteriors are not divided by priors, and the graph has no transition probabilities.
    """
    if speech.phones is not None:
        return ClassStatistics(priors=np.full(classes, 1 / classes), self_loops=np.full(classes, 0.5))
    return _counted(speech.labels, speech, classes, subsampling)


def timing_statistics(speech: Speech, classes: int) -> ClassStatistics | None:
    """Those of the second output, if there is one, as `class_statistics` counts them for an HMM."""
    return None if speech.timing is None else _counted(speech.timing, speech, classes, 1)


def _counted(labels: Tensor, speech: Speech, classes: int, subsampling: int) -> ClassStatistics:
    """Counts the labels [R] of the rows of the speech."""
    labels, between = labels.cpu(), torch.tensor([UNLABELLED])
    parts = [between]
    for start, length in zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True):
        parts += [output_labels(labels[start : start + length], subsampling), between]
    counted = torch.cat(parts)
    frames = torch.bincount(counted[counted != UNLABELLED], minlength=classes).clamp(min=1).double()
    goes_on = (counted[1:] == counted[:-1]) & (counted[1:] != UNLABELLED)
    loops = torch.bincount(counted[1:][goes_on], minlength=classes).double()
    return ClassStatistics(
        priors=(frames / frames.sum()).numpy(),
        self_loops=np.clip((loops / frames).numpy(), 0.01, 0.99),
    )
