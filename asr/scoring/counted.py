"""The errors of many hypotheses against the same references, silence counted (see asr.scoring.silence)."""

from collections.abc import Iterable, Sequence

import numpy as np

from asr.errors import InputError
from asr.phones.folding import fold, fold_each
from asr.phones.phone_set import AnyPhoneSet, silences
from asr.scoring.edit_alignment import Symbols, count_best_errors
from asr.scoring.silence import transcribed

DROPPED = -1


class ErrorCounter:
    """Counts errors as `counted` in `asr.scoring.score`, for phones as indices; threads may share it.

    `reference_phones` is the number of phones in all references.
    """

    def __init__(
        self, references: Iterable[Iterable[str]], phones: Sequence[str], phone_set: AnyPhoneSet = "timit39"
    ) -> None:
        """`phones` are what the indices of hypotheses mean. Raises InputError for a symbol that cannot be folded."""
        folded = [fold(reference, phone_set) for reference in references]
        silence = silences(phone_set)
        self._removes_silence = not transcribed(folded, silence)
        numbers: dict[str, int] = {}
        for symbol in (symbol for symbols in folded for symbol in symbols):
            numbers.setdefault(symbol, len(numbers))
        becomes = [
            DROPPED if symbol is None else numbers.setdefault(symbol, len(numbers))
            for symbol in fold_each(phones, phone_set)
        ]
        self._becomes = np.array(becomes, np.int32)
        self._silent = np.array([symbol in silence for symbol in numbers], np.bool_)
        self._references = [self._treated(np.array([numbers[each] for each in one], np.int32)) for one in folded]
        self.reference_phones = sum(map(len, self._references))

    def per(self, errors: int) -> float:
        """The PER in per cent of so many errors. Raises InputError where the references have no phones."""
        if not self.reference_phones:
            raise InputError("the references have no phones to score")
        return 100 * errors / self.reference_phones

    def errors(self, reference: int, phones: Symbols) -> int:
        """The errors of a hypothesis [N], indices of phones, against the reference of this number."""
        symbols = self._becomes[phones]
        return int(count_best_errors(self._references[reference], self._treated(symbols[symbols != DROPPED])))

    def _treated(self, symbols: Symbols) -> Symbols:
        """Without all but the first silence of a run; without any where no reference has one."""
        silent = self._silent[symbols]
        if not self._removes_silence:
            silent[1:] &= silent[:-1].copy()
            silent[:1] = False
        return symbols[~silent]
