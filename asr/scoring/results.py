"""Scores of an utterance and of a set of utterances, and the files of a score folder."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.phones.phone_set import silences
from asr.scoring.bootstrap import intervals
from asr.scoring.edit_alignment import Counts, EditPair
from asr.scoring.silence import TREATMENTS, Treatment
from asr.scoring.utterance import ScoredUtterances, UtteranceScore
from asr.storage.files import write_text
from asr.storage.json_files import numbered_jsonl, write_json, write_jsonl
from asr.storage.run_layout import CONFUSIONS, RESULTS, UTTERANCES

SCHEMA = 1
UNKNOWN_SPEAKER = "unknown"

_ERRORS, _PHONES = slice(0, 3), 3
"""The places of a row of counts."""


@dataclass(frozen=True, slots=True)
class TreatmentScore:
    """Summed counts under one treatment of silence, and the 95% interval of the PER in per cent."""

    counts: Counts
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        return _with_per(self.counts) | {"interval": [round(bound, 3) for bound in self.interval]}


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Scores of a set of utterances: overall, by speaker, by corpus where there are several, and each utterance's
    alignments."""

    phone_set: str
    resampled: str
    silence_transcribed: bool
    treatments: dict[Treatment, TreatmentScore]
    by_speaker: dict[str, dict[Treatment, Counts]]
    utterances: ScoredUtterances
    by_corpus: dict[str, dict[Treatment, Counts]] = field(default_factory=dict)

    @property
    def blocks(self) -> list[dict[Treatment, Counts]]:
        """The counts of what the intervals resample: speakers or utterances."""
        if self.resampled == "speakers":
            return list(self.by_speaker.values())
        return [item.counts for item in self.utterances]

    def to_json(self) -> dict[str, Any]:
        """The content of results.json; `resampled` is what the bootstrap resampled.

        `silence_transcribed` is false where no reference has a silence, so that the three treatments are the same.
        """
        return {
            "schema": SCHEMA,
            "phone_set": self.phone_set,
            "utterances": len(self.utterances),
            "speakers": len(self.by_speaker.keys() - {UNKNOWN_SPEAKER}),
            "resampled": self.resampled,
            "silence_transcribed": self.silence_transcribed,
            **self.treatments_json(),
            "by_speaker": _rows(self.by_speaker),
            **({"by_corpus": _rows(self.by_corpus)} if self.by_corpus else {}),
        }

    def treatments_json(self) -> dict[str, Any]:
        """Only the figures of each treatment of silence."""
        return {treatment: score.to_json() for treatment, score in self.treatments.items()}


def summarize(utterances: Iterable[UtteranceScore], config: ScoringConfig, seed: int = 0) -> ScoreResult:
    """Sums the counts of scored utterances and draws the intervals, each treatment's from the same seed.

    The intervals resample speakers, because the errors of a speaker's utterances are correlated; or utterances, where
    there are fewer than two speakers or some are unknown. Raises InputError for an utterance that occurs twice and
    where there are no reference phones.
    """
    scored = utterances if isinstance(utterances, ScoredUtterances) else ScoredUtterances(utterances)
    if repeated := [name for name, times in Counter(scored.names).items() if times > 1]:
        raise InputError(f"utterance {repeated[0]} is scored twice; it must be in one fold only")
    counts, by_speaker = scored.counts, _by_speaker(scored)
    by_speaker_resampling = len(by_speaker) > 1 and UNKNOWN_SPEAKER not in by_speaker
    blocks = np.stack(list(by_speaker.values())) if by_speaker_resampling else counts
    if not len(counts) or not counts[:, :, _PHONES].sum(axis=0).all():
        raise InputError("the references have no phones to score")
    errors, phones = list(blocks[:, :, _ERRORS].sum(axis=2).T), list(blocks[:, :, _PHONES].T)
    bounds = intervals(errors, phones, config.bootstrap, seed)
    silence = silences(config.phone_set)
    return ScoreResult(
        phone_set=str(config.phone_set),
        resampled="speakers" if by_speaker_resampling else "utterances",
        silence_transcribed=any(reference in silence for reference, _ in scored.pairs),
        treatments={
            treatment: TreatmentScore(counted, interval)
            for (treatment, counted), interval in zip(_summed(counts.sum(axis=0)).items(), bounds, strict=True)
        },
        by_speaker={speaker: _summed(sums) for speaker, sums in by_speaker.items()},
        utterances=scored,
        by_corpus=_by_corpus(scored, counts),
    )


