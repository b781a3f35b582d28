"""Builds small trees in TIMIT's layout: every utterance is a link to the same half second of noise."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import soundfile

from asr.corpora.timit_splits import read_speaker_list
from asr.data_files import data_path

SAMPLES = 8000
PHONES = "0 2000 h#\n2000 3000 sh\n3000 4500 iy\n4500 7950 h#\n"
WORDS = "2000 4500 she\n"
TEXT = "0 8000 She.\n"
SENTENCES = ("SA1", "SA2", "SI1001", "SI1631", "SI2261", "SX11", "SX101", "SX191", "SX281", "SX371")

# Speakers of each dialect region: LDC93S1, readme.doc Table 1 (all) and testset.doc Table 2 (complete test set).
ALL_SPEAKERS = {1: 49, 2: 102, 3: 102, 4: 100, 5: 98, 6: 46, 7: 100, 8: 33}
TEST_SPEAKERS = {1: 11, 2: 26, 3: 26, 4: 32, 5: 28, 6: 11, 7: 23, 8: 11}


def write_audio(path: Path, sample_format: str = "NIST") -> None:
    noise = np.random.default_rng(0).normal(0, 1000, SAMPLES).astype(np.int16)
    soundfile.write(path, noise, 16000, format=sample_format, subtype="PCM_16")


class Utterances:
    """Puts linked copies of one utterance into speakers' folders."""

    def __init__(self, store: Path, audio_suffixes: Iterable[str] = ("WAV",)) -> None:
        store.mkdir(parents=True)
        self._files: dict[str, Path] = {}
        for suffix in audio_suffixes:
            self._files[suffix] = store / suffix
            last = suffix.lower().rsplit(".", 1)[-1]
            write_audio(store / suffix, {"flac": "FLAC"}.get(last, "NIST" if suffix in ("WAV", "wav") else "WAV"))
        for suffix, content in (("PHN", PHONES), ("WRD", WORDS), ("TXT", TEXT)):
            self._files[suffix] = store / suffix
            self._files[suffix].write_text(content)

    def add_speaker(self, folder: Path, case: Callable[[str], str] = str.upper) -> None:
        folder.mkdir(parents=True)
        for sentence in SENTENCES:
            for suffix, source in self._files.items():
                kept = suffix if "." in suffix else case(suffix)
                os.link(source, folder / f"{case(sentence)}.{kept}")


def build_timit(
    root: Path, case: Callable[[str], str] = str.upper, audio_suffixes: Iterable[str] = ("WAV",)
) -> dict[str, set[str]]:
    """All 630 speakers; those of dev and core test by name, the others invented. Returns the speakers of each part."""
    store = Utterances(root.parent / f"{root.name}-store", audio_suffixes)
    listed = [
        speaker
        for file in ("core_test_speakers.txt", "dev_speakers.txt")
        for _, speaker in read_speaker_list(data_path("timit", file))
    ]
    parts: dict[str, set[str]] = {"train": set(), "test": set()}
    for region, total in ALL_SPEAKERS.items():
        for index in range(total):
            part = "test" if index < TEST_SPEAKERS[region] else "train"
            # A third of the places of each region's test part go to listed speakers: 74 of 168.
            named = part == "test" and listed and (index % 2 == 0 or region > 6)
            speaker = listed.pop() if named else f"{'fm'[index % 2]}z{region}{index:02d}"
            parts[part].add(speaker)
            store.add_speaker(root / case(part) / case(f"dr{region}") / case(speaker), case)
    assert not listed
    return parts


def build_sample(root: Path, women: int = 8, men: int = 8) -> None:
    """A corpus in the flat layout of NLTK's sample."""
    store = Utterances(root.parent / f"{root.name}-store", ("wav",))
    for gender, count in (("f", women), ("m", men)):
        for index in range(count):
            store.add_speaker(root / f"dr{index + 1}-{gender}abc{index}", str.lower)
