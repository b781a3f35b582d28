"""What models say of one and a half seconds of speech: the posterior of each phone in each frame.

python docs/tutorial/figures/posteriors.py OUT.svg MODEL [MODEL]
"""

import sys
from pathlib import Path

import numpy as np
from drawing import EXAMPLE, LEFT, SECONDS, WIDTH, hand_labels, phones, picture, seconds_axis

import asr
from asr.report.svg import figure, text, write_figure

ROW = 13.0
LEAST = 0.3
"""A phone is shown if its posterior is above this anywhere."""


def main() -> None:
    out, *models = sys.argv[1:]
    parts: list[str] = []
    top = 40.0
    for model in models:
        names, values = phone_posteriors(model)
        height = ROW * len(names)
        parts += [text(LEFT, top - 24, model), picture(values, top, height, 0, 1), *phones(hand_labels(), top, height)]
        parts += [
            text(LEFT - 6, top + height - ROW * index - 3, name, "end", "muted") for index, name in enumerate(names)
        ]
        parts += seconds_axis(top + height)
        top += height + 64
    write_figure(Path(out), figure(LEFT + WIDTH + 20, top - 40, parts, "Posteriors of phones in each frame"))


def phone_posteriors(model: str) -> tuple[list[str], np.ndarray]:
    """Phones in the order in which they are most probable, and their posteriors [phones, T], states summed."""
    posteriors = asr.posteriors(asr.load(model, device="cpu"), str(EXAMPLE))
    shown = posteriors.probabilities[posteriors.times < SECONDS].T
    by_phone: dict[str, np.ndarray] = {}
    for name, row in zip(posteriors.classes, shown, strict=True):
        phone = name.rsplit("_", 1)[0]
        by_phone[phone] = by_phone.get(phone, 0) + row
    likely = sorted((row.argmax(), phone) for phone, row in by_phone.items() if row.max() > LEAST)
    names = [phone for _, phone in likely][::-1]
    return names, np.stack([by_phone[name] for name in names])


main()