def _by_speaker(scored: ScoredUtterances) -> dict[str, npt.NDArray[np.int64]]:
    """The summed counts of each speaker: [treatments, 4]."""
    speakers = scored.speakers
    firsts = [place for place, speaker in enumerate(speakers) if place == 0 or speaker != speakers[place - 1]]
    if not firsts:
        return {}
    sums = np.add.reduceat(scored.counts, firsts, axis=0)
    return {speakers[first]: sums[number] for number, first in enumerate(firsts)}


def _by_corpus(scored: ScoredUtterances, counts: npt.NDArray[np.int64]) -> dict[str, dict[Treatment, Counts]]:
    """The summed counts of each corpus, in the order of their names; nothing where the utterances have none."""
    corpora = np.array([corpus or "" for corpus in scored.corpora])
    return {str(name): _summed(counts[corpora == name].sum(axis=0)) for name in np.unique(corpora) if name}


def _rows(groups: dict[str, dict[Treatment, Counts]]) -> dict[str, Any]:
    return {
        name: {treatment: _with_per(counts) for treatment, counts in treatments.items()}
        for name, treatments in groups.items()
    }


def _summed(counts: npt.NDArray[np.int64]) -> dict[Treatment, Counts]:
    return {treatment: Counts(*row) for treatment, row in zip(TREATMENTS, counts.tolist(), strict=True)}


def confusions(utterances: Iterable[UtteranceScore], treatment: Treatment = "counted") -> Counter[EditPair]:
    """How often each pair (reference, hypothesis) is aligned."""
    return Counter(pair for item in utterances for pair in item.alignments[treatment])


def ranked(pairs: Counter[EditPair]) -> list[tuple[EditPair, int]]:
    """Pairs with their counts, most frequent first, then by their symbols."""
    return sorted(pairs.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))


def worst(utterances: Iterable[UtteranceScore], number: int = 20) -> list[UtteranceScore]:
    """The utterances with the highest PER, silence counted; with equal PER, more errors come first."""

    def rank(item: UtteranceScore) -> tuple[float, int, str]:
        counts = item.counts["counted"]
        return -counts.errors / max(counts.reference_phones, 1), -counts.errors, item.utterance

    return sorted(utterances, key=rank)[:number]


def write_result(result: ScoreResult, out_dir: Path | str) -> None:
    """Writes a score folder: utterances.jsonl, confusions.tsv (silence counted) and results.json."""
    folder = Path(out_dir)
    pairs: Counter[EditPair] = Counter()

    def lines() -> Iterator[dict[str, Any]]:
        for item in result.utterances:
            pairs.update(item.alignments["counted"])
            yield item.to_json()

    write_jsonl(folder / UTTERANCES, lines())
    rows = [f"{ref or ''}\t{hyp or ''}\t{times}\n" for (ref, hyp), times in ranked(pairs)]
    write_text(folder / CONFUSIONS, "reference\thypothesis\tcount\n" + "".join(rows))
    write_json(folder / RESULTS, result.to_json())


def read_utterances(path: Path | str) -> list[UtteranceScore]:
    """Reads utterances.jsonl. Raises InputError with the line that is not a scored utterance."""
    utterances = []
    for number, row in numbered_jsonl(path):
        try:
            utterances.append(_utterance(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"not a scored utterance ({error}); rerun the score stage", path, number) from error
    return utterances


def _utterance(row: dict[str, Any]) -> UtteranceScore:
    return UtteranceScore(
        utterance=str(row["utterance"]),
        speaker=str(row["speaker"]),
        counts={treatment: _counts(row["counts"][treatment], f"counts.{treatment}") for treatment in TREATMENTS},
        alignments={treatment: _pairs(row["alignments"][treatment], treatment) for treatment in TREATMENTS},
        pronounced=row.get("pronounced") is True,
        corpus=None if row.get("corpus") is None else str(row["corpus"]),
    )


def _counts(row: dict[str, Any], name: str) -> Counts:
    for key, value in row.items():
        if type(value) is not int or value < 0:
            raise ValueError(f"{name}.{key} must be a whole number, not {value!r}")
    return Counts(**row)


def _pairs(rows: list[Any], treatment: Treatment) -> list[EditPair]:
    pairs = [(reference, hypothesis) for reference, hypothesis in rows]
    if not all(isinstance(symbol, str | None) for pair in pairs for symbol in pair):
        raise ValueError(f"alignments.{treatment} must be pairs of phones or null")
    return pairs


def _with_per(counts: Counts) -> dict[str, Any]:
    return {"per": None if counts.per is None else round(counts.per, 3)} | counts.to_json()
