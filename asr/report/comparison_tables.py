"""The tables of a comparison: what each run scored and cost, how it differs from the first, and in which settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asr.report.comparison import Compared
from asr.report.escaping import markdown
from asr.report.tables import percent, size
from asr.scoring.compare import Difference
from asr.scoring.silence import TREATMENTS, UNTRANSCRIBED, Treatment

MISSING = "–"
FEW_BLOCKS = 10
"""With fewer blocks, a bootstrap's interval is too narrow."""
SAME_EVERYWHERE = ("corpus.dir",)
"""Settings that do not describe the experiment."""


@dataclass(frozen=True)
class Cells:
    """A table as text: the first column is the row's name, the others are figures."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str

    def beside(self, other: "Cells") -> "Cells":
        """Both tables side by side as one; they must have the same rows."""
        rows = [[*row, *more[1:]] for row, more in zip(self.rows, other.rows, strict=True)]
        return Cells(self.title, [*self.header, *other.header[1:]], rows, f"{self.note} {other.note}")

    def markdown(self) -> str:
        alignment = ["---", *["---:"] * (len(self.header) - 1)]
        return "\n".join(f"| {' | '.join(map(markdown, row))} |" for row in (self.header, alignment, *self.rows))


def errors_table(compared: Sequence[Compared]) -> Cells:
    """One row per run: its error rates in the three treatments."""
    rows = []
    for each in compared:
        treatments = each.scores.treatments
        counted = treatments["counted"]
        low, high = counted.interval
        numbers = counted.counts.substitutions, counted.counts.deletions, counted.counts.insertions
        rates = (percent(treatments[treatment].counts) for treatment in TREATMENTS[1:])
        counts = (f"{number:,}" for number in numbers)
        rows.append([each.name, percent(counted.counts), f"{low:.1f} to {high:.1f}", *rates, *counts])
    first = compared[0].scores
    note = f"{size(first)}; silence counted, but for the columns optional and removed."
    if not first.silence_transcribed:
        note += f" {UNTRANSCRIBED}"
    header = ["run", "PER", "95% interval", *TREATMENTS[1:], "sub", "del", "ins"]
    return Cells("Phone error rate (%)", header, rows, note)


def costs_table(compared: Sequence[Compared]) -> Cells:
    """One row per run: the size of its model, and the time of training and decoding."""
    rows = [
        [
            each.name,
            MISSING if each.parameters is None else f"{each.parameters:,}",
            MISSING if each.training is None else f"{each.training:,.0f}",
            *((MISSING, MISSING) if each.speed is None else (f"{each.speed.model:.4f}", f"{each.speed.search:.4f}")),
        ]
        for each in compared
    ]
    note = (
        "Training: all folds together. Real-time factor: seconds of computing per second of test audio, without "
        "features. Times depend on the machine of each run."
    )
    return Cells("Size and speed", ["run", "parameters", "training (s)", "RTF, model", "RTF, search"], rows, note)


def differences_table(first: Compared, found: Iterable[tuple[Compared, dict[Treatment, Difference]]]) -> Cells:
    """One row per run: its PER minus the first one's, silence counted, and whether that is significant."""
    rows = []
    for other, by_treatment in found:
        counted = by_treatment["counted"]
        low, high = counted.interval
        bounds = f"{low:+.1f} to {high:+.1f}"
        rows.append([other.name, f"{counted.points:+.1f}", bounds, f"{counted.improvement:.3f}", counted.verdict])
    note = (
        f"Paired bootstrap over {first.scores.resampled}, silence counted. P: probability that the run has fewer "
        f"errors than {first.name}; better or worse: the interval is on one side of zero. It does not cover the "
        f"variation between training seeds."
    )
    if (blocks := len(first.scores.blocks)) < FEW_BLOCKS:
        note += f" {blocks} {first.scores.resampled} are few, so the intervals are too narrow."
    return Cells(f"PER minus that of {first.name}", ["run", "points", "95% interval", "P", "verdict"], rows, note)


def settings_table(compared: Sequence[Compared]) -> Cells:
    """One row per setting in which the recipes differ."""
    settings = [_flat(each.recipe.model_dump(mode="json")) if each.recipe else {} for each in compared]
    keys = dict.fromkeys(key for each in settings for key in each)
    rows = []
    for key in keys:
        values = [str(each.get(key, MISSING)) for each in settings]
        if len(set(values)) > 1 and key not in SAME_EVERYWHERE:
            rows.append([key, *values])
    note = "" if rows else "None."
    return Cells("Settings that differ", ["setting", *(each.name for each in compared)], rows, note)


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
