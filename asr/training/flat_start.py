"""The flat start: first labels for a corpus that has the phones of each utterance but no times.

The phones are spread evenly over the utterance's speech (Kaldi's align-equal spreads them over the whole utterance);
realignment then finds where they are.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from asr.alignment.states import AlignmentRow, StateAlignment
from asr.config import FeaturesConfig, RecipeConfig, TargetsConfig
from asr.corpora.cuts import phone_sequence
from asr.features.dataset import Split
from asr.features.normalize import loudness
from asr.phones.folding import fold


def flat_alignments(config: RecipeConfig, split: Split) -> Iterator[AlignmentRow]:
    """The flat alignment of each utterance of a split, as `write_alignments` writes them."""
    for utterance in split:
        cut, speech = utterance.cut, speech_span(utterance.static, config.features)
        yield cut.id, flat_alignment(phone_sequence(cut), speech, cut.duration, config.targets), None


def speech_span(static: npt.NDArray[np.float32], features: FeaturesConfig) -> tuple[float, float]:
    """Start and end (s) of the speech in static features [T, static_dim]: from the first to the last loud frame.

    A frame is loud above the midpoint of the 5th and 95th percentiles of the mean log-mel energy, of the first
    cepstrum, or of the log energy of samples. On the TIMIT sample that puts half of the edges within 20 ms of the hand
    labels.
    """
    if features.type == "waveform":
        level = loudness(torch.from_numpy(np.array(static)), features).numpy()
    else:
        level = static.mean(axis=1) if features.type == "fbank" else static[:, 0]
    loud = np.flatnonzero(level >= np.percentile(level, (5, 95)).mean())
    shift = features.frame_shift / 1000
    return features.frame_offset + shift * int(loud[0]), features.frame_offset + shift * int(loud[-1] + 1)


def flat_alignment(
    symbols: Sequence[str], speech: tuple[float, float], duration: float, targets: TargetsConfig
) -> StateAlignment:
    """The phones spread evenly over the speech, with silences around it, whether they are among the phones or not."""
    pauses = targets.phone_set.silences
    phones = fold(symbols, targets.phone_set)
    if not phones:
        return StateAlignment()
    first = phones[:1] if phones[0] in pauses else []
    last = phones[-1:] if len(phones) > 1 and phones[-1] in pauses else []
    spoken = phones[len(first) : len(phones) - len(last)]
    edges = np.linspace(*speech, len(spoken) + 1).tolist()
    phones = [*(first or pauses[:1]), *spoken, *(last or pauses[:1])]
    return StateAlignment.split_evenly(phones, [0.0, *edges, duration], targets.states)
