"""Kaldi data folders: wav.scp with or without segments, text, utt2spk.

Lhotse's reader is not used: it runs the commands in wav.scp, and drops what it cannot read.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.kaldi_files import read_entries
from asr.corpora.kaldi_folder import WAV_SCP
from asr.corpora.own.layout import require_folder
from asr.corpora.own.listed import listed_utterances, lists_in
from asr.corpora.own.reading import read_own
from asr.corpora.own.utterance import Found
from asr.errors import InputError, refuse


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Reads a data folder, or those in `folder`, named after train, dev and test.

    Raises InputError as `read_own` does, and with the line of a command and of anything else that is not an audio file.
    """
    require_folder(folder)
    if (folder / WAV_SCP).is_file():
        return read_own(config, folder, _found([(folder, None)]))
    below = (path.parent for path in folder.glob(f"*/{WAV_SCP}"))
    return read_own(config, folder, _found(lists_in(folder, below, f"{WAV_SCP}, here or in train/ and so on")))


def _found(folders: Iterable[tuple[Path, str | None]]) -> Found:
    for folder, split in folders:
        names = set()
        for name, read in listed_utterances([(folder, split)]):
            names.add(name)
            yield name, read
        text = folder / "text"
        for name, entry in read_entries(text).items() if text.is_file() else ():
            if name not in names:
                message = f"utterance {name} has no audio in {WAV_SCP} or segments; remove the line, or add it"
                broken = entry if isinstance(entry, InputError) else InputError(message, text, entry.line)
                yield name, partial(refuse, broken)
