"""TIMIT's phone labels from a synthesiser's phones: explicit tables, and stops split into closure and release."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from speech import Unit, Waveform

SAMPLE_RATE = 16000
STEP = 16  # samples: levels are measured every ms
WINDOW = 80  # samples: 5 ms
LONGEST_CLOSURE = 0.080  # s; silence before it stays a pause or the end of the phone before
SHORTEST_PART = 0.005  # s
FLAP_LIMIT = 0.045  # s; a shorter /t/ or /d/ between vowels is a flap
EPENTHETIC_LIMIT = 240  # samples (15 ms); a shorter silence before a fricative stays with the phone before
SILENCE_LEVEL = -45.0  # dB below the utterance's loudest 5 ms
RISE_STEPS = 5
LONGEST_TRANSITION = 0.060  # s
LATERAL_SHARE = 0.4  # at least, of a vowel and the /l/ after it
LEAST_RISE = 6.0  # dB that the level rises over 5 ms at a release

CLOSURES = {"p": "pcl", "t": "tcl", "k": "kcl", "b": "bcl", "d": "dcl", "g": "gcl", "ch": "tcl", "jh": "dcl"}
SONORANTS = {"m", "n", "ng", "l"}
FRICATIVES = {"s", "sh", "f", "th", "z", "zh", "v", "dh", "hh"}
VOWELS = {"iy", "ih", "eh", "ey", "ae", "aa", "aw", "ay", "ah", "ao", "oy", "ow", "uh", "uw", "er", "ax", "ix", "axr"}

# flite's phones are the CMU dictionary's, with ax; those that TIMIT names otherwise when they are not stressed:
FLITE_UNSTRESSED = {"ih": "ix", "er": "axr"}

# eSpeak NG's American English mnemonics that stand for one TIMIT phone.
ESPEAK_PHONES = {
    **{symbol: symbol for symbol in ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z")},
    **{"D": "dh", "T": "th", "S": "sh", "Z": "zh", "tS": "ch", "dZ": "jh", "N": "ng", "h": "hh", "j": "y"},
    **{"t2": "t", "t#": "dx", "r-": "r", "n-": "en", "@L": "el", "?": "q"},
    **{"i:": "iy", "i": "iy", "I": "ih", "I#": "ix", "I2": "ix", "E": "eh", "eI": "ey", "a": "ae", "aa": "ae"},
    **{"0": "aa", "A:": "aa", "O:": "ao", "O2": "ao", "V": "ah", "@": "ax", "@2": "ax", "a#": "ax"},
    **{"3:": "er", "3": "axr", "oU": "ow", "OI": "oy", "aI": "ay", "aU": "aw", "u:": "uw", "U": "uh"},
}
# Mnemonics that stand for two; a second part that repeats the next phone is left out.
ESPEAK_PAIRS = {
    "A@": ("aa", "r"),
    "O@": ("ao", "r"),
    "o@": ("ao", "r"),
    "e@": ("eh", "r"),
    "i@3": ("ih", "r"),
    "U@": ("uh", "r"),
    "aI3": ("ay", "axr"),
    "aI@": ("ay", "ax"),
    "i@": ("iy", "ax"),
}
FIRST_SHARE = 0.5  # of a pair's duration


@dataclass(frozen=True)
class Label:
    """One TIMIT segment, in samples at 16 kHz; `word` counts the words of the text from 0, None in a pause."""

    symbol: str
    start: int
    end: int
    word: int | None


def label(units: list[Unit], samples: Waveform, engine: str) -> list[Label]:
    """Contiguous TIMIT segments that cover the whole of `samples` (16 kHz), with h# at both ends."""
    labels = _flite_labels(units) if engine == "flite" else _espeak_labels(units)
    labels = _ends(labels, len(samples))
    if engine == "espeak":
        labels = _silences_before(labels, _levels(samples, 0))
        labels = _lengthened_laterals(_earlier_vowels(labels, _levels(samples, 1000)))
    return _parted_stops(labels, _levels(samples, 1500))


def _flite_labels(units: list[Unit]) -> list[Label]:
    labels = []
    for index, unit in enumerate(units):
        symbol = unit.symbol if unit.stressed else FLITE_UNSTRESSED.get(unit.symbol, unit.symbol)
        around = {other.symbol for other in (*units[max(index - 1, 0) : index], *units[index + 1 : index + 2])}
        if symbol in ("t", "d") and unit.end - unit.start < FLAP_LIMIT and around <= VOWELS:
            symbol = "dx"
        labels.append(_span(symbol, unit.start, unit.end, unit.word))
    return labels


def _espeak_labels(units: list[Unit]) -> list[Label]:
    labels = []
    for unit, following in zip(units, [*units[1:], None], strict=True):
        if unit.symbol.startswith("_"):
            labels.append(_span("pau", unit.start, unit.end, None))
        elif unit.symbol in ESPEAK_PHONES:
            labels.append(_span(ESPEAK_PHONES[unit.symbol], unit.start, unit.end, unit.word))
        else:
            first, second = ESPEAK_PAIRS[unit.symbol]
            repeats = following is not None and ESPEAK_PHONES.get(following.symbol) == second
            middle = unit.end if repeats else unit.start + FIRST_SHARE * (unit.end - unit.start)
            labels.append(_span(first, unit.start, middle, unit.word))
            if not repeats:
                labels.append(_span(second, middle, unit.end, unit.word))
    return labels


