"""How well a transcript fits."""

import numpy as np
import numpy.typing as npt
import pytest

from asr.alignment.fit import UNFIT, FitMeasure, fit_of
from asr.alignment.forced_alignment import Classes, force_align
from asr.phones.phone_set import load_phone_set

PHONES = load_phone_set("timit39")
SPOKEN = [number for number, phone in enumerate(PHONES) if phone not in PHONES.unspoken]
LENGTH = 6


def _said(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).choice(SPOKEN, count).tolist()


def _log_posteriors(phones: list[int], sharpness: float, seed: int, topology: str = "hmm") -> npt.NDArray[np.float32]:
    """Posteriors [T, C] of a calibrated model, however sharp: in each frame, what was said is drawn from them."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.standard_normal((LENGTH * len(phones), len(PHONES)))
    posteriors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for frame, phone in enumerate(np.repeat(phones, LENGTH).tolist()):
        drawn = rng.choice(len(PHONES), p=posteriors[frame])
        posteriors[frame, [phone, drawn]] = posteriors[frame, [drawn, phone]]
    if topology == "ctc":
        blank = np.full(len(posteriors), 0.98)
        blank[LENGTH // 2 :: LENGTH] = 0.02
        posteriors = np.concatenate([blank[:, None], posteriors * (1 - blank)[:, None]], axis=1)
    return np.log(posteriors).astype(np.float32)


def _fit(log_posteriors: npt.NDArray[np.float32], phones: list[int], topology: str = "hmm") -> float:
    classes = log_posteriors.shape[1]
    model = Classes(topology, 1, np.full(classes, 1 / classes), np.full(classes, 0.8))  # type: ignore[arg-type]
    measure = FitMeasure("timit39", topology, 1, "timit39")  # type: ignore[arg-type]
    fit = fit_of(measure.evidence(log_posteriors, force_align(log_posteriors, phones, model)))
    return -1.0 if fit is None else fit


@pytest.mark.parametrize("topology", ["hmm", "ctc"])
@pytest.mark.parametrize("sharpness", [3.0, 5.0])
def test_wrong_transcripts_fit_less_than_right_ones_whatever_the_sharpness(topology: str, sharpness: float) -> None:
    phones = _said(60, 1)
    scores = _log_posteriors(phones, sharpness, 2, topology)
    right, wrong = _fit(scores, phones, topology), _fit(scores, _said(60, 3), topology)
    assert right > 0.6
    assert wrong < UNFIT


@pytest.mark.parametrize("topology", ["hmm", "ctc"])
def test_a_part_of_what_was_said_does_not_fit(topology: str) -> None:
    """Under CTC, blanks in place of the rest are likely in a model that is not sure where its phones are."""
    phones = _said(60, 1)
    scores = _log_posteriors(phones, 6.0, 2, topology)
    if topology == "ctc":
        scores = np.logaddexp(scores, np.log(np.eye(40)[0] + 1e-9) - 0.7).astype(np.float32)
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    for part in (phones[:20], phones[45:], [*phones, *_said(90, 5)]):
        assert _fit(scores, part, topology) < UNFIT
    assert _fit(scores, phones, topology) > 0.6


def test_silence_on_both_sides_does_not_count() -> None:
    phones, silence = _said(40, 1), PHONES.numbers["sil"]
    scores = _log_posteriors(phones, 4.0, 2)
    quiet = np.full((2000, len(PHONES)), np.log(1e-4), np.float32)
    quiet[:, silence] = np.log(0.99)
    padded = np.concatenate([quiet, scores, quiet])
    assert _fit(padded, [silence, *phones, silence]) == pytest.approx(_fit(scores, phones), abs=0.02)
    assert _fit(quiet, [silence]) == -1


def test_phones_that_scoring_folds_together_are_one() -> None:
    """TIMIT's ax and ah are one phone in 39."""
    known = load_phone_set("timit61").numbers
    scores = np.full((20, 61), np.log(0.001), np.float32)
    scores[:, [known["ax"], known["ah"]]] = np.log(0.47)
    model = Classes("hmm", 1, np.full(61, 1 / 61), np.full(61, 0.8))
    aligned = force_align(scores, [known["ax"]], model)
    measure = FitMeasure("timit61", "hmm", 1, "timit39")
    assert fit_of(measure.evidence(scores, aligned)) == pytest.approx(1, abs=0.05)
    other = force_align(scores, [known["iy"]], model)
    assert (fit_of(measure.evidence(scores, other)) or 1) < 0.01
