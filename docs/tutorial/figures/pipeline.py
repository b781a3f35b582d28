"""The way of the data, as a picture: `docs/images/pipeline.svg`.

python docs/tutorial/figures/pipeline.py OUT.svg
"""

import sys
from pathlib import Path

from asr.report.svg import figure, line, number, text, write_figure

STAGES = (
    ("corpus", "audio, labels"),
    ("prepare", "manifests"),
    ("features", "log-mel, MFCC"),
    ("train", "acoustic model"),
    ("decode", "phones, times"),
    ("score", "PER"),
    ("report", "see and hear"),
)
USES = (("recordings", "any format"), ("transcribe, align", "a trained model"), ("phones, words", "TextGrid, JSON"))
BOX, GAP, HEIGHT = 98.0, 18.0, 44.0


def main() -> None:
    width = len(STAGES) * (BOX + GAP)
    parts = [*row(STAGES, 8.0, 8.0), *row(USES, 8.0 + 2 * (BOX + GAP), 84.0)]
    model = 8.0 + 3 * (BOX + GAP) + BOX / 2
    parts.append(line(model, 8.0 + HEIGHT, model, 84.0, "whisker"))
    parts.append(text(model + 6, 72, "model", kind="muted"))
    write_figure(
        Path(sys.argv[1]),
        figure(width, 140, parts, "Corpus, prepare, features, train, decode, score, report; recordings to phones"),
    )


def row(boxes: tuple[tuple[str, str], ...], left: float, top: float) -> list[str]:
    parts = []
    for index, (name, what) in enumerate(boxes):
        x = left + index * (BOX + GAP)
        place = f'x="{number(x)}" y="{number(top)}" width="{BOX}" height="{HEIGHT}"'
        parts.append(f'<rect {place} rx="5" class="frame" style="stroke:var(--c1)"/>')
        parts.append(text(x + BOX / 2, top + 18, name, "middle"))
        parts.append(text(x + BOX / 2, top + 34, what, "middle", "muted"))
        if index:
            middle = top + HEIGHT / 2
            parts.append(
                f'<path d="M{number(x - GAP + 2)},{number(middle)} h{GAP - 6}" class="curve" style="stroke:var(--c1)"/>'
            )
            parts.append(
                f'<path d="M{number(x - 8)},{number(middle - 4)} l6,4 l-6,4" class="curve" style="stroke:var(--c1)"/>'
            )
    return parts


main()
