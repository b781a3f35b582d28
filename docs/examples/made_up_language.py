"""A made-up corpus in a made-up language: syllables of a fricative and a vowel, by eight synthetic voices, in IPA.

python docs/examples/made_up_language.py OUT

Vowels are harmonics of a pitch with two formants, fricatives noise in a band. It is not speech.
OUT/list.csv has what is said in letters: each syllable is a word, and ʃ is spelled sh.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile
from textgrids import write_textgrid

RATE = 16000
VOICES, UTTERANCES, SYLLABLES = 8, 8, 5
FORMANTS = {"a": (800, 1300), "i": (300, 2300), "u": (320, 800)}
"""Hz, of the vowels."""
BANDS = {"s": (4500, 7500), "ʃ": (2000, 5000)}
"""Hz, of the noise of the fricatives."""


def main() -> None:
    random = np.random.default_rng(0)
    rows = [["path", "speaker", "text"]]
    for voice in range(1, VOICES + 1):
        folder = Path(sys.argv[1], f"voice{voice}")
        folder.mkdir(parents=True, exist_ok=True)
        pitch, size = random.uniform(90, 230), random.uniform(0.85, 1.15)
        for number in range(1, UTTERANCES + 1):
            spoken = ["", *(random.choice(list(kind)) for _ in range(SYLLABLES) for kind in (BANDS, FORMANTS)), ""]
            sounds = [sound(str(phone), pitch, size, random) for phone in spoken]
            ends = np.cumsum([len(each) for each in sounds]) / RATE
            starts = [0.0, *ends[:-1]]
            soundfile.write(folder / f"utterance{number}.wav", np.concatenate(sounds), RATE)
            write_textgrid(
                folder / f"utterance{number}.TextGrid",
                [(float(a), float(b), str(phone)) for a, b, phone in zip(starts, ends, spoken, strict=True)],
            )
            words = [first + second for first, second in zip(spoken[1:-1:2], spoken[2:-1:2], strict=True)]
            path = Path(folder.name, f"utterance{number}.wav")
            rows.append([str(path), folder.name, " ".join(words).replace("ʃ", "sh")])
    with open(Path(sys.argv[1], "list.csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def sound(phone: str, pitch: float, size: float, random: np.random.Generator) -> np.ndarray:
    """Samples of a phone, 80 to 200 ms; `size` is how short the voice's vocal tract is."""
    count = round(random.uniform(0.08, 0.2) * RATE)
    noise = random.normal(0, 0.002, count)
    if phone in FORMANTS:
        time = np.arange(count) / RATE
        harmonics = pitch * np.arange(1, int(7000 / pitch))
        gains = sum(1 / (1 + ((harmonics - size * formant) / 90) ** 2) for formant in FORMANTS[phone])
        return noise + 0.1 * (gains[:, None] * np.sin(2 * np.pi * harmonics[:, None] * time)).sum(axis=0)
    if phone in BANDS:
        low, high = (size * edge for edge in BANDS[phone])
        spectrum = np.fft.rfft(random.normal(0, 0.15, count))
        frequencies = np.fft.rfftfreq(count, 1 / RATE)
        return noise + np.fft.irfft(spectrum * ((frequencies > low) & (frequencies < high)), count)
    return noise


main()
