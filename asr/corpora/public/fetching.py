"""Fetches a public corpus into the cache, whole or not at all."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from asr.corpora.public.archives import unpack
from asr.corpora.public.download import check, download
from asr.corpora.public.sources import PUBLIC, PublicCorpus, cache_folder
from asr.errors import InputError
from asr.storage.files import make_folder
from asr.storage.lock import locked

log = logging.getLogger(__name__)

UNPACKED, UNFINISHED = "corpus", ".unfinished"


def fetch(name: str, given: Sequence[Path] = (), sources: dict[str, PublicCorpus] | None = None) -> Path:
    """The folder of a corpus in the cache; downloads and unpacks it unless it is there.

    `given` are its archives, where they are on this machine already; `sources` stands for PUBLIC. Raises InputError for
    an unknown corpus, and as `download` and `unpack` do.
    """
    known = PUBLIC if sources is None else sources
    if name not in known:
        raise InputError(f"no corpus {name!r} is known; choose {', '.join(known)}")
    corpus = known[name]
    folder = cache_folder() / "corpora" / name
    make_folder(folder)
    with locked(folder, "ASR_CACHE"):
        if not (folder / UNPACKED).is_dir():
            archives = _given(corpus, given) if given else [download(file, folder) for file in corpus.files]
            unfinished = folder / UNFINISHED
            shutil.rmtree(unfinished, ignore_errors=True)
            for archive in archives:
                unpack(archive, unfinished)
            unfinished.rename(folder / UNPACKED)
            for archive in [] if given else archives:
                archive.unlink()
    return folder / UNPACKED / corpus.below


def _given(corpus: PublicCorpus, given: Sequence[Path]) -> list[Path]:
    """The archives that the user has. Raises InputError for one that is missing, unknown or damaged."""
    files = {file.name: file for file in corpus.files}
    for path in given:
        if path.name not in files:
            raise InputError(f"is not one of the archives of this corpus: {', '.join(files)}", path)
        if not path.is_file():
            raise InputError("no such file", path)
        check(path, files[path.name])
    if missing := files.keys() - {path.name for path in given}:
        raise InputError(f"--from: {', '.join(sorted(missing))} is needed too; give it as well")
    return list(given)