def _span(symbol: str, start: float, end: float, word: int | None) -> Label:
    return Label(symbol, round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), word)


def _ends(labels: list[Label], count: int) -> list[Label]:
    """Joins neighbouring pauses, names the outer ones h# and stretches them to the ends of the audio."""
    joined: list[Label] = []
    for item in labels:
        if joined and item.symbol == joined[-1].symbol == "pau":
            joined[-1] = replace(joined[-1], end=item.end)
        elif item.end > item.start:
            joined.append(item)
    first, last = replace(joined[0], symbol="h#", start=0), replace(joined[-1], symbol="h#", end=count)
    return [first, *joined[1:-1], last]


def _levels(samples: Waveform, low: float) -> NDArray[np.float64]:
    """Level above `low` Hz, in dB below the loudest, of a 5 ms window at every ms; -60 dB at the least."""
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2 + STEP))
    frames = sliding_window_view(padded, WINDOW)[::STEP] * np.hanning(WINDOW)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE) >= low
    power = (np.abs(np.fft.rfft(frames)[:, bins]) ** 2).sum(axis=1)
    return 10 * np.log10(np.maximum(power / power.max(), 1e-6))


def _silences_before(labels: list[Label], levels: NDArray[np.float64]) -> list[Label]:
    """Gives the silence that eSpeak NG leaves at the end of a phone to the stop that follows, whose closure it is;
    before a fricative it becomes an epenthetic silence."""
    result = [labels[0]]
    for item in labels[1:]:
        before = result[-1]
        silence = _silence_start(before, levels)
        if before.symbol == "h#":
            pass
        elif item.symbol in CLOSURES and silence < before.end:
            result[-1] = replace(before, end=silence)
            item = replace(item, start=silence)
        elif item.symbol in FRICATIVES and before.symbol != "pau" and before.end - silence >= EPENTHETIC_LIMIT:
            result[-1:] = [replace(before, end=silence), Label("epi", silence, before.end, before.word)]
        result.append(item)
    return result


def _silence_start(item: Label, levels: NDArray[np.float64]) -> int:
    """Where the silence at the end of a phone begins: its end where there is none."""
    earliest = max(item.start + round(SHORTEST_PART * SAMPLE_RATE), item.end - round(LONGEST_CLOSURE * SAMPLE_RATE))
    start = item.end - WINDOW // 2
    if levels[start // STEP] >= SILENCE_LEVEL:
        return item.end
    while start - STEP >= earliest and levels[(start - STEP) // STEP] < SILENCE_LEVEL:
        start -= STEP
    return start


def _earlier_vowels(labels: list[Label], levels: NDArray[np.float64]) -> list[Label]:
    """Begins a vowel after a nasal or /l/ where the level rises: eSpeak NG counts that transition to the consonant."""
    result = [labels[0]]
    for item in labels[1:]:
        before = result[-1]
        if before.symbol in SONORANTS and item.symbol in VOWELS:
            earliest = max((before.start + before.end) // 2, before.end - round(LONGEST_TRANSITION * SAMPLE_RATE))
            onset = _steepest_rise(levels, earliest, before.end)
            if onset is not None:
                result[-1], item = replace(before, end=onset), replace(item, start=onset)
        result.append(item)
    return result


def _lengthened_laterals(labels: list[Label]) -> list[Label]:
    """Begins an /l/ after a vowel where the formants move: eSpeak NG counts that transition to the vowel."""
    result = [labels[0]]
    for item in labels[1:]:
        before = result[-1]
        start = item.end - round(LATERAL_SHARE * (item.end - before.start))
        if before.symbol in VOWELS and item.symbol == "l" and start < item.start:
            result[-1], item = replace(before, end=start), replace(item, start=start)
        result.append(item)
    return result


def _parted_stops(labels: list[Label], levels: NDArray[np.float64]) -> list[Label]:
    """Splits every stop and affricate into closure and release."""
    result: list[Label] = []
    for item, following in zip(labels, [*labels[1:], None], strict=True):
        if item.symbol not in CLOSURES:
            result.append(item)
            continue
        release = _release(item, levels, final=following is not None and following.word is None)
        if result[-1].symbol == "h#":
            result[-1] = replace(result[-1], end=min(release, item.end - 1))
        else:
            result.append(replace(item, symbol=CLOSURES[item.symbol], end=release))
        if result[-1].end < item.end:
            result.append(replace(item, start=result[-1].end))
    return result


def _release(item: Label, levels: NDArray[np.float64], final: bool) -> int:
    """Where the release begins: at the steepest rise of the level over 5 ms.

    Without a rise the release is missing (at the end of a phrase) or the last 40 per cent.
    """
    margin = round(SHORTEST_PART * SAMPLE_RATE)
    rise = _steepest_rise(levels, item.start + margin, item.end - margin)
    if rise is not None:
        return rise
    share = 1.0 if final and item.symbol not in ("ch", "jh") else 0.6
    return item.start + round(share * (item.end - item.start))


def _steepest_rise(levels: NDArray[np.float64], start: int, end: int) -> int | None:
    """Where between two samples the level rises most over 5 ms; None where it rises by less than LEAST_RISE."""
    inside = levels[start // STEP - RISE_STEPS // 2 : end // STEP + RISE_STEPS // 2]
    rises = inside[RISE_STEPS:] - inside[:-RISE_STEPS]
    if rises.size == 0 or rises.max() < LEAST_RISE:
        return None
    return start + int(rises.argmax()) * STEP
