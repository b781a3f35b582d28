"""Tables of all utterances, a phone or word a row: CSV (RFC 4180) and TSV, with a header. A row is a line.

Programs that open a table as a spreadsheet run a cell that begins with `=`, `+`, `-` or `@` as a formula, so such text
has an apostrophe before it (OWASP, CSV injection), which spreadsheets show as text; JSON Lines have it as it is.
"""

import csv
import re
from typing import IO

from asr.formats.format import Format
from asr.formats.tiers import all_in_one, require_times
from asr.formats.transcript import Transcript

COLUMNS = ("utterance", "audio", "speaker", "start", "end")

_BREAK = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_FORMULA = re.compile(r"\s*[=+\-@]")
_ALONE = re.compile(r"[=+\-@]|[-+]?[\d.]+")
"""Neither a sign alone nor a number is a formula."""


def safe_cell(text: str) -> str:
    """Text on one line that no spreadsheet runs as a formula; tabs and line breaks become spaces."""
    text = _BREAK.sub(" ", text)
    return f"'{text}" if _FORMULA.match(text) and not _ALONE.fullmatch(text) else text


def check(transcript: Transcript) -> None:
    """Raises InputError for a phone without times."""
    require_times(transcript, "the table")


def columns(tier: str) -> list[str]:
    """The header of a tier's table."""
    return [*COLUMNS, *(["phone", "score"] if tier == "phones" else ["word"])]


def _table(suffix: str, delimiter: str) -> Format:
    def write(file: IO[str], tier: str, labels: Transcript) -> None:
        known = [safe_cell(text or "") for text in (labels.utterance, labels.audio, labels.speaker)]
        rows = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        for each in labels.phones:
            row = [*known, f"{each.start:.4f}", f"{each.end:.4f}", safe_cell(each.phone)]
            rows.writerow(row if tier == "words" else [*row, "" if each.score is None else f"{each.score:.4f}"])

    return all_in_one(suffix, write, check, lambda tier: delimiter.join(columns(tier)) + "\n")


CSV = _table(".csv", ",")
TSV = _table(".tsv", "\t")
