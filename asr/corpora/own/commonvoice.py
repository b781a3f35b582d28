"""A language of Mozilla Common Voice: train.tsv, dev.tsv and test.tsv, or validated.tsv alone, and the folder clips.

Lhotse's reader is not used: it drops what it cannot read. Quotes in these files are plain characters.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.file_names import find_file, without_spaces
from asr.corpora.own.layout import require_folder
from asr.corpora.own.reading import read_own
from asr.corpora.own.utterance import Found, Utterance
from asr.errors import InputError, count, listed, refuse
from asr.storage.run_layout import SPLITS
from asr.storage.text import read_lines

VALIDATED = "validated"
CLIPS = "clips"
NEEDED = ("client_id", "path", "sentence")


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Raises InputError as `read_own` does, and with the line of a row that lacks a column."""
    require_folder(folder)
    tables: list[tuple[Path, str | None]] = [(folder / f"{split}.tsv", split) for split in SPLITS]
    tables = [(path, split) for path, split in tables if path.is_file()] or [(folder / f"{VALIDATED}.tsv", None)]
    if not tables[0][0].is_file():
        raise InputError(
            f"Common Voice is not here: expected train.tsv or {VALIDATED}.tsv, and {CLIPS}/",
            folder,
            page="own_corpus.md",
        )
    return read_own(config, folder, _found(tables))


def _found(tables: list[tuple[Path, str | None]]) -> Found:
    for path, split in tables:
        for line, row, more in _rows(path):
            name = without_spaces(Path(row["path"]).stem) or f"line {line}"
            if more:
                message = f"has {count(more, 'cell')} more than the header; remove the tab inside another cell"
                yield name, partial(refuse, InputError(message, path, line))
            else:
                yield name, partial(_utterance, name, row, path, line, split)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str], int]]:
    """The line of each row, its cells by their columns, and how many cells it has more."""
    lines = read_lines(path)
    _, header = next(lines, (1, ""))
    if not header:
        raise InputError("is empty; copy it again", path)
    columns = [name.strip().lower() for name in header.split("\t")]
    if missing := [name for name in NEEDED if name not in columns]:
        raise InputError(f"has no column {listed(missing)}; it has {listed(columns)}", path, 1)
    for number, line in lines:
        if line.strip():
            cells = line.split("\t")
            row = dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))
            yield number, row, sum(bool(cell.strip()) for cell in cells[len(columns) :])


def _utterance(name: str, row: dict[str, str], path: Path, line: int, split: str | None) -> Utterance:
    for column in NEEDED:
        if not row[column].strip():
            raise InputError(f"the line has no {column}: is it truncated?", path, line)
    clip = Path(row["path"])
    if clip.name != row["path"] or "\\" in row["path"]:
        raise InputError(f"{row['path']!r} is not the name of a file in {CLIPS}; correct it", path, line)
    return Utterance(
        id=name,
        # Some releases have names without the suffix.
        audio=Path(find_file(str(clip if clip.suffix else clip.with_suffix(".mp3")), [path.parent / CLIPS])),
        where=path,
        line=line,
        speaker=row["client_id"],
        gender=row.get("gender") or None,
        language=row.get("locale") or None,
        text=row["sentence"].strip(),
        split=split,
    )
