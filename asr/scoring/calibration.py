"""Calibration of confidences: of the phones with confidence 0.8, are four of five right?"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.formats.transcript import Recognised, Transcript, read_recognised, recognised
from asr.phones.folding import fold, fold_each
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.counterparts import Counterparts
from asr.scoring.edit_alignment import edit_alignment
from asr.scoring.pronunciations import Reference, fitting_phones
from asr.scoring.silence import transcribed
from asr.storage.files import remove
from asr.storage.json_files import write_json
from asr.storage.run_layout import CALIBRATION

BINS = 10
CERTAINTY = 1e-4
"""Confidences are clipped this far from 0 and 1, so that one certain error does not outweigh all others."""

_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Bin:
    """Phones with confidence in [`low`, `high`), the last bin in [`low`, 1]: their number, mean confidence and the
    share that is right."""

    low: float
    high: float
    phones: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well confidences predict which recognised phones are right.

    `expected_calibration_error` is the mean over phones of their bin's |confidence - accuracy| (Naeini et al. 2015,
    equation 3). `normalized_cross_entropy` is 1 where every confidence is certain and right, 0 where they say no more
    than the overall accuracy does, below 0 where they mislead (Siu et al. 1997); None where all or no phones are
    right. Bins without phones are left out.
    """

    phones: int
    accuracy: float
    confidence: float
    expected_calibration_error: float
    normalized_cross_entropy: float | None
    bins: list[Bin]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    pairs: Iterable[tuple[Transcript, Transcript]], phone_set: AnyPhoneSet = "timit39"
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The confidence of each of the N recognised phones of (reference, hypothesis) pairs, and whether it is right, [N]
    each.

    A phone is right if the edit alignment pairs it with the same phone, both folded to `phone_set`; runs of silence are
    not merged. Where no reference has a silence, silences are not judged. Phones without a score are left out.
    """
    judged = [(recognised(reference), recognised(hypothesis)) for reference, hypothesis in pairs]
    silence = transcribed((fold(spoken.symbols, phone_set) for spoken, _ in judged), silences(phone_set))
    return _judged(judged, silence, phone_set)


def right_phones(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]], phone_set: AnyPhoneSet = "timit39"
) -> list[list[bool | None]]:
    """For each phone of each hypothesis, of (reference, hypothesis) symbols, whether it is right, as in `judge`; None
    for one that is not judged."""
    both = list(pairs)
    silence = transcribed((fold(spoken, phone_set) for spoken, _ in both), silences(phone_set))
    return [_right(*each, silence, phone_set) for each in both]


def _right(spoken: Reference, heard: Sequence[str], silence: bool, phone_set: AnyPhoneSet) -> list[bool | None]:
    pronounced = any(not isinstance(each, str) for each in spoken)
    unjudged = frozenset() if silence and not pronounced else silences(phone_set)
    folded = [None if symbol in unjudged else symbol for symbol in fold_each(heard, phone_set)]
    phones = [symbol for symbol in folded if symbol is not None]
    steps = edit_alignment(fitting_phones(spoken, phones, phone_set), phones)
    matches = (first == second for first, second in steps if second is not None)
    return [None if symbol is None else next(matches) for symbol in folded]


def _judged(
    pairs: Iterable[tuple[Recognised, Recognised]], silence: bool, phone_set: AnyPhoneSet
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """`judge`, where `silence` is whether any reference has a silence."""
    confidences, correct = array("d"), bytearray()
    for reference, hypothesis in pairs:
        right = _right(reference.reference, hypothesis.symbols, silence, phone_set)
        for score, match in zip(hypothesis.scores, right, strict=True):
            if score is not None and match is not None:
                confidences.append(score)
                correct.append(match)
    return np.frombuffer(confidences, np.float64), np.frombuffer(correct, np.bool_)


def judge_files(
    references: Path | str, hypotheses: Path | str, phone_set: AnyPhoneSet
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """`judge` for hypotheses.jsonl and references.jsonl. Raises InputError for an utterance without a reference."""
    silence = transcribed((fold(each.symbols, phone_set) for each in read_recognised(references)), silences(phone_set))
    spoken = Counterparts(read_recognised(references), "references")

    def pairs() -> Iterator[tuple[Recognised, Recognised]]:
        for heard in read_recognised(hypotheses):
            if (reference := spoken.find(heard.utterance)) is None:
                raise InputError(f"utterance {heard.utterance} has no reference in {references}", hypotheses)
            yield reference, heard

    return _judged(pairs(), silence, phone_set)


def calibrate(confidences: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> Calibration:
    """Compares confidences [N] in [0, 1] with what was right [N]. Raises InputError where N is 0."""
    if not len(confidences):
        raise InputError("no recognised phone has a score; there are no confidences to judge")
    places = np.minimum(confidences * BINS, BINS - 1).astype(np.int16)
    bins = []
    for place in np.unique(places).tolist():
        inside = places == place
        means = float(confidences[inside].mean()), float(correct[inside].mean())
        bins.append(Bin(place / BINS, (place + 1) / BINS, int(inside.sum()), *means))
    return Calibration(
        phones=len(confidences),
        accuracy=float(correct.mean()),
        confidence=float(confidences.mean()),
        expected_calibration_error=sum(each.phones * abs(each.confidence - each.accuracy) for each in bins)
        / len(confidences),
        normalized_cross_entropy=normalized_cross_entropy(confidences, correct),
        bins=bins,
    )


def normalized_cross_entropy(confidences: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> float | None:
    """How much the confidences [N] reduce the entropy of which phones are right [N], as a share of it; see
    Calibration."""
    accuracy = correct.mean() if len(correct) else 0.0
    if accuracy in (0.0, 1.0):
        return None
    entropy = -accuracy * np.log(accuracy) - (1 - accuracy) * np.log(1 - accuracy)
    logs = np.clip(confidences, CERTAINTY, 1 - CERTAINTY)
    for start in range(0, len(logs), _AT_ONCE):
        sure, right = logs[start : start + _AT_ONCE], correct[start : start + _AT_ONCE]
        sure[:] = np.where(right, np.log(sure), np.log(1 - sure))
    return float(1 + logs.mean() / entropy)


def calibrate_files(
    references: Path | str, hypotheses: Path | str, out_dir: Path | str, phone_set: AnyPhoneSet
) -> None:
    """Writes `out_dir`/calibration.json for hypotheses.jsonl and references.jsonl.

    Where no recognised phone has a score there is none, not even an earlier one.
    """
    path = Path(out_dir) / CALIBRATION
    confidences, correct = judge_files(references, hypotheses, phone_set)
    if len(confidences):
        write_json(path, calibrate(confidences, correct).to_json())
    else:
        remove(path)
