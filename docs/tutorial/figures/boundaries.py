"""Boundaries of an alignment over the log-mel energies: hand labels above, the alignment's intervals below.

python docs/tutorial/figures/boundaries.py OUT.svg ALIGNMENTS.jsonl
"""

import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from drawing import EXAMPLE, LEFT, SECONDS, WIDTH, across, hand_labels, phones, picture, seconds_axis

from asr.config import FeaturesConfig
from asr.features.frontend import FrontEnd
from asr.report.svg import figure, line, number, text, write_figure
from asr.storage.json_files import read_jsonl

TOP, HEIGHT = 40.0, 130.0


def main() -> None:
    out, alignments = map(Path, sys.argv[1:])
    row = next(row for row in read_jsonl(alignments) if Path(row["audio"]).name == EXAMPLE.name)
    samples, _ = soundfile.read(EXAMPLE, dtype="float32", frames=round(SECONDS * 16000))
    energies, _ = FrontEnd(FeaturesConfig(type="fbank", bins=40))(
        torch.from_numpy(samples)[None], torch.tensor([len(samples)])
    )
    low, high = np.quantile(energies[0].numpy(), [0.05, 0.995])
    parts = [text(LEFT, 16, "hand labels"), picture(energies[0].numpy().T, TOP, HEIGHT, low, high)]
    parts += [*phones(hand_labels(), TOP, HEIGHT / 2), *aligned(row), *seconds_axis(TOP + HEIGHT + 44)]
    write_figure(out, figure(LEFT + WIDTH + 20, TOP + HEIGHT + 66, parts, "Boundaries by hand and by alignment"))


def aligned(row: dict) -> list[str]:
    """Phones below the picture, a line at each boundary, and a bar from its earliest to its latest plausible time."""
    bottom = TOP + HEIGHT
    parts = [text(LEFT, bottom + 36, "alignment, with the interval of each boundary")]
    for phone in row["phones"]:
        if phone["start"] < SECONDS:
            end = min(phone["end"], SECONDS)
            parts.append(line(across(phone["start"]), TOP + HEIGHT / 2, across(phone["start"]), bottom, "whisker"))
            parts.append(text(across((phone["start"] + end) / 2), bottom + 20, phone["phone"], "middle", "muted"))
    for earliest, latest in row["intervals"]:
        if latest < SECONDS:
            width = across(latest) - across(earliest)
            place = f'x="{number(across(earliest))}" y="{number(bottom + 2)}" width="{number(width)}"'
            parts.append(f'<rect {place} height="4" class="good"/>')
    return parts


main()
