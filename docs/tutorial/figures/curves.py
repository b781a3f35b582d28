"""Frame error against epochs of one or several trainings: whole lines for dev, dashed ones for train.

python docs/tutorial/figures/curves.py OUT.svg TRAINING...
"""

import sys
from pathlib import Path

from asr.report.axes import Axes, legend, padded
from asr.report.svg import figure, write_figure
from asr.storage.json_files import read_jsonl


def main() -> None:
    out, *folders = map(Path, sys.argv[1:])
    trainings = {folder.name: list(read_jsonl(folder / "metrics.jsonl")) for folder in folders}
    values = [
        row[key] for rows in trainings.values() for row in rows for key in ("dev_frame_error", "train_frame_error")
    ]
    last = max(len(rows) for rows in trainings.values())
    axes = Axes(44, 26, 420, 220, (1, last), padded(values))
    parts = [*axes.frame("frame error (%): dev, and dashed train", "epoch", range(1, last + 1))]
    names = [(name, f"var(--c{index})") for index, name in enumerate(trainings, 1)]
    for name, colour in names:
        rows = trainings[name]
        parts.append(axes.curve(((row["epoch"], row["dev_frame_error"]) for row in rows), colour))
        parts.append(axes.curve(((row["epoch"], row["train_frame_error"]) for row in rows), colour, "curve dashed"))
    parts += legend(names, 44, 300)
    write_figure(out, figure(480, 312, parts, "Frame error against epochs"))


main()
