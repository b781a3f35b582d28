"""Reads a tier of a Praat TextGrid as a transcript: the long, short and chronological text forms, and praatio's JSON.

Praat reads the numbers and quoted texts that stand free, in order, and skips everything else and what follows a `!`
(https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html). The long and the short form differ only in what
Praat skips. A tier is checked when it is read, so a broken one does no harm to the others. Praatio's own reader is not
used: it takes only one layout of the long and the short form, reads a file that is cut off as if it were whole, and
refuses a file for one broken tier.
"""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from asr.errors import InputError, listed
from asr.formats.pauses import with_pauses
from asr.storage.json_text import parse_json
from asr.storage.text import read_text

Segment = tuple[float, float, str]
"""Start and end (s), and label."""

ROUNDING = 1e-4
"""Seconds by which an interval may begin before the last one ends."""

SPEAKER_ENDS = " - "
"""Follows the speaker's name in the name of a tier, as MFA writes it."""

_INTERVALS, _POINTS = "IntervalTier", "TextTier"
_CHRONOLOGICAL = "Praat chronological TextGrid text file"
_VALUE = re.compile(
    r'"((?:[^"]|"")*+)"|!.*|(?<![^\s=])([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![^\s!])|[^\s"!=]+', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Tier:
    """A tier: `values` are the numbers and texts of its entries in order, `size` how many entries it should have."""

    name: str
    kind: str
    size: float
    values: list[Any]


class NoTierError(InputError):
    """A TextGrid has no tier of phones or words, which are wanted."""


class TextGrid:
    """A TextGrid, read once for all its tiers. Raises InputError for a file that is not one."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._tiers = _read(self._path)

    def has(self, tier: str) -> bool:
        """Whether there is an interval tier that `intervals` would read."""
        return bool(self._called(tier))

    @property
    def interval_tiers(self) -> list[str]:
        """The names of the tiers that `intervals` reads."""
        return [each.name for each in self._tiers if each.kind == _INTERVALS]

    def speakers(self, tier: str) -> dict[str, str]:
        """The tiers `SPEAKER - phones`, say, by their speakers, where several have labels; else none."""
        names = [each.name for each in self._called(tier) if _has_labels(each)]
        found = {name.rpartition(SPEAKER_ENDS)[0].strip(): name for name in names}
        return found if len(names) == len(found) > 1 and all(found) else {}

    def intervals(self, tier: str) -> list[Segment]:
        """The intervals of a tier (`phones` or `words`) in order, the empty ones too.

        Without a tier of that name, it is the only one named `phone` or `SPEAKER - phones`, say, in any letter case.
        Raises NoTierError where there is no such tier, and InputError where several have labels or it is broken.
        """
        found = self._called(tier)
        if not found:
            known = listed(each.name + " (of points)" * (each.kind == _POINTS) for each in self._tiers)
            raise NoTierError(f"has no interval tier {tier!r}; it has {known or 'none'}", self._path)
        if len(found) > 1:
            found = [each for each in found if _has_labels(each)] or [found[0]]
        if len(found) > 1:
            names = listed(each.name for each in found)
            raise InputError(f"has {len(found)} tiers of {tier} ({names}); keep one, or rename the others", self._path)
        try:
            return _intervals(found[0])
        except ValueError as error:
            raise InputError(f"tier {found[0].name!r} cannot be read: {error}", self._path) from error

    def _called(self, tier: str) -> list[_Tier]:
        tiers = [each for each in self._tiers if each.kind == _INTERVALS]
        return [each for each in tiers if each.name == tier] or [each for each in tiers if is_called(each.name, tier)]


def read_tier(path: Path | str, tier: str) -> list[Segment]:
    """The intervals of a tier of a file. Raises InputError as `TextGrid` and its `intervals` do."""
    return TextGrid(path).intervals(tier)


def read_transcript(path: Path, tier: str, audio: Path) -> str:
    """The labels of that tier with spaces between them, and PAUSE where phones have an empty interval between them.

    Raises InputError as `TextGrid` and its `intervals` do.
    """
    grid = TextGrid(path)
    if tier == "phones" and not grid.has(tier) and grid.interval_tiers:
        message = (
            f"has no interval tier 'phones'; it has {listed(grid.interval_tiers)}; if these have words, use --lexicon"
        )
        raise NoTierError(message, path)
    if not grid.has("words") and not grid.has("phones"):
        for speaker in grid.interval_tiers:
            grid.intervals(speaker)  # raises the reason why they are not utterances of speakers
    segments = grid.intervals(tier)
    return " ".join(with_pauses(segments) if tier == "phones" else (label for _, _, label in segments if label))


def _read(path: Path) -> list[_Tier]:
    try:
        return _tiers(read_text(path, fallback=True))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = str(error) if isinstance(error, ValueError) else "its JSON is not praatio's"
        raise InputError(f"not a Praat TextGrid that can be read: {reason}", path) from error


def is_called(name: str, tier: str) -> bool:
    """Whether a tier's name means `tier`, as other aligners write it: phone, Phones, SPEAKER - phones."""
    tier = tier.lower()
    return name.lower().rpartition(SPEAKER_ENDS)[2].strip() in (tier, tier.removesuffix("s"))


def _has_labels(tier: _Tier) -> bool:
    return any(isinstance(value, str) and value for value in tier.values)


def _tiers(text: str) -> list[_Tier]:
    """The tiers of a TextGrid, not checked. Raises ValueError with the reason for what is not a TextGrid."""
    if text.lstrip().startswith(("{", "[")):
        return _json_tiers(parse_json(text))
    values: list[Any] = [
        float(match[2]) if match[2] else match[1].replace('""', '"').strip()
        for match in _VALUE.finditer(text)
        if match[1] is not None or match[2]
    ]
    if not values or not isinstance(values[0], str):
        raise ValueError("it has no header; save it again as a text file")
    starts = [place for place in range(len(values)) if _begins_tier(values[place : place + 5], values[0])]
    if values[0] == _CHRONOLOGICAL:
        return _chronological_tiers(values, starts)
    if values[1:2] != ["TextGrid"]:
        raise ValueError("it is not a TextGrid; save it again as a text file")
    if not starts:
        raise ValueError("it has no tier whose start and end are numbers such as 0.5; save it again as a text file")
    ends = [*starts[1:], len(values)]
    return [
        _Tier(values[start + 1], values[start], values[start + 4], values[start + 5 : end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _begins_tier(values: Sequence[Any], header: str) -> bool:
    """Whether values are the class, name, start, end and, but in the chronological form, number of entries of a tier.

    In an entry, a number follows each text.
    """
    numbers = 2 if header == _CHRONOLOGICAL else 3
    return (
        len(values) >= 2 + numbers
        and values[0] in (_INTERVALS, _POINTS)
        and isinstance(values[1], str)
        and all(isinstance(value, float) for value in values[2 : 2 + numbers])
    )


def _chronological_tiers(values: list[Any], starts: list[int]) -> list[_Tier]:
    """The tiers of the form in which entries come in the order of their times, each with the number of its tier."""
    entries: dict[int, list[Any]] = defaultdict(list)
    kinds = [values[start] for start in starts]
    place = starts[-1] + 4 if starts else len(values)
    while place < len(values):
        number = values[place]
        if number not in range(1, len(kinds) + 1):
            raise ValueError(f"expected the number of a tier, found {str(number)!r}")
        length = 3 if kinds[int(number) - 1] == _INTERVALS else 2
        entries[int(number)] += values[place + 1 : place + 1 + length]
        place += 1 + length
    return [
        _Tier(values[start + 1], kind, math.ceil(len(entries[number]) / 3), entries[number])
        for number, (start, kind) in enumerate(zip(starts, kinds, strict=True), 1)
    ]


def _json_tiers(value: Any) -> list[_Tier]:
    """The tiers, not checked, of praatio's two forms of JSON: by their names, or in a list as in Praat."""
    if not isinstance(value, dict):
        raise ValueError("its JSON is not an object")
    tiers = value["tiers"]
    if isinstance(tiers, dict):
        tiers = [{"name": name, "class": tier["type"], "entries": tier["entries"]} for name, tier in tiers.items()]
    known = []
    for tier in tiers:
        values = list(chain.from_iterable(map(_entry, tier["entries"])))
        known.append(_Tier(str(tier["name"]), str(tier["class"]), len(tier["entries"]), values))
    return known


def _entry(values: list[Any]) -> list[Any]:
    """An entry of a JSON: numbers, which may be texts, and a label."""
    *times, label = values
    return [*map(float, times), label.strip()]


def _intervals(tier: _Tier) -> list[Segment]:
    """The intervals of a tier. Raises ValueError that says what is wrong with it."""
    segments = []
    reached = -math.inf
    for place in range(0, len(tier.values), 3):
        match tier.values[place : place + 3]:
            case [float() as start, float() as end, str() as label]:
                segments.append((start, end, label))
            case _:
                raise ValueError(f"interval {len(segments) + 1} is not a start, an end and a text")
        if not (math.isfinite(end) and reached - ROUNDING <= start <= end):
            raise ValueError(
                f"interval {len(segments)} ({start:g} to {end:g} s) overlaps the last, or ends before it starts; "
                "correct its times"
            )
        reached = end
    if len(segments) != tier.size:
        raise ValueError(f"it should have {tier.size:g} intervals and has {len(segments)}: is the file cut off?")
    return segments
