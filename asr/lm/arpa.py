"""Back-off n-gram models as text in ARPA format."""

import gzip
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, count, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.errors import InputError
from asr.lm.backoff import Level, Ngrams, PackedNgrams
from asr.storage.files import complete_file
from asr.storage.text import read_packed_bytes

IMPOSSIBLE = -99.0
"""The log10 in ARPA files for a probability of 0, such as that of `<s>`, which no history predicts."""


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


def read_arpa(path: Path | str) -> PackedNgrams:
    """Reads a model in ARPA format; a file whose name ends in .gz is unpacked.

    Raises InputError with the number of the line that is not valid."""
    path = Path(path)
    lines = read_packed_bytes(path).split(b"\n")
    announced, titles = _sections(lines, path)
    numbers: defaultdict[bytes, int] = defaultdict(count().__next__)
    levels = []
    for order, (said, (title, end)) in enumerate(zip(announced, pairwise(titles), strict=True), 1):
        level = _entries(lines, range(title + 1, end), order, numbers, path)
        listed = len(set(level.symbols.view(f"V{4 * order}").ravel().tolist()))
        if said != str(listed):
            raise InputError(f"says ngram {order}={said} and has {listed} of them; write it again", path)
        levels.append(level)
    return PackedNgrams([symbol.decode() for symbol in numbers], levels)


def _sections(lines: Sequence[bytes], path: Path) -> tuple[list[str], list[int]]:
    """How many n-grams the header announces for each order; the indices of the lines that are titles of the sections of
    n-grams, and of the end."""
    titles = [index for index, line in enumerate(lines) if line.lstrip().startswith(b"\\")]
    while titles and lines[titles[0]].strip() != b"\\data\\":
        del titles[0]
    if not titles:
        raise InputError("not an n-gram model in ARPA format: no \\data\\ line", path)
    header = range(titles[0] + 1, [*titles, len(lines)][1])
    announced = []
    for index in header:
        if lines[index].startswith(b"ngram "):
            announced.append(lines[index].decode().partition("=")[2].strip())
        elif lines[index].strip():
            raise InputError("expected a line such as ngram 1=40", path, index + 1)
    expected = [*(f"\\{order}-grams:" for order in range(1, len(announced) + 1)), "\\end\\"]
    for index, title in zip(titles[1:], expected, strict=False):
        if lines[index].strip() != title.encode():
            raise InputError(f"expected {title}", path, index + 1)
    if not announced or len(titles) <= len(expected):
        raise InputError("the n-gram model is cut off (no \\end\\); write it again", path)
    return announced, titles[1 : len(expected) + 1]


def _entries(lines: Sequence[bytes], section: range, order: int, numbers: Mapping[bytes, int], path: Path) -> Level:
    """The n-grams of a section. By whole columns, as a 6-gram has 300,000 lines."""
    places = [index for index in section if lines[index].strip()]
    rows = [lines[index] for index in places]
    words = b"\n".join(rows).split()
    lengths = np.fromiter(map(len, map(bytes.split, rows)), np.int64, len(rows))
    weighted = lengths == order + 2
    _check(weighted | (lengths == order + 1), places, f", {order} symbols and perhaps a back-off weight", path)
    firsts = np.cumsum(lengths) - lengths
    lasts = (firsts + order + 1)[weighted]
    is_symbol = np.ones(len(words), bool)
    is_symbol[firsts] = is_symbol[lasts] = False
    symbols = np.fromiter(map(numbers.__getitem__, compress(words, is_symbol)), np.int32)
    probabilities = _numbers(words, firsts, places, path)
    backoffs = np.full(len(rows), math.nan)
    backoffs[weighted] = _numbers(words, lasts, np.array(places)[weighted].tolist(), path)
    valid = np.isfinite(probabilities) & (probabilities <= 0) & (np.isfinite(backoffs) | ~weighted)
    _check(valid, places, " of at most 0, and a finite back-off weight", path)
    probabilities = np.where(probabilities <= IMPOSSIBLE, -math.inf, probabilities * math.log(10))
    return Level(symbols.reshape(len(rows), order), probabilities, backoffs * math.log(10))


def _check(valid: npt.NDArray[np.bool_], places: Sequence[int], expected: str, path: Path) -> None:
    if not valid.all():
        raise InputError(f"expected a log10 probability{expected}", path, places[int(valid.argmin())] + 1)


def _numbers(
    words: Sequence[bytes], columns: npt.NDArray[np.int64], places: Sequence[int], path: Path
) -> npt.NDArray[np.float64]:
    """The words in these columns as numbers; `places` are the indices of their lines."""
    given = [words[column] for column in columns.tolist()]
    try:
        return np.array(list(map(float, given)), np.float64)
    except ValueError:
        for word, place in zip(given, places, strict=True):
            try:
                float(word)
            except ValueError as error:
                raise InputError(str(error), path, place + 1) from error
        raise
