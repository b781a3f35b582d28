"""Forced alignments of a split down to HMM states: what training takes its frame labels from."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from lhotse import MonoCut

from asr.config import RecipeConfig
from asr.corpora.cuts import has_words, phone_sequence
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.phones.folding import fold
from asr.storage.files import complete_file, file_digest
from asr.storage.json_files import numbered_jsonl

SCHEMA = 1


@dataclass(frozen=True)
class StateAlignment:
    """The phones of an utterance, in the targets' phone set, and the times of their HMM states, S for each phone.

    `times` [N * S + 1], in seconds: when each state begins, and when the last one ends. The states cover the
    utterance. Without phones, no frame of the utterance is labelled.
    """

    phones: list[str] = field(default_factory=list)
    times: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def states(self) -> int:
        """The number of HMM states of a phone."""
        return (len(self.times) - 1) // max(len(self.phones), 1)

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """[N + 1]: when each phone begins, and when the last one ends."""
        return self.times[:: max(self.states, 1)]

    @property
    def segments(self) -> list[PhoneSegment]:
        spans = pairwise(self.edges.tolist())
        return [PhoneSegment(phone, *span) for phone, span in zip(self.phones, spans, strict=True)]

    def with_edges(self, edges: npt.NDArray[np.float64]) -> "StateAlignment":
        """The phones with other times [N + 1]; their states keep their shares of them."""
        return StateAlignment(self.phones, np.interp(self.times, self.edges, edges).round(6))

    @classmethod
    def split_evenly(cls, phones: list[str], edges: Iterable[float], states: int) -> "StateAlignment":
        """Phones with the times `edges` [N + 1] of their boundaries, each phone split evenly among its states."""
        times = np.array(list(edges), np.float64)
        places = np.arange(len(phones) * states + 1) / states
        return cls(phones, np.interp(places, np.arange(len(times)), times).round(6))


Alignments = Mapping[str, StateAlignment]
"""The alignment of each utterance."""
AlignmentRow = tuple[str, StateAlignment | None, str | None]
"""An utterance, its alignment, and the reason why it could not be aligned."""
NO_ALIGNMENTS: Alignments = MappingProxyType({})


@dataclass(frozen=True)
class AlignedSplit:
    """A split's alignments; `source` says what they were made from, `digest` is that of the file.

    `failed` are the utterances that could not be aligned, with the reason: they have their previous alignment; or none,
    where they keep the corpus's own times; or one without phones, where there are no such times.
    """

    source: str
    digest: str
    alignments: Alignments
    failed: dict[str, str]


def said_phones(cut: MonoCut, config: RecipeConfig, alignments: Alignments) -> list[str]:
    """The phones of a cut in the targets' phone set: in the pronunciations that its alignment chose, where it has one.

    For an HMM they include the silences that were found. For CTC, only pronunciations of words are chosen.
    """
    aligned = alignments.get(cut.id)
    if aligned is None or not aligned.phones or (config.topology == "ctc" and not has_words(cut)):
        return fold(phone_sequence(cut), config.targets.phone_set)
    if config.topology == "hmm":
        return aligned.phones
    return [phone for phone in aligned.phones if phone not in config.targets.phone_set.silences]


def write_alignments(path: Path, source: str, rows: Iterable[AlignmentRow]) -> None:
    """Writes the alignments of a split one by one.

    One JSON line for each utterance, as in hypotheses.jsonl; `states` has the times at which a phone's second and third
    state begin. An utterance with neither an alignment nor a reason is not written.
    """
    with complete_file(path) as file:
        file.write(json.dumps({"schema": SCHEMA, "source": source}) + "\n")
        for utterance, aligned, reason in rows:
            row: dict[str, Any] = {"utterance": utterance}
            if aligned is not None:
                row["phones"] = _phone_rows(aligned)
            if reason is not None:
                row["failed"] = reason
            if len(row) > 1:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _phone_rows(aligned: StateAlignment) -> list[dict[str, Any]]:
    states, times = aligned.states, aligned.times.round(6).tolist()
    rows = []
    for number, phone in enumerate(aligned.phones):
        start, *inner, end = times[number * states : (number + 1) * states + 1]
        rows.append({"phone": phone, "start": start, "end": end} | ({"states": inner} if inner else {}))
    return rows


def read_aligned_split(path: Path) -> AlignedSplit:
    """Reads what `write_alignments` wrote. Raises InputError with the number of a damaged line."""
    rows = numbered_jsonl(path)
    _, head = next(rows, (1, {}))
    if head.get("schema") != SCHEMA:
        raise InputError("is not a file of alignments; delete it to align again", path, 1)
    alignments: dict[str, StateAlignment] = {}
    failed: dict[str, str] = {}
    for number, row in rows:
        try:
            name = row["utterance"]
            if not isinstance(name, str):
                raise TypeError("utterance must be text")
            if "phones" in row:
                alignments[name] = _alignment(row["phones"])
            if "failed" in row:
                failed[name] = str(row["failed"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError("is not an alignment; delete the file to align again", path, number) from error
    return AlignedSplit(str(head.get("source")), file_digest(path), alignments, failed)


def _alignment(rows: list[dict[str, Any]]) -> StateAlignment:
    if not rows:
        return StateAlignment()
    times = [float(time) for row in rows for time in (row["start"], *row.get("states", ()))]
    times.append(float(rows[-1]["end"]))
    if not all(map(math.isfinite, times)):
        raise ValueError("times must be numbers")
    return StateAlignment([str(row["phone"]) for row in rows], np.array(times))
