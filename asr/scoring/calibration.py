"""Calibration of confidences: of the phones with confidence 0.8, are four of five right?"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts
from asr.phones.folding import fold, fold_segments
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import edit_alignment
from asr.scoring.silence import transcribed
from asr.storage.files import write_json
from asr.storage.run_layout import CALIBRATION

BINS = 10
CERTAINTY = 1e-4
"""Confidences are clipped this far from 0 and 1, so that one certain error does not outweigh all others."""


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
    """The confidence of each recognised phone of (reference, hypothesis) pairs, and whether it is right.

    A phone is right if the edit alignment pairs it with the same phone, both folded to `phone_set`; runs of silence are
    not merged. Where no reference has a silence, silences are not judged. Phones without a score are left out.
    """
    aligned = [
        (fold(reference.symbols, phone_set), fold_segments(hypothesis.phones, phone_set))
        for reference, hypothesis in pairs
    ]
    silence = silences(phone_set)
    if not transcribed((reference for reference, _ in aligned), silence):
        aligned = [
            (spoken, [phone for phone in recognised if phone.phone not in silence]) for spoken, recognised in aligned
        ]
    confidences, correct = [], []
    for spoken, recognised in aligned:
        steps = edit_alignment(spoken, [phone.phone for phone in recognised])
        matches = [first == second for first, second in steps if second is not None]
        for phone, match in zip(recognised, matches, strict=True):
            if phone.score is not None:
                confidences.append(phone.score)
                correct.append(match)
    return np.array(confidences, np.float64), np.array(correct, np.bool_)


def judge_files(
    references: Path | str, hypotheses: Path | str, phone_set: AnyPhoneSet
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """`judge` for hypotheses.jsonl and references.jsonl. Raises InputError for an utterance without a reference."""
    spoken = {transcript.utterance: transcript for transcript in read_transcripts(references)}
    pairs = []
    for recognised in read_transcripts(hypotheses):
        if recognised.utterance not in spoken:
            raise InputError(f"utterance {recognised.utterance} has no reference in {references}", hypotheses)
        pairs.append((spoken[recognised.utterance], recognised))
    return judge(pairs, phone_set)


def calibrate(confidences: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> Calibration:
    """Compares confidences [N] in [0, 1] with what was right [N]. Raises InputError where N is 0."""
    if not len(confidences):
        raise InputError("no recognised phone has a score; there are no confidences to judge")
    places = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
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
    """How much the confidences reduce the entropy of which phones are right, as a share of it; see Calibration."""
    accuracy = correct.mean() if len(correct) else 0.0
    if accuracy in (0.0, 1.0):
        return None
    sure = np.clip(confidences, CERTAINTY, 1 - CERTAINTY)
    entropy = -accuracy * np.log(accuracy) - (1 - accuracy) * np.log(1 - accuracy)
    return float(1 + np.where(correct, np.log(sure), np.log(1 - sure)).mean() / entropy)


def calibrate_files(
    references: Path | str, hypotheses: Path | str, out_dir: Path | str, phone_set: AnyPhoneSet
) -> None:
    """Writes `out_dir`/calibration.json for hypotheses.jsonl and references.jsonl.

    Writes nothing where no recognised phone has a score.
    """
    confidences, correct = judge_files(references, hypotheses, phone_set)
    if len(confidences):
        write_json(Path(out_dir) / CALIBRATION, calibrate(confidences, correct).to_json())
