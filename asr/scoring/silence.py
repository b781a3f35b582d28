"""The three ways in which published TIMIT figures treat silence.

Folding TIMIT's 61 symbols to 39 turns closures and pauses into one symbol, so silences are a fifth of the reference and
their treatment changes the PER by a point or more. Who uses which was read from the recipes' own code and results:

- `counted`: runs of silence become one on each side, and silence is a phone like any other. SpeechBrain merges the
  runs of its references (recipes/TIMIT/timit_prepare.py). Kaldi's s5 counts silence since November 2014 (commit
  bdd752b4) but merges nothing: 7,215 reference phones in the core test set.
- `optional`: nothing is merged, and a silence of the reference may be missing at no cost. Kaldi's s5 until November
  2014 writes `(sil)` into its STM, and sclite runs with its option -D; pytorch-kaldi's local/score.sh does the same,
  and the result in its README has those 7,215 reference phones.
- `removed`: silence is removed from both sides; pytorch-kaldi's other script, local/score_phrich.sh.

A corpus may not transcribe silence at all (speechocean762). A silence in a hypothesis is then neither right nor wrong:
where no reference has one, it is removed from the hypotheses first, and the three treatments give the same figure.
"""

from collections.abc import Iterable
from typing import Literal

Treatment = Literal["counted", "optional", "removed"]
TREATMENTS: tuple[Treatment, ...] = ("counted", "optional", "removed")

USED_BY: dict[Treatment, str] = {
    "counted": "SpeechBrain",
    "optional": "Kaldi s5 to 2014, pytorch-kaldi",
    "removed": "pytorch-kaldi's score_phrich",
}
"""Who counts like each row of a table."""

NOTE = "Kaldi s5 since Nov 2014: counted, but runs of silence unmerged"
"""Who counts like no row of a table."""

UNTRANSCRIBED = (
    "The references have no silence, so it was removed from the hypotheses, and the three treatments are the same."
)

RULES: dict[Treatment, str] = {
    "counted": "runs of silence merged on each side; silence is a phone like any other",
    "optional": "runs kept; a silence of the reference may be missing at no cost",
    "removed": "silence removed from both sides",
}


def transcribed(references: Iterable[Iterable[str]], silence: frozenset[str]) -> bool:
    """Whether any of the references has a silence."""
    return any(symbol in silence for symbols in references for symbol in symbols)


def treat(symbols: Iterable[str], treatment: Treatment, silence: frozenset[str]) -> list[str]:
    """The part of a phone string that is aligned under a treatment."""
    if treatment == "optional":
        return list(symbols)
    if treatment == "removed":
        return [symbol for symbol in symbols if symbol not in silence]
    return _merge_runs(symbols, silence)


def deletable(treatment: Treatment, silence: frozenset[str]) -> frozenset[str]:
    """The reference symbols whose deletion is not an error under a treatment."""
    return silence if treatment == "optional" else frozenset()


def _merge_runs(symbols: Iterable[str], silence: frozenset[str]) -> list[str]:
    merged: list[str] = []
    for symbol in symbols:
        if not (symbol in silence and merged and merged[-1] in silence):
            merged.append(symbol)
    return merged
