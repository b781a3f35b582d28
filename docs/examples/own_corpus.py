"""Twenty utterances of the demo corpus as a corpus of one's own: audio with TextGrids, and a list of sentences.

python docs/examples/own_corpus.py

Writes my_corpus/ and my_list.csv into the current folder.
"""

import csv
import shutil
from pathlib import Path

from textgrids import write_textgrid

from asr.formats.phn import SAMPLE_RATE, read_labels

SPEAKERS, UTTERANCES = 5, 4


def main() -> None:
    with open("my_list.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "speaker", "sentence"])
        for source in chosen(Path("data/demo")):
            audio = Path("my_corpus", source.parent.name, source.name)
            audio.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, audio)
            labels = read_labels(source.with_suffix(".phn"))
            phones = [(each.start / SAMPLE_RATE, each.end / SAMPLE_RATE, each.symbol) for each in labels]
            write_textgrid(audio.with_suffix(".TextGrid"), [(a, b, "" if c == "h#" else c) for a, b, c in phones])
            sentence = source.with_suffix(".txt").read_text(encoding="utf-8").split(maxsplit=2)[2].strip()
            table.writerow([audio, audio.parent.name, sentence])


def chosen(corpus: Path) -> list[Path]:
    speakers = sorted(path for path in corpus.glob("*/dr*/*") if path.is_dir())[:SPEAKERS]
    return [audio for speaker in speakers for audio in sorted(speaker.glob("*.flac"))[:UTTERANCES]]


main()
