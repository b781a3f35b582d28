"""Oracle PER: that of the best of N hypotheses, which a better choice among them could reach."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import intern

from asr.errors import InputError
from asr.formats.transcript import read_transcripts
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import count_errors, edit_alignment
from asr.scoring.score import counted_per
from asr.scoring.silence import Treatment, transcribed, treat
from asr.storage.files import numbered_jsonl, write_json
from asr.storage.run_layout import ORACLE


@dataclass(frozen=True, slots=True)
class Oracle:
    """The PER of the hypotheses, and of those with the fewest errors among the `nbest` of each utterance.

    Both are in per cent, silence counted.
    """

    nbest: int
    per: float
    oracle_per: float


def oracle(
    utterances: Iterable[tuple[Sequence[str], Sequence[str], Sequence[Sequence[str]]]],
    nbest: int,
    phone_set: AnyPhoneSet = "timit39",
) -> Oracle:
    """Scores (reference, hypothesis, n-best list) triples; the lists have the best first.

    Raises InputError where there is no reference phone.
    """
    folded = [
        (fold(said, phone_set), fold(recognised, phone_set), [fold(each, phone_set) for each in others[:nbest]] or [[]])
        for said, recognised, others in utterances
    ]
    silence = silences(phone_set)
    treatment: Treatment = "counted" if transcribed((said for said, _, _ in folded), silence) else "removed"

    def errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
        spoken, recognised = (treat(side, treatment, silence) for side in (reference, hypothesis))
        return count_errors(edit_alignment(spoken, recognised)).errors

    found = counted_per(((reference, recognised) for reference, recognised, _ in folded), phone_set)
    best = [
        (reference, min(others, key=lambda hypothesis: errors(reference, hypothesis)))
        for reference, _, others in folded
    ]
    return Oracle(nbest, found, counted_per(best, phone_set))


def oracle_files(
    references: Path | str,
    hypotheses: Path | str,
    nbest_lists: Path | str,
    out_dir: Path | str,
    phone_set: AnyPhoneSet,
) -> Oracle:
    """Writes `out_dir`/oracle.json for hypotheses.jsonl, nbest.jsonl and references.jsonl; N is the longest list's.

    Raises InputError for a list whose utterance has no reference or no hypothesis, and for a line that is not an n-best
    list.
    """
    spoken, recognised = (
        {each.utterance: each.symbols for each in read_transcripts(path)} for path in (references, hypotheses)
    )
    utterances = list(_joined(spoken, recognised, Path(nbest_lists)))
    longest = max((len(lists) for _, _, lists in utterances), default=0)
    try:
        result = oracle(utterances, longest, phone_set)
    except InputError as error:
        raise InputError(str(error), nbest_lists) from error
    write_json(Path(out_dir) / ORACLE, asdict(result))
    return result


def _joined(
    spoken: dict[str, list[str]], recognised: dict[str, list[str]], path: Path
) -> Iterator[tuple[list[str], list[str], list[list[str]]]]:
    for number, row in numbered_jsonl(path):
        try:
            name = row["utterance"]
            # One string per symbol, not per occurrence, because all lists are kept in memory.
            yield (
                spoken[name],
                recognised[name],
                [[intern(phone["phone"]) for phone in each["phones"]] for each in row["hypotheses"]],
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"not an n-best list of a referenced utterance: {error}", path, number) from error
