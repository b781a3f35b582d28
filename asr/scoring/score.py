"""Phone error rates of hypotheses against their references, in every treatment of silence."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from asr.config import ScoringConfig
from asr.errors import InputError, OutputError
from asr.formats.transcript import Recognised, Transcript, read_recognised, recognised
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.counted import ErrorCounter
from asr.scoring.counterparts import joined
from asr.scoring.edit_alignment import Counts, EditPair, count_errors, edit_alignment
from asr.scoring.pronunciations import fitting_phones
from asr.scoring.results import UNKNOWN_SPEAKER, ScoreResult, summarize, write_result
from asr.scoring.silence import TREATMENTS, Treatment, deletable, transcribed, treat
from asr.scoring.utterance import UtteranceScore


def counted_per(pairs: Iterable[tuple[Iterable[str], Iterable[str]]], phone_set: AnyPhoneSet = "timit39") -> float:
    """PER in per cent, silence counted, of (reference, hypothesis) symbols in any phone set that `phone_set` folds.

    The same figure as `counted` in `score`, with less work. Raises InputError where the references have no phones, and
    for a symbol that cannot be folded.

    >>> counted_per([(["h#", "hh", "ax", "h#"], ["h#", "hh", "iy", "h#"])])
    25.0
    """
    numbers: dict[str, int] = {}
    references, found = [], []
    for reference, hypothesis in pairs:
        references.append(list(reference))
        found.append([numbers.setdefault(symbol, len(numbers)) for symbol in hypothesis])
    counter = ErrorCounter(references, list(numbers), phone_set)
    errors = sum(counter.errors(number, np.array(phones, np.int32)) for number, phones in enumerate(found))
    return counter.per(errors)


def score(
    references: Iterable[Transcript], hypotheses: Iterable[Transcript], config: ScoringConfig, seed: int = 0
) -> ScoreResult:
    """Aligns every reference with the hypothesis of the same utterance, both folded to `config.phone_set`.

    An empty hypothesis is all deletions; a missing one is an error, because a broken run is more likely than silence.
    Raises InputError for an utterance that only one side has or that one side has twice, for a symbol in none of the
    phone sets, and where there is nothing to score.
    """
    spoken = [recognised(reference) for reference in references]
    silence = _has_silence(spoken, config.phone_set)
    return summarize(_scores(spoken, map(recognised, hypotheses), silence, config.phone_set), config, seed)


def score_files(
    references: Path | str, hypotheses: Path | str, out_dir: Path | str | None, config: ScoringConfig, seed: int = 0
) -> ScoreResult:
    """Scores hypotheses.jsonl against references.jsonl; writes the score folder where `out_dir` is given.

    The utterances are scored as they are read; if both files have the same order, one is in memory at a time.
    Raises InputError as `score` does, with the names of both files.
    """
    try:
        silence = _has_silence(_read(references), config.phone_set)
        scores = _scores(_read(references), _read(hypotheses), silence, config.phone_set)
        result = summarize(scores, config, seed)
    except _UnreadableError as error:
        raise error.reason from error
    except OutputError:
        raise
    except InputError as error:
        raise InputError(str(error), f"{hypotheses} against {references}") from error
    if out_dir is not None:
        write_result(result, out_dir)
    return result


class _UnreadableError(Exception):
    """A file cannot be read: not an error of both files together."""

    def __init__(self, reason: InputError) -> None:
        self.reason = reason


def _read(path: Path | str) -> Iterator[Recognised]:
    try:
        yield from read_recognised(path)
    except InputError as error:
        raise _UnreadableError(error) from error


def _scores(
    references: Iterable[Recognised], hypotheses: Iterable[Recognised], silence: bool, phone_set: AnyPhoneSet
) -> Iterator[UtteranceScore]:
    """The scores as the utterances come; without `silence` in the references, that of the hypotheses is removed.

    A lexicon's pronunciations have none, so it is removed from the hypotheses of such references in any case.
    """
    for reference, hypothesis in joined(references, hypotheses):
        try:
            heard = fold(hypothesis.symbols, phone_set)
            spoken = fitting_phones(reference.reference, heard, phone_set)
        except InputError as error:
            raise InputError(f"utterance {reference.utterance}: {error}") from error
        if not silence or reference.pronunciations:
            heard = treat(heard, "removed", silences(phone_set))
        yield _score_utterance(reference, hypothesis, spoken, heard, phone_set)


def _has_silence(references: Iterable[Recognised], phone_set: AnyPhoneSet) -> bool:
    """Whether any reference has a silence; reads them up to the first that has."""
    return transcribed((_fold(each, each.symbols, phone_set) for each in references), silences(phone_set))


def _fold(reference: Recognised, symbols: Iterable[str], phone_set: AnyPhoneSet) -> list[str]:
    try:
        return fold(symbols, phone_set)
    except InputError as error:
        raise InputError(f"utterance {reference.utterance}: {error}") from error


def _score_utterance(
    reference: Recognised, hypothesis: Recognised, spoken: list[str], heard: list[str], phone_set: AnyPhoneSet
) -> UtteranceScore:
    aligned = {treatment: _align(spoken, heard, treatment, phone_set) for treatment in TREATMENTS}
    return UtteranceScore(
        utterance=reference.utterance,
        speaker=reference.speaker or hypothesis.speaker or UNKNOWN_SPEAKER,
        counts={treatment: counts for treatment, (_, counts) in aligned.items()},
        alignments={treatment: pairs for treatment, (pairs, _) in aligned.items()},
        pronounced=bool(reference.pronunciations),
        corpus=reference.corpus,
    )


def _align(
    reference: list[str], hypothesis: list[str], treatment: Treatment, phone_set: AnyPhoneSet
) -> tuple[list[EditPair], Counts]:
    silence = silences(phone_set)
    free = deletable(treatment, silence)
    pairs = edit_alignment(treat(reference, treatment, silence), treat(hypothesis, treatment, silence), free)
    return pairs, count_errors(pairs, free)
