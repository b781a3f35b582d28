"""Back-off n-gram models in memory and in ARPA format."""

import gzip
import io
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import complete_file
from asr.storage.text import read_packed_lines

START = "<s>"
END = "</s>"
IMPOSSIBLE = -99.0
"""The log10 in ARPA files for a probability of 0, such as that of `<s>`, which no history predicts."""


@dataclass(slots=True)
class Ngrams:
    """A back-off n-gram model; keys are n-grams of symbols, values natural logarithms.

    P(z | h) is `probabilities[h + (z,)]` where listed, else exp(`backoffs[h]`) * P(z | h without its oldest symbol),
    with a back-off weight of 1 where none is listed (Katz 1987).
    """

    order: int
    probabilities: dict[tuple[str, ...], float] = field(default_factory=dict)
    backoffs: dict[tuple[str, ...], float] = field(default_factory=dict)

    def log_probability(self, history: tuple[str, ...], symbol: str) -> float:
        """log P(symbol | history), natural; -inf for a symbol that has no unigram."""
        history = history[max(0, len(history) - self.order + 1) :]
        backoff = 0.0
        while (*history, symbol) not in self.probabilities:
            if not history:
                return -math.inf
            backoff += self.backoffs.get(history, 0.0)
            history = history[1:]
        return backoff + self.probabilities[(*history, symbol)]

    def shortened(self, order: int) -> "Ngrams":
        """The model without n-grams above `order`; the lower orders are a distribution of their own."""
        probabilities = {ngram: value for ngram, value in self.probabilities.items() if len(ngram) <= order}
        backoffs = {history: value for history, value in self.backoffs.items() if len(history) < order}
        return Ngrams(min(order, self.order), probabilities, backoffs)


def write_arpa(path: Path | str, ngrams: Ngrams, decimals: int = 7) -> None:
    """Writes ARPA text with sorted entries and a fixed number of decimals, so that equal models give equal bytes;
    complete or not at all. A file whose name ends in .gz is packed."""
    path = Path(path)
    lines = _lines(ngrams, decimals)
    if path.suffix != ".gz":
        with complete_file(path) as file:
            file.writelines(lines)
        return
    with (
        complete_file(path, "wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        text.writelines(lines)


def _lines(ngrams: Ngrams, decimals: int) -> Iterator[str]:
    by_order: list[list[tuple[str, ...]]] = [[] for _ in range(ngrams.order)]
    for ngram in sorted(ngrams.probabilities):
        by_order[len(ngram) - 1].append(ngram)
    yield "\\data\\\n"
    yield from (f"ngram {order}={len(entries)}\n" for order, entries in enumerate(by_order, 1))
    for order, entries in enumerate(by_order, 1):
        yield f"\n\\{order}-grams:\n"
        for ngram in entries:
            line = f"{_log10(ngrams.probabilities[ngram], decimals)}\t{' '.join(ngram)}"
            if ngram in ngrams.backoffs:
                line += f"\t{_log10(ngrams.backoffs[ngram], decimals)}"
            yield line + "\n"
    yield "\n\\end\\\n"


def _log10(natural: float, decimals: int) -> str:
    return f"{max(natural / math.log(10), IMPOSSIBLE):.{decimals}f}"


def read_arpa(path: Path | str) -> Ngrams:
    """Reads a model in ARPA format; a file whose name ends in .gz is unpacked.

    Raises InputError with the number of the line that is not valid."""
    path = Path(path)
    ngrams = Ngrams(order=0)
    section, ended = 0, False
    announced: list[str] = []
    for number, line in _data_lines(path):
        if section == 0 and line.startswith("ngram "):
            ngrams.order += 1
            announced.append(line.partition("=")[2].strip())
        elif line == f"\\{section + 1}-grams:" and section < ngrams.order:
            section += 1
        elif line == "\\end\\":
            ended = True
            break
        else:
            _add_entry(ngrams, section, line, path, number)
    if not ended or section != ngrams.order or section == 0:
        raise InputError("the n-gram model is cut off (no \\end\\); write it again", path)
    counts = Counter(map(len, ngrams.probabilities))
    for order, count in enumerate(announced, 1):
        if count != str(counts[order]):
            raise InputError(f"says ngram {order}={count} and has {counts[order]} of them; write it again", path)
    return ngrams


def _data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines after `\\data\\` that are not empty, with their numbers."""
    lines = ((number, line.strip()) for number, line in read_packed_lines(path))
    if not any(line == "\\data\\" for _, line in lines):
        raise InputError("not an n-gram model in ARPA format: no \\data\\ line", path)
    yield from ((number, line) for number, line in lines if line)


def _add_entry(ngrams: Ngrams, order: int, line: str, path: Path, number: int) -> None:
    fields = line.split()
    if order == 0 or len(fields) not in (order + 1, order + 2):
        raise InputError(f"expected a log10 probability, {order} symbols and perhaps a back-off weight", path, number)
    try:
        probability = float(fields[0])
        backoff = float(fields[order + 1]) if len(fields) == order + 2 else None
    except ValueError as error:
        raise InputError(str(error), path, number) from error
    if not math.isfinite(probability) or probability > 0 or not math.isfinite(backoff or 0.0):
        raise InputError("expected a log10 probability of at most 0, and a finite back-off weight", path, number)
    ngram = tuple(fields[1 : order + 1])
    ngrams.probabilities[ngram] = -math.inf if probability <= IMPOSSIBLE else probability * math.log(10)
    if backoff is not None:
        ngrams.backoffs[ngram] = backoff * math.log(10)
