"""Builds small trees in the layout of speechocean762: every utterance is a link to the same half second of noise."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

SAMPLES = 8000
SENTENCE = "WE CALL IT BEAR"
WORDS = ("W_B IY0_E", "K_B AO0_I L_E", "IH0_B T_E", "B_B EH0_I R_E")
PHONES = ["w", "iy", "k", "ao", "l", "ih", "t", "b", "eh", "r"]

Speakers = Iterable[tuple[str, str, int]]
"""Name, f or m, age."""

TRAIN = [
    *((f"1{number:03}", "f", 7) for number in range(10)),
    *((f"2{number:03}", "m", 8) for number in range(10)),
    *((f"3{number:03}", "f", 21) for number in range(20)),
    *((f"4{number:03}", "m", 30) for number in range(5)),
]
DEV = {"1009", "2009", "3009", "3019"}
TEST = [("0003", "m", 6), ("0049", "f", 22)]


def build_speechocean762(root: Path, train: Speakers = TRAIN, test: Speakers = TEST, suffix: str = "WAV") -> None:
    """Two utterances a speaker; `suffix` is the audio's in its files and in wav.scp."""
    (root / "resource").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 1000, SAMPLES).astype(np.int16)
    store = root.parent / f"{root.name}-audio"
    soundfile.write(store, noise, 16000, format=suffix.upper(), subtype="PCM_16")
    spoken = []
    for part, speakers in (("train", train), ("test", test)):
        tables: dict[str, list[str]] = {
            name: [] for name in ("wav.scp", "text", "utt2spk", "spk2utt", "spk2gender", "spk2age")
        }
        for speaker, gender, age in speakers:
            folder = root / "WAVE" / f"SPEAKER{speaker}"
            folder.mkdir(parents=True, exist_ok=True)
            names = [f"0{speaker}{number:04}" for number in (11, 35)]
            for name in names:
                os.link(store, folder / f"{name}.{suffix}")
                tables["wav.scp"].append(f"{name}\tWAVE/SPEAKER{speaker}/{name}.{suffix}")
                tables["text"].append(f"{name}\t{SENTENCE}")
                tables["utt2spk"].append(f"{name} {speaker}")
                spoken += [f"{name}.{number}\t{phones}" for number, phones in enumerate(WORDS)]
            tables["spk2utt"].append(f"{speaker} {' '.join(names)}")
            tables["spk2gender"].append(f"{speaker}\t{gender}")
            tables["spk2age"].append(f"{speaker}\t{age}")
        (root / part).mkdir()
        for table, lines in tables.items():
            (root / part / table).write_text("".join(f"{line}\n" for line in lines))
    (root / "resource" / "text-phone").write_text("".join(f"{line}\n" for line in spoken))
