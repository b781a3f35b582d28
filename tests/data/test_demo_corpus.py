"""The committed demo corpus is as its README says."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set

SAMPLE_RATE = 16000
LARGEST = 8_000_000  # bytes
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Utterance:
    stem: Path
    speaker: str
    samples: np.ndarray
    rate: int
    phones: list[tuple[int, int, str]]
    words: list[tuple[int, int, str]]
    text: str


def _segments(path: Path) -> list[tuple[int, int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(int(start), int(end), symbol) for start, end, symbol in (line.split() for line in lines)]


def _utterance(audio: Path) -> Utterance:
    samples, rate = soundfile.read(audio, dtype="float32")
    text = audio.with_suffix(".txt").read_text(encoding="utf-8").split(maxsplit=2)[2].strip()
    phones, words = _segments(audio.with_suffix(".phn")), _segments(audio.with_suffix(".wrd"))
    return Utterance(audio.with_suffix(""), audio.parent.name, samples, rate, phones, words, text)


@pytest.fixture(scope="module")
def utterances(demo_corpus: Path) -> list[Utterance]:
    return [_utterance(audio) for audio in sorted(demo_corpus.glob("*/dr*/*/*.flac"))]


@pytest.fixture(scope="module")
def splits(demo_corpus: Path) -> dict[str, list[str]]:
    return {
        split: [
            line
            for line in (demo_corpus / f"{split}_speakers.txt").read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ]
        for split in SPLITS
    }


@pytest.fixture(scope="module")
def by_split(utterances: list[Utterance], splits: dict[str, list[str]]) -> dict[str, list[Utterance]]:
    return {name: [item for item in utterances if item.speaker in speakers] for name, speakers in splits.items()}


def test_it_is_small_and_about_a_quarter_of_an_hour(demo_corpus: Path, utterances: list[Utterance]) -> None:
    size = sum(
        path.stat().st_size for path in demo_corpus.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    assert size <= LARGEST
    assert sum(len(item.samples) for item in utterances) / SAMPLE_RATE / 60 == pytest.approx(15, abs=1)


def test_audio_is_16_khz_mono_of_even_level_and_does_not_clip(utterances: list[Utterance]) -> None:
    for item in utterances:
        assert (item.rate, item.samples.ndim) == (SAMPLE_RATE, 1), item.stem
        assert np.abs(item.samples).max() < 0.95, item.stem
        level = 10 * np.log10(np.mean(item.samples.astype(np.float64) ** 2))
        assert level == pytest.approx(-23, abs=1.5), item.stem


def test_phones_follow_each_other_from_the_first_sample_to_the_last(utterances: list[Utterance]) -> None:
    for item in utterances:
        assert item.phones[0][0] == 0, item.stem
        assert item.phones[-1][1] == len(item.samples), item.stem
        assert all(start < end for start, end, _ in item.phones), item.stem
        assert all(before[1] == after[0] for before, after in pairwise(item.phones)), item.stem
        assert item.phones[0][2] == item.phones[-1][2] == "h#", item.stem


def test_words_are_the_text_and_begin_and_end_with_phones(utterances: list[Utterance]) -> None:
    for item in utterances:
        spoken = [word for _, _, word in item.words]
        assert spoken == "".join(c for c in item.text.lower() if c.isalpha() or c == " ").split(), item.stem
        edges = {edge for start, end, _ in item.phones for edge in (start, end)}
        assert {edge for start, end, _ in item.words for edge in (start, end)} <= edges, item.stem
        assert all(before[1] <= after[0] for before, after in pairwise(item.words)), item.stem


def test_symbols_are_timits_and_every_folded_phone_occurs(by_split: dict[str, list[Utterance]]) -> None:
    found = {split: {phone for item in items for _, _, phone in item.phones} for split, items in by_split.items()}
    assert set().union(*found.values()) <= set(load_phone_set("timit61"))
    for split in SPLITS:
        assert set(fold(found[split], "timit39")) == set(load_phone_set("timit39")), split
    assert set(fold(found["train"], "timit48")) == set(load_phone_set("timit48"))


def test_a_closure_comes_before_its_release(utterances: list[Utterance]) -> None:
    releases = {"b", "d", "g", "p", "t", "k", "ch", "jh"}
    allowed = {"tcl": {"t", "ch"}, "dcl": {"d", "jh"}, "pcl": {"p"}, "bcl": {"b"}, "kcl": {"k"}, "gcl": {"g"}}
    for item in utterances:
        for (_, _, before), (_, _, after) in pairwise(item.phones):
            if after in releases:
                assert before == "h#" or after in allowed.get(before, set()), item.stem


def test_times_agree_with_the_signal(utterances: list[Utterance]) -> None:
    levels, high_shares = defaultdict(list), defaultdict(list)
    for item in utterances:
        for start, end, phone in item.phones:
            power = np.abs(np.fft.rfft(item.samples[start:end])) ** 2
            high = power[np.fft.rfftfreq(end - start, 1 / SAMPLE_RATE) > 3000].sum()
            levels[phone].append(10 * np.log10(power.sum() / (end - start) ** 2))
            high_shares[phone].append(high / power.sum())
    level = {phone: np.median(values) for phone, values in levels.items()}
    for closure in ("pcl", "tcl", "kcl"):
        assert level[closure] < level["aa"] - 15
        assert level[closure] < level[closure[0]]
    assert np.median(high_shares["s"]) > 0.8
    assert np.median(high_shares["aa"]) < 0.1


def test_voices_and_splits(
    by_split: dict[str, list[Utterance]], splits: dict[str, list[str]], demo_corpus: Path
) -> None:
    speakers = [speaker for split in SPLITS for speaker in splits[split]]
    assert len(speakers) == len(set(speakers)) >= 16
    assert {path.name for path in demo_corpus.glob("*/dr*/*")} == set(speakers)
    assert {speaker[0] for speaker in splits["train"]} == {speaker[0] for speaker in splits["test"]} == {"f", "m"}
    rows = [line.split("\t") for line in (demo_corpus / "speakers.tsv").read_text(encoding="utf-8").splitlines()]
    assert len({row[4] for row in rows if row[0] in speakers}) >= 6


def test_splits_share_no_sentence(by_split: dict[str, list[Utterance]]) -> None:
    texts = {split: {item.text for item in items} for split, items in by_split.items()}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["dev"]
    assert not texts["dev"] & texts["test"]


def test_texts_are_the_prompts(utterances: list[Utterance], demo_corpus: Path) -> None:
    lines = (demo_corpus / "prompts.txt").read_text(encoding="utf-8").splitlines()
    prompts = dict(line.split(" ", 1) for line in lines)
    assert len(set(prompts.values())) == len(lines) >= 200
    assert all(prompts[item.stem.name] == item.text for item in utterances)
