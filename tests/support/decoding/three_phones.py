"""A language of three phones, and posteriors that show them."""

import numpy as np

PHONES = ("aa", "b", "sil")
STATES = 3
UNIFORM = np.full(len(PHONES) * STATES, 1 / 9)


def posteriors(phones, frames=6, peak=0.9):
    """log posteriors [T, C] of phones with `frames` frames each, split evenly among the states."""
    labels = [PHONES.index(phone) * STATES + frame * STATES // frames for phone in phones for frame in range(frames)]
    result = np.full((len(labels), len(UNIFORM)), (1 - peak) / (len(UNIFORM) - 1), np.float32)
    result[np.arange(len(labels)), labels] = peak
    return np.log(result)


def noisy_dev(seed=0):
    random = np.random.default_rng(seed)
    sentences = [["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]] * 3
    return [(s, posteriors(s) + random.normal(0, 1.5, (24, 9)).astype(np.float32)) for s in sentences]
