"""One small corpus in each layout of corpora of one's own: six speakers, two utterances of noise each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut, Recording, RecordingSet, SupervisionSegment, SupervisionSet

from asr.corpora.cuts import read_cuts
from asr.storage.run_layout import SPLITS

RATE = 16000
SECONDS = 0.5
SPEAKERS = ("ann", "bob", "cat", "dan", "eve", "fay")
PHONES = (("sil", 0.0, 0.1), ("sh", 0.1, 0.25), ("iy", 0.25, 0.4), ("sil", 0.4, 0.5))
TEXT = "she said"
SYMBOLS = " ".join(phone for phone, _, _ in PHONES)


@dataclass(frozen=True)
class Spoken:
    """An utterance of the corpus, and its audio file."""

    id: str
    speaker: str
    audio: Path


def utterances(folder: Path, suffix: str = ".wav") -> Iterator[Spoken]:
    """Writes the audio, each file of other noise, below a folder for each speaker."""
    for number, speaker in enumerate(SPEAKERS):
        for place in range(2):
            audio = folder / speaker / f"{speaker}{place}{suffix}"
            audio.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(10 * number + place).normal(0, 0.1, round(SECONDS * RATE))
            soundfile.write(audio, noise, RATE)
            yield Spoken(f"{speaker}{place}", speaker, audio)


def write_textgrid(path: Path, tiers: dict[str, tuple[tuple[str, float, float], ...]]) -> None:
    """A TextGrid in Praat's short form; silence is an empty label."""
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "0",
        str(SECONDS),
        "<exists>",
        str(len(tiers)),
    ]
    for name, segments in tiers.items():
        lines += ['"IntervalTier"', f'"{name}"', "0", str(SECONDS), str(len(segments))]
        lines += [f'{start}\n{end}\n"{"" if label == "sil" else label}"' for label, start, end in segments]
    path.write_text("\n".join(lines) + "\n")


def textgrid(root: Path) -> None:
    for spoken in utterances(root):
        words = (("she", 0.0, 0.3), ("said", 0.3, 0.5))
        write_textgrid(spoken.audio.with_suffix(".TextGrid"), {"phones": PHONES, "words": words})


def csv(root: Path) -> None:
    rows = [f"{each.audio.relative_to(root)},{each.id},{each.speaker},{TEXT},{SYMBOLS}" for each in utterances(root)]
    (root / "mine.csv").write_text("\n".join(["path,utterance,speaker,text,phones", *rows]) + "\n")


def json_lines(root: Path) -> None:
    phones = [{"phone": phone, "start": start, "end": end} for phone, start, end in PHONES]
    rows = [
        {"audio": str(each.audio), "id": each.id, "speaker": each.speaker, "text": TEXT, "phones": phones}
        for each in utterances(root)
    ]
    (root / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def kaldi(root: Path) -> None:
    """All utterances of a speaker are segments of one recording."""
    tables: dict[str, list[str]] = {"wav.scp": [], "segments": [], "text": [], "utt2spk": []}
    (root / "audio").mkdir(parents=True)
    for number, speaker in enumerate(SPEAKERS):
        noise = np.random.default_rng(number).normal(0, 0.1, round(2 * SECONDS * RATE))
        soundfile.write(root / "audio" / f"{speaker}.wav", noise, RATE)
        tables["wav.scp"].append(f"{speaker} audio/{speaker}.wav")
        for place in range(2):
            tables["segments"].append(f"{speaker}{place} {speaker} {place * SECONDS} {(place + 1) * SECONDS}")
            tables["text"].append(f"{speaker}{place} {SYMBOLS}")
            tables["utt2spk"].append(f"{speaker}{place} {speaker}")
    for name, lines in tables.items():
        (root / name).write_text("\n".join(lines) + "\n")


def lhotse(root: Path) -> None:
    recordings, supervisions = [], []
    for each in utterances(root / "audio"):
        recordings.append(Recording.from_file(each.audio, recording_id=f"rec-{each.id}"))
        supervisions.append(
            SupervisionSegment(
                id=each.id,
                recording_id=f"rec-{each.id}",
                start=0.0,
                duration=SECONDS,
                speaker=each.speaker,
                text=TEXT,
                custom={"phones": SYMBOLS},
            )
        )
    RecordingSet.from_recordings(recordings).to_file(root / "mine_recordings_all.jsonl.gz")
    SupervisionSet.from_segments(supervisions).to_file(root / "mine_supervisions_all.jsonl.gz")


def librispeech(root: Path) -> None:
    for number, speaker in enumerate(SPEAKERS):
        part = ("train-clean-5", "dev-clean-2", "test-clean")[number // 2]
        chapter = root / part / speaker / "7"
        chapter.mkdir(parents=True)
        lines = []
        for place in range(2):
            noise = np.random.default_rng(10 * number + place).normal(0, 0.1, round(SECONDS * RATE))
            soundfile.write(chapter / f"{speaker}-7-000{place}.flac", noise, RATE)
            lines.append(f"{speaker}-7-000{place} {TEXT.upper()}")
        (chapter / f"{speaker}-7.trans.txt").write_text("\n".join(lines) + "\n")


def commonvoice(root: Path) -> None:
    rows: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    for each in utterances(root / "clips"):
        each.audio.rename(root / "clips" / each.audio.name)
        split = {"eve": "dev", "fay": "test"}.get(each.speaker, "train")
        rows[split].append(f'{each.speaker}\t{each.audio.name}\t"{TEXT}\t\tmale_masculine\ten')
    for split, lines in rows.items():
        header = "client_id\tpath\tsentence\tage\tgender\tlocale"
        (root / f"{split}.tsv").write_text("\n".join([header, *lines]) + "\n")


def folder(root: Path) -> None:
    samples = [(phone, round(start * RATE), round(end * RATE)) for phone, start, end in PHONES]
    for each in utterances(root):
        each.audio.with_suffix(".phn").write_text("".join(f"{start} {end} {phone}\n" for phone, start, end in samples))
        each.audio.with_suffix(".txt").write_text(TEXT + "\n")


BUILDERS: dict[str, Callable[[Path], None]] = {
    "textgrid": textgrid,
    "csv": csv,
    "kaldi": kaldi,
    "lhotse": lhotse,
    "librispeech": librispeech,
    "commonvoice": commonvoice,
    "folder": folder,
}


def all_cuts(out: Path) -> list[MonoCut]:
    """The cuts of train, dev and test in a folder of manifests."""
    return [cut for split in SPLITS for cut in read_cuts(out / f"{split}.cuts.jsonl.gz")]
