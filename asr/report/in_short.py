"""What the report says first: how often the system errs, and where most."""

from collections.abc import Sequence
from typing import Any

from asr.phones.phone_set import AnyPhoneSet, silences
from asr.report.error_analysis import Tally

MOST_SUBSTITUTIONS = 3


def in_short(
    counted: dict[str, Any], frequent: dict[str, list[dict[str, Any]]], classes: Sequence[Tally], phones: AnyPhoneSet
) -> dict[str, Any]:
    """Errors for 100 phones of the reference (silence `counted`), the most `frequent` of each kind without silence, and
    the hardest and easiest of the `classes` of phones."""
    silent = silences(phones)
    spoken = {
        kind: [row for row in rows if not {row["reference"], row["hypothesis"]} & silent]
        for kind, rows in frequent.items()
    }
    scored = sorted((-each.per, each.name) for each in classes if each.name != "silence" and each.per is not None)
    return {
        "rates": {name: 100 * counted[name] / counted["reference_phones"] for name in frequent},
        "substitutions": spoken["substitutions"][:MOST_SUBSTITUTIONS],
        "deletion": next(iter(spoken["deletions"]), None),
        "insertion": next(iter(spoken["insertions"]), None),
        "classes": [(name, -per) for per, name in (scored[0], scored[-1])] if len(scored) > 1 else [],
    }
