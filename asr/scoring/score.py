"""Phone error rates of hypotheses against their references, in every treatment of silence."""

from collections.abc import Iterable
from pathlib import Path

from asr.config import ScoringConfig
from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import Counts, EditPair, count_errors, edit_alignment
from asr.scoring.results import UNKNOWN_SPEAKER, ScoreResult, UtteranceScore, summarize, write_result
from asr.scoring.silence import TREATMENTS, Treatment, deletable, transcribed, treat

Symbols = tuple[list[str], list[str]]
"""Reference and hypothesis of an utterance, folded."""


def counted_per(pairs: Iterable[tuple[Iterable[str], Iterable[str]]], phone_set: AnyPhoneSet = "timit39") -> float:
    """PER in per cent, silence counted, of (reference, hypothesis) symbols in any phone set that `phone_set` folds.

    The same figure as `counted` in `score`, with less work. Raises InputError where the references have no phones.
    """
    folded = [(fold(reference, phone_set), fold(hypothesis, phone_set)) for reference, hypothesis in pairs]
    total = Counts()
    for reference, hypothesis in _without_untranscribed_silence(folded, phone_set):
        total += _align(reference, hypothesis, "counted", phone_set)[1]
    if total.per is None:
        raise InputError("the references have no phones to score")
    return total.per


def score(
    references: Iterable[Transcript], hypotheses: Iterable[Transcript], config: ScoringConfig, seed: int = 0
) -> ScoreResult:
    """Aligns every reference with the hypothesis of the same utterance, both folded to `config.phone_set`.

    An empty hypothesis is all deletions; a missing one is an error, because a broken run is more likely than silence.
    Raises InputError for an utterance that only one side has or that one side has twice, for a symbol in none of the
    phone sets, and where there is nothing to score.
    """
    waiting = _by_utterance(hypotheses, "hypotheses")
    paired = []
    for utterance, reference in _by_utterance(references, "references").items():
        if (hypothesis := waiting.pop(utterance, None)) is None:
            raise InputError(f"utterance {utterance} has no hypothesis; decode it or take it out of the references")
        paired.append((reference, hypothesis))
    if waiting:
        raise InputError(f"utterance {next(iter(waiting))} has no reference; take it out of the hypotheses")
    folded = [_folded(reference, hypothesis, config.phone_set) for reference, hypothesis in paired]
    symbols = _without_untranscribed_silence(folded, config.phone_set)
    scores = [_score_utterance(*pair, *each, config.phone_set) for pair, each in zip(paired, symbols, strict=True)]
    return summarize(scores, config, seed)


def score_files(
    references: Path | str, hypotheses: Path | str, out_dir: Path | str | None, config: ScoringConfig, seed: int = 0
) -> ScoreResult:
    """Scores hypotheses.jsonl against references.jsonl; writes the score folder where `out_dir` is given.

    Raises InputError as `score` does, with the names of both files.
    """
    spoken, recognised = list(read_transcripts(references)), list(read_transcripts(hypotheses))
    try:
        result = score(spoken, recognised, config, seed)
    except InputError as error:
        raise InputError(str(error), f"{hypotheses} against {references}") from error
    if out_dir is not None:
        write_result(result, out_dir)
    return result


def _by_utterance(transcripts: Iterable[Transcript], side: str) -> dict[str, Transcript]:
    indexed: dict[str, Transcript] = {}
    for transcript in transcripts:
        if transcript.utterance in indexed:
            raise InputError(f"utterance {transcript.utterance} occurs twice in the {side}")
        indexed[transcript.utterance] = transcript
    return indexed


def _folded(reference: Transcript, hypothesis: Transcript, phone_set: AnyPhoneSet) -> Symbols:
    try:
        return fold(reference.symbols, phone_set), fold(hypothesis.symbols, phone_set)
    except InputError as error:
        raise InputError(f"utterance {reference.utterance}: {error}") from error


def _without_untranscribed_silence(pairs: list[Symbols], phone_set: AnyPhoneSet) -> list[Symbols]:
    """The pairs; where no reference has a silence, the hypotheses without theirs (see asr.scoring.silence)."""
    silence = silences(phone_set)
    if transcribed((reference for reference, _ in pairs), silence):
        return pairs
    return [(reference, treat(hypothesis, "removed", silence)) for reference, hypothesis in pairs]


def _score_utterance(
    reference: Transcript, hypothesis: Transcript, spoken: list[str], recognised: list[str], phone_set: AnyPhoneSet
) -> UtteranceScore:
    aligned = {treatment: _align(spoken, recognised, treatment, phone_set) for treatment in TREATMENTS}
    return UtteranceScore(
        utterance=reference.utterance,
        speaker=reference.speaker or hypothesis.speaker or UNKNOWN_SPEAKER,
        counts={treatment: counts for treatment, (_, counts) in aligned.items()},
        alignments={treatment: pairs for treatment, (pairs, _) in aligned.items()},
    )


def _align(
    reference: list[str], hypothesis: list[str], treatment: Treatment, phone_set: AnyPhoneSet
) -> tuple[list[EditPair], Counts]:
    silence = silences(phone_set)
    free = deletable(treatment, silence)
    pairs = edit_alignment(treat(reference, treatment, silence), treat(hypothesis, treatment, silence), free)
    return pairs, count_errors(pairs, free)
