"""Makes the demo corpus: synthetic speech in TIMIT's layout. Needs Debian's flite and espeak-ng.

Run as `python data/demo/synthesize.py OUT_DIR`; the same versions of the synthesisers give the same bytes.
"""

import csv
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, groupby, islice
from pathlib import Path

import espeak_engine
import flite_engine
import numpy as np
import soundfile
import soxr
from speech import Speech, Unit, Voice, Waveform
from timit_labels import SAMPLE_RATE, Label, label

from asr.errors import InputError
from asr.storage.files import complete_file, write_text

HERE = Path(__file__).resolve().parent
UTTERANCES = 16  # of a speaker
FOLDERS = {"train": "train", "dev": "test", "test": "test"}  # TIMIT's dev speakers come from its test folder too
SPEECH_LEVEL = 10 ** (-23 / 20)  # root mean square of the whole utterance
HIGHEST_PEAK = 0.9
FLOOR_LEVEL = 10 ** (-62 / 20)  # a recording is never digital silence
QUANTUM = 64 / 32768  # 10 bits: FLAC then stays small, and the rounding lies near the floor
PADDING = 0.15  # s of silence around eSpeak NG's speech; flite has its own
ENGINES = {"flite": flite_engine.speak, "espeak": espeak_engine.speak}


@dataclass(frozen=True)
class Speaker:
    """A line of speakers.tsv."""

    name: str
    split: str
    dialect: int
    voice: Voice


def main(out_dir: Path) -> None:
    """Writes the whole corpus to `out_dir`."""
    speakers = read_speakers(HERE / "speakers.tsv")
    prompts = prompts_by_split(read_prompts(HERE / "prompts.txt"))
    for split in FOLDERS:
        chosen = [speaker for speaker in speakers if speaker.split == split]
        lines = [f"# {split} speakers of the demo corpus", *(speaker.name for speaker in chosen)]
        write_text(out_dir / f"{split}_speakers.txt", "\n".join(lines) + "\n")
        turns = cycle(prompts[split])
        for speaker in chosen:
            folder = out_dir / FOLDERS[split] / f"dr{speaker.dialect}" / speaker.name
            for sentence, text in islice(turns, UTTERANCES):
                write_utterance(folder / sentence, text, speaker)


def read_speakers(path: Path) -> list[Speaker]:
    """The speakers in the file's order."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [
        Speaker(
            row["speaker"],
            row["split"],
            int(row["dialect"]),
            Voice(row["engine"], row["voice"], float(row["pitch"]), float(row["rate"]), float(row["tract"])),
        )
        for row in csv.DictReader(lines, delimiter="\t")
    ]


def read_prompts(path: Path) -> list[tuple[str, str]]:
    """(sentence id, text) in the file's order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(sentence, text) for sentence, text in (line.split(" ", 1) for line in lines)]


def prompts_by_split(prompts: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Of every ten prompts two are spoken in test only, one in dev only and seven in train only."""
    by_split = defaultdict(list)
    for index, prompt in enumerate(prompts):
        by_split[{0: "test", 5: "test", 7: "dev"}.get(index % 10, "train")].append(prompt)
    return by_split


def write_utterance(stem: Path, text: str, speaker: Speaker) -> None:
    """Writes one utterance's .flac, .phn, .wrd and .txt. Raises InputError where words and phones do not match."""
    random = np.random.default_rng(zlib.crc32(f"{speaker.name}-{stem.name}".encode()))
    pitch, rate = random.uniform(0.95, 1.05, size=2)
    voice = replace(speaker.voice, pitch=speaker.voice.pitch * pitch, rate=speaker.voice.rate * rate)
    speech = at_corpus_rate(ENGINES[voice.engine](text, voice), voice)
    labels = label(speech.units, speech.samples, voice.engine)
    words = re.findall(r"[a-z]+", text.lower())
    spoken = sorted({item.word for item in labels if item.word is not None})
    if spoken != list(range(len(words))):
        raise InputError(f"{voice.name}: the words of {text!r} are not those that were spoken", stem)
    with complete_file(stem.with_suffix(".flac"), "wb") as file:
        soundfile.write(file, finished(speech.samples, random), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    write_text(stem.with_suffix(".phn"), "".join(f"{item.start} {item.end} {item.symbol}\n" for item in labels))
    write_text(stem.with_suffix(".wrd"), "".join(word_lines(labels, words)))
    write_text(stem.with_suffix(".txt"), f"0 {len(speech.samples)} {text}\n")


def at_corpus_rate(speech: Speech, voice: Voice) -> Speech:
    """Resamples to 16 kHz as if the tape ran `tract` times as fast, and pads eSpeak NG's speech with silence."""
    samples = soxr.resample(speech.samples, speech.rate * voice.tract, SAMPLE_RATE, quality="VHQ")
    units = [replace(unit, start=unit.start / voice.tract, end=unit.end / voice.tract) for unit in speech.units]
    if voice.engine == "espeak":
        pad = round(PADDING * SAMPLE_RATE)
        samples = np.pad(samples, pad)
        units = [replace(unit, start=unit.start + PADDING, end=unit.end + PADDING) for unit in units]
        end = len(samples) / SAMPLE_RATE
        units = [Unit("_", 0, units[0].start, None), *units, Unit("_", units[-1].end, end, None)]
    return Speech(samples, SAMPLE_RATE, units)


def finished(samples: Waveform, random: np.random.Generator) -> Waveform:
    """At the corpus's level, with a floor of noise, in steps of QUANTUM."""
    gain = min(SPEECH_LEVEL / np.sqrt(np.mean(samples**2)), HIGHEST_PEAK / np.abs(samples).max())
    noisy = gain * samples + FLOOR_LEVEL * random.standard_normal(len(samples))
    return np.round(noisy / QUANTUM) * QUANTUM


def word_lines(labels: list[Label], words: list[str]) -> Iterator[str]:
    """The lines of a .wrd file."""
    for word, group in groupby(labels, key=lambda item: item.word):
        if word is not None:
            segments = list(group)
            yield f"{segments[0].start} {segments[-1].end} {words[word]}\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python data/demo/synthesize.py OUT_DIR")
    try:
        main(Path(sys.argv[1]))
    except InputError as error:
        sys.exit(f"error: {error}")
