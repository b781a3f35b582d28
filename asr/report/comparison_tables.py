"""The tables of a comparison: what each run scored and cost, how it differs from the first, and in which settings."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asr.report.comparison import Compared
from asr.report.escaping import latex, markdown
from asr.report.tables import percent, size
from asr.scoring.compare import Difference
from asr.scoring.matched_pairs import matched_pairs
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
        """The rows as a Markdown table, and the note."""
        alignment = ["---", *["---:"] * (len(self.header) - 1)]
        rows = "\n".join(f"| {' | '.join(map(markdown, row))} |" for row in (self.header, alignment, *self.rows))
        return f"{rows}\n\n{markdown(self.note)}".strip()

    def latex(self) -> str:
        """The rows as a table with the rules of booktabs; the note is its caption."""
        head, *rows = (" & ".join(map(latex, row)) + r" \\" for row in (self.header, *self.rows))
        columns = "l" + "r" * (len(self.header) - 1)
        lines = (
            r"\begin{table}",
            r"\centering",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{latex(f'{self.title}. {self.note}')}}}",
            r"\end{table}",
        )
        return "\n".join(lines)

    def csv(self) -> str:
        """The rows as comma-separated values, with plain numbers, nothing for what is missing, and without the note."""
        text = io.StringIO()
        rows = [
            [name, *("" if cell == MISSING else cell.replace(",", "") for cell in cells)] for name, *cells in self.rows
        ]
        csv.writer(text, lineterminator="\n").writerows([self.header, *rows])
        return text.getvalue().rstrip("\n")


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
        "Training: all folds together. Real-time factor: seconds per second of test audio, without features; those of "
        "the model are what the search waits for its scores. Times depend on the machine of each run."
    )
    return Cells("Size and speed", ["run", "parameters", "training (s)", "RTF, model", "RTF, search"], rows, note)


def differences_table(first: Compared, found: Iterable[tuple[Compared, dict[Treatment, Difference]]]) -> Cells:
    """One row per run: its PER minus the first one's, silence counted, and whether that is significant."""
    rows = []
    for other, by_treatment in found:
        counted = by_treatment["counted"]
        low, high = counted.interval
        bounds = f"{low:+.1f} to {high:+.1f}"
        pairs = matched_pairs(first.scores, other.scores)
        p = "<0.001" if pairs.p < 0.001 else f"{pairs.p:.3f}"
        figures = f"{counted.points:+.1f}", bounds, f"{counted.improvement:.3f}", p
        rows.append([other.name, *figures, counted.verdict])
    note = (
        f"Paired bootstrap over {first.scores.resampled}, silence counted. P: probability that the run has fewer "
        f"errors than {first.name}; better or worse: the interval is on one side of zero. MAPSSWE: p of NIST's matched "
        f"pairs, over segments of utterances. Neither covers the variation between training seeds."
    )
    if (blocks := len(first.scores.blocks)) < FEW_BLOCKS:
        note += f" {blocks} {first.scores.resampled} are few, so the intervals are too narrow."
    return Cells(
        f"PER minus that of {first.name}", ["run", "points", "95% interval", "P", "MAPSSWE", "verdict"], rows, note
    )


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
