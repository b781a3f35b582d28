"""PER on dev against the insertion penalty, a line for each acoustic scale, as the decode stage tried them.

python docs/tutorial/figures/tuning.py OUT.svg DECODE
"""

import json
import sys
from pathlib import Path

from asr.report.axes import Axes, legend, padded
from asr.report.svg import figure, write_figure


def main() -> None:
    out, folder = map(Path, sys.argv[1:])
    tuning = json.loads((folder / "tuning.json").read_text())
    same = [
        trial for trial in tuning["trials"] if all(trial[key] == tuning[key] for key in ("prior_scale", "lm_weight"))
    ]
    scales = sorted({trial["acoustic_scale"] for trial in same})
    penalties = [trial["insertion_penalty"] for trial in same]
    axes = Axes(44, 26, 420, 220, (min(penalties), max(penalties)), padded(trial["per"] for trial in same))
    parts = [*axes.frame("PER on dev (%), by acoustic scale", "insertion penalty", sorted(set(penalties)))]
    names = [(f"scale {scale:g}", f"var(--c{index})") for index, scale in enumerate(scales, 1)]
    for scale, (_, colour) in zip(scales, names, strict=True):
        points = sorted(
            (trial["insertion_penalty"], trial["per"]) for trial in same if trial["acoustic_scale"] == scale
        )
        parts.append(axes.curve(points, colour))
    for row in range(0, len(names), 3):
        parts += legend(names[row : row + 3], 44, 300 + 16 * (row // 3))
    write_figure(
        out, figure(480, 300 + 16 * ((len(names) + 2) // 3), parts, "PER on dev against the insertion penalty")
    )


main()
