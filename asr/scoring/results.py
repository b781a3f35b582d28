"""Scores of an utterance and of a set of utterances, and the files of a score folder."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.phones.phone_set import silences
from asr.scoring.bootstrap import interval
from asr.scoring.edit_alignment import Counts, EditPair
from asr.scoring.silence import TREATMENTS, Treatment, transcribed
from asr.storage.files import numbered_jsonl, write_json, write_jsonl, write_text
from asr.storage.run_layout import CONFUSIONS, RESULTS, UTTERANCES

SCHEMA = 1
UNKNOWN_SPEAKER = "unknown"


@dataclass(frozen=True, slots=True)
class UtteranceScore:
    """One utterance aligned in every treatment of silence; a line of utterances.jsonl."""

    utterance: str
    speaker: str
    counts: dict[Treatment, Counts]
    alignments: dict[Treatment, list[EditPair]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TreatmentScore:
    """Summed counts under one treatment of silence, and the 95% interval of the PER in per cent."""

    counts: Counts
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        return _with_per(self.counts) | {"interval": [round(bound, 3) for bound in self.interval]}


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Scores of a set of utterances: overall, by speaker, and each utterance's alignments."""

    phone_set: str
    resampled: str
    silence_transcribed: bool
    treatments: dict[Treatment, TreatmentScore]
    by_speaker: dict[str, dict[Treatment, Counts]]
    utterances: list[UtteranceScore]

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
            "by_speaker": {
                speaker: {treatment: _with_per(counts) for treatment, counts in treatments.items()}
                for speaker, treatments in self.by_speaker.items()
            },
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
    ordered = sorted(utterances, key=lambda item: (item.speaker, item.utterance))
    if repeated := [name for name, times in Counter(item.utterance for item in ordered).items() if times > 1]:
        raise InputError(f"utterance {repeated[0]} is scored twice; it must be in one fold only")
    by_speaker: dict[str, dict[Treatment, Counts]] = {}
    for item in ordered:
        sums = by_speaker.setdefault(item.speaker, {treatment: Counts() for treatment in TREATMENTS})
        for treatment in TREATMENTS:
            sums[treatment] += item.counts[treatment]
    by_speaker_resampling = len(by_speaker) > 1 and UNKNOWN_SPEAKER not in by_speaker
    blocks = list(by_speaker.values()) if by_speaker_resampling else [item.counts for item in ordered]
    return ScoreResult(
        phone_set=str(config.phone_set),
        resampled="speakers" if by_speaker_resampling else "utterances",
        silence_transcribed=transcribed(
            ((ref for ref, _ in item.alignments["counted"] if ref) for item in ordered), silences(config.phone_set)
        ),
        treatments={name: _sum([block[name] for block in blocks], config.bootstrap, seed) for name in TREATMENTS},
        by_speaker=by_speaker,
        utterances=ordered,
    )


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
    write_jsonl(folder / UTTERANCES, (item.to_json() for item in result.utterances))
    rows = [f"{ref or ''}\t{hyp or ''}\t{times}\n" for (ref, hyp), times in ranked(confusions(result.utterances))]
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


def _sum(blocks: Sequence[Counts], samples: int, seed: int) -> TreatmentScore:
    total = sum(blocks, Counts())
    if total.reference_phones == 0:
        raise InputError("the references have no phones to score")
    bounds = interval([block.errors for block in blocks], [block.reference_phones for block in blocks], samples, seed)
    return TreatmentScore(total, bounds)


def _with_per(counts: Counts) -> dict[str, Any]:
    return {"per": None if counts.per is None else round(counts.per, 3)} | asdict(counts)
