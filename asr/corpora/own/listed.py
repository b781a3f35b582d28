"""Corpora in lists: a CSV, TSV or JSON Lines file, or a Kaldi data folder; see `asr.corpora.lists`."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from asr.audio import audio_info
from asr.corpora.file_names import without_spaces
from asr.corpora.kaldi_folder import WAV_SCP
from asr.corpora.list_row import Listed
from asr.corpora.lists import COLUMNS, list_rows
from asr.corpora.own.layout import split_of
from asr.corpora.own.utterance import Found, Utterance
from asr.errors import InputError, refuse
from asr.storage.run_layout import SPLITS

_KALDI = ("segments", WAV_SCP)
_TRANSCRIPTS = COLUMNS["text"] + COLUMNS["phones"]


def listed_utterances(lists: Iterable[tuple[Path, str | None]]) -> Found:
    """The utterances of lists, each with its split where it says so, found as they are read."""
    for path, split in lists:
        where = path
        if path.is_dir():
            where = next(each for name in _KALDI if (each := path / name).is_file())
        empty = True
        for line, name, item in list_rows(path):
            empty = False
            if isinstance(item, InputError):
                yield name, partial(refuse, item)
            else:
                name = item.utterance or _name(item, path)
                yield name, partial(_utterance, name, item, where, line, split)
        if empty:
            raise InputError(
                "has no utterances; give one a line, in a table after the names of the columns",
                where,
                page="own_corpus.md",
            )


def _name(item: Listed, path: Path) -> str:
    """The name of an utterance without one: its file's path, below the list's folder if it is there, `_` for spaces,
    and its channel, where the file has others."""
    inside = os.path.relpath(item.path, path.parent)
    named = replace(item, label=inside.replace("../", ""), split=_has_others(item))
    return without_spaces(named.name(0))


def _has_others(item: Listed) -> bool:
    """Whether an item is one of several channels; false for a file that cannot be read, which fails when it is."""
    try:
        return item.channel is not None and audio_info(item.path).channels > 1
    except InputError:
        return False


def _utterance(name: str, item: Listed, path: Path, line: int, split: str | None) -> Utterance:
    if item.subset is not None and (split := split_of(item.subset)) is None:
        raise InputError(f"the split {item.subset!r} is not one of {', '.join(SPLITS)}; correct it", path, line)
    if not (item.text or item.phones):
        needed = f"{name} in the file text" if path.name in _KALDI else f"one of {', '.join(_TRANSCRIPTS)}"
        raise InputError(f"has neither phones nor words: it needs {needed}", path, line)
    _require_audio(item, path, line)
    return Utterance(
        id=name,
        audio=Path(item.path),
        where=path,
        line=line,
        start=item.start,
        duration=item.duration,
        channel=item.channel,
        speaker=item.speaker,
        gender=item.gender,
        text=item.text or "",
        phones=() if item.times else item.phones,
        segments=[(*times, phone) for times, phone in zip(item.times, item.phones, strict=False)],
        split=split,
    )


def _require_audio(item: Listed, path: Path, line: int) -> None:
    """Raises InputError for a relative path that is of no file, with both folders from which it is taken."""
    if os.path.lexists(item.path):
        return
    folder, here = path.parent.absolute(), Path.cwd()
    if folder != here and item.path == os.path.abspath(folder / item.label):  # noqa: PTH100
        message = f"no such audio file: {item.label}, neither in {folder} nor in {here}; check the path"
        raise InputError(message, path, line)


def lists_in(folder: Path, found: Iterable[Path], expected: str) -> Iterator[tuple[Path, str | None]]:
    """Lists with the split that their names say. Raises InputError where there is none, or several without a split."""
    paths = sorted(found)
    if not paths:
        raise InputError(f"expected {expected}; give the folder or the file that has it", folder, page="own_corpus.md")
    splits = [split_of(path.name) for path in paths]
    if len(paths) > 1 and None in splits:
        unclear = paths[splits.index(None)].name
        raise InputError(f"has several lists, and {unclear} is not named after train, dev or test; give one", folder)
    yield from zip(paths, splits if len(paths) > 1 else [None], strict=True)
