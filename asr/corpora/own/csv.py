"""A CSV, TSV or JSON Lines file with the path, speaker, and text or phones of each utterance, or one for each split."""

from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.lists import JSON_LINES, TABLES
from asr.corpora.own.layout import require_folder
from asr.corpora.own.listed import listed_utterances, lists_in
from asr.corpora.own.reading import read_own
from asr.errors import InputError

SUFFIXES = (*TABLES, *JSON_LINES)

NEMO = (".json",)
"""NeMo's manifests are JSON Lines with this suffix, which other files have too."""


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Reads the list `folder`, or those in it: one, or some whose names say train, dev and test.

    Raises InputError as `read_own` does, and with the line of a broken row.
    """
    if folder.is_file():
        if not folder.name.lower().endswith((*SUFFIXES, *NEMO)):
            raise InputError(f"is not one of {', '.join(SUFFIXES)}; save it as one of these", folder)
        return read_own(config, folder.parent, listed_utterances([(folder, None)]))
    require_folder(folder)
    found = (path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and path.name[0] != ".")
    return read_own(config, folder, listed_utterances(lists_in(folder, found, "a .csv, .tsv or .jsonl file")))
