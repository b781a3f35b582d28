"""Oracle PER: that of the best of N hypotheses, which a better choice among them could reach."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import intern

from asr.errors import InputError
from asr.formats.transcript import read_recognised
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import count_errors, edit_alignment
from asr.scoring.pronunciations import Reference, fitting_phones
from asr.scoring.score import counted_per
from asr.scoring.silence import Treatment, transcribed, treat
from asr.storage.json_files import numbered_jsonl, write_json
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
    utterances: Iterable[tuple[Reference, Sequence[str], Sequence[Sequence[str]]]],
    nbest: int,
    phone_set: AnyPhoneSet = "timit39",
) -> Oracle:
    """Scores (reference, hypothesis, n-best list) triples; the lists have the best first.

    Raises InputError where there is no reference phone.
    """
    folded = [
        (said, fold(recognised, phone_set), [fold(each, phone_set) for each in others[:nbest]] or [[]])
        for said, recognised, others in utterances
    ]
    silence = silences(phone_set)
    treatment: Treatment = (
        "counted" if transcribed((fitting_phones(said, [], phone_set) for said, _, _ in folded), silence) else "removed"
    )

    def errors(reference: Reference, hypothesis: Sequence[str]) -> int:
        spoken = fitting_phones(reference, hypothesis, phone_set)
        spoken, recognised = (treat(side, treatment, silence) for side in (spoken, hypothesis))
        return count_errors(edit_alignment(spoken, recognised)).errors

    def per(pairs: Iterable[tuple[Reference, Sequence[str]]]) -> float:
        return counted_per(((fitting_phones(said, heard, phone_set), heard) for said, heard in pairs), phone_set)

    best = ((said, min(others, key=lambda hypothesis: errors(said, hypothesis))) for said, _, others in folded)
    return Oracle(nbest, per((said, recognised) for said, recognised, _ in folded), per(best))


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
    spoken = {each.utterance: each.reference for each in read_recognised(references)}
    recognised = {each.utterance: each.symbols for each in read_recognised(hypotheses)}
    utterances = list(_joined(spoken, recognised, Path(nbest_lists)))
    longest = max((len(lists) for _, _, lists in utterances), default=0)
    try:
        result = oracle(utterances, longest, phone_set)
    except InputError as error:
        raise InputError(str(error), nbest_lists) from error
    write_json(Path(out_dir) / ORACLE, asdict(result))
    return result


def _joined(
    spoken: dict[str, Reference], recognised: dict[str, list[str]], path: Path
) -> Iterator[tuple[Reference, list[str], list[list[str]]]]:
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
