"""How sure the boundaries of references and hypotheses are: both sides aligned by the run's own model."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scored_split import scored_split
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.spoken import Spoken, exact_phones, with_pauses
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.formats.transcript import Transcript
from asr.storage.run_layout import BUNDLE, DECODE, FEATURES, PREPARE, TEST

log = logging.getLogger(__name__)

Times = npt.NDArray[np.float64]
"""[N, 2, 3]: where each of N phones begins and ends: the most probable, earliest and latest plausible time (s)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The times of an utterance's phones; a side is None where it has labels of its own or cannot be aligned."""

    reference: Times | None
    hypothesis: Times | None


def placed(
    run_dir: Path, fold: str, references: Mapping[str, Sequence[str]], hypotheses: Mapping[str, Sequence[str]]
) -> dict[str, Placed]:
    """Aligns the phones of both sides of the test utterances of a fold, by their names, with the fold's model.

    Pauses may lie between any two phones. Raises InputError where the model or the features are missing.
    """
    model = AligningModel(run_dir / fold / DECODE / BUNDLE)
    aligner, dataset = Aligner([model]), Dataset(run_dir / PREPARE / fold, run_dir / fold / FEATURES)
    found, unplaced = {}, 0
    for cut, posteriors in scored_split(model.scorer, dataset, TEST):
        said = Transcript(cut.id, duration=cut.duration)
        symbols = [side.get(cut.id, ()) for side in (references, hypotheses)]
        both = [_aligned(aligner, posteriors, said, side) if side else None for side in symbols]
        found[cut.id] = Placed(*both)
        unplaced += any(side and times is None for side, times in zip(symbols, both, strict=True))
    if unplaced:
        log.warning(
            "Shown without intervals, as they do not fit their audio: %d of %d utterances", unplaced, len(found)
        )
    return found


def _aligned(aligner: Aligner, posteriors: LogPosteriors, said: Transcript, symbols: Sequence[str]) -> Times | None:
    try:
        items = exact_phones(symbols, aligner.phone_set).items
        if len(items) != len(symbols):  # a phone that folding drops has no place in the audio
            return None
        spoken = with_pauses([item for item in items if isinstance(item, int)], aligner.phone_set)
        found = aligner.align_scored(said, Spoken(spoken, [None] * len(spoken)), [posteriors])
    except InputError as error:
        log.debug("%s: no intervals: %s", said.utterance, error)
        return None
    first, last = found.phones[0].start or 0.0, found.phones[-1].end or 0.0
    ends = [(phone.end or 0.0, *interval) for phone, interval in zip(found.phones, found.intervals, strict=False)]
    edges = np.array([(first,) * 3, *ends, (last,) * 3])
    chosen = _without_pauses(found.symbols, [aligner.phone_set[item] for item in items if isinstance(item, int)])
    return np.stack([edges[chosen], edges[np.add(chosen, 1)]], axis=1)


def _without_pauses(found: Sequence[str], expected: Sequence[str]) -> list[int]:
    """The places of the expected phones among those found; pauses next to a silence are never put in."""
    places, remaining = [], iter(expected)
    wanted = next(remaining, None)
    for place, symbol in enumerate(found):
        if symbol == wanted:
            places.append(place)
            wanted = next(remaining, None)
    return places
