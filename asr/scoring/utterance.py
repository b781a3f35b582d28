"""Scored utterances: one aligned in every treatment of silence, and many of them in little memory."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from asr.scoring.edit_alignment import Counts, EditPair
from asr.scoring.silence import TREATMENTS, Treatment
from asr.storage.files import cannot_write

IN_MEMORY = 1 << 26
"""Bytes of alignments above which they wait in a temporary file."""


@dataclass(frozen=True, slots=True)
class UtteranceScore:
    """One utterance aligned in every treatment of silence; a line of utterances.jsonl.

    `pronounced` is whether its reference is words in those pronunciations that fit the hypothesis best; `corpus` where
    it is from, if the test set is from several.
    """

    utterance: str
    speaker: str
    counts: dict[Treatment, Counts]
    alignments: dict[Treatment, list[EditPair]]
    pronounced: bool = False
    corpus: str | None = None

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "utterance": self.utterance,
            "speaker": self.speaker,
            "counts": {treatment: counts.to_json() for treatment, counts in self.counts.items()},
            "alignments": self.alignments,
        }
        if self.pronounced:
            row["pronounced"] = True
        return row if self.corpus is None else row | {"corpus": self.corpus}


class ScoredUtterances(Sequence[UtteranceScore]):
    """Scored utterances by speaker, then by name. In memory are the names and counts, some 200 bytes an utterance."""

    def __init__(self, utterances: Iterable[UtteranceScore]) -> None:
        """Raises OutputError where the temporary file cannot be written."""
        self._names: list[str] = []
        self._speakers: list[str] = []
        self._known: dict[str, str] = {}
        self._counts = array("q")
        self._pronounced = bytearray()
        self._corpora: list[str | None] = []
        self._ends = array("Q", [0])
        self._codes: dict[EditPair, int] = {}
        self._alignments = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives as long as this object
        try:
            for each in utterances:
                self._add(each)
        except OSError as error:
            raise cannot_write(Path(tempfile.gettempdir()), error) from error
        self._pairs = list(self._codes)
        self._order = sorted(range(len(self._names)), key=lambda place: (self._speakers[place], self._names[place]))

    def _add(self, item: UtteranceScore) -> None:
        self._names.append(item.utterance)
        self._speakers.append(self._known.setdefault(item.speaker, item.speaker))
        self._pronounced.append(item.pronounced)
        self._corpora.append(item.corpus and self._known.setdefault(item.corpus, item.corpus))
        parts = [[self._code(pair) for pair in item.alignments[treatment]] for treatment in TREATMENTS]
        for treatment in TREATMENTS:
            counts = item.counts[treatment]
            self._counts.extend((counts.substitutions, counts.deletions, counts.insertions, counts.reference_phones))
        stored = array("I", [*map(len, parts), *(code for part in parts for code in part)]).tobytes()
        self._alignments.write(stored)
        self._ends.append(self._ends[-1] + len(stored))

    def _code(self, pair: EditPair) -> int:
        codes = self._codes
        if (code := codes.get(pair)) is None:
            code = codes[pair] = len(codes)
        return code

    @property
    def names(self) -> list[str]:
        return [self._names[place] for place in self._order]

    @property
    def speakers(self) -> list[str]:
        return [self._speakers[place] for place in self._order]

    @property
    def corpora(self) -> list[str | None]:
        return [self._corpora[place] for place in self._order]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """[utterances, treatments, 4]: substitutions, deletions, insertions and reference phones."""
        return np.array(self._counts, np.int64).reshape(-1, len(TREATMENTS), 4)[self._order]

    @property
    def pairs(self) -> list[EditPair]:
        """Each pair that an alignment has, once."""
        return self._pairs

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> UtteranceScore: ...
    @overload
    def __getitem__(self, index: slice) -> list[UtteranceScore]: ...
    def __getitem__(self, index: int | slice) -> UtteranceScore | list[UtteranceScore]:
        if isinstance(index, slice):
            return [self._read(place) for place in self._order[index]]
        return self._read(self._order[index])

    def __iter__(self) -> Iterator[UtteranceScore]:
        return map(self._read, self._order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _read(self, place: int) -> UtteranceScore:
        self._alignments.seek(self._ends[place])
        stored = array("I", self._alignments.read(self._ends[place + 1] - self._ends[place]))
        start, alignments, counts = len(TREATMENTS), {}, {}
        width = 4 * len(TREATMENTS)
        numbers = self._counts[place * width : (place + 1) * width]
        for number, treatment in enumerate(TREATMENTS):
            end = start + stored[number]
            alignments[treatment] = [self._pairs[code] for code in stored[start:end]]
            counts[treatment] = Counts(*numbers[4 * number : 4 * number + 4])
            start = end
        return UtteranceScore(
            self._names[place],
            self._speakers[place],
            counts,
            alignments,
            bool(self._pronounced[place]),
            self._corpora[place],
        )
