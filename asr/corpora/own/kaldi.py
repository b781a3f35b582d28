"""Kaldi data folders: wav.scp with or without segments, text, utt2spk.

Lhotse's reader is not used: it runs the commands in wav.scp, and drops what it cannot read.
"""

from pathlib import Path

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.lists import WAV_SCP
from asr.corpora.own.layout import require_folder
from asr.corpora.own.listed import listed_utterances, lists_in
from asr.corpora.own.reading import read_own


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """Reads a data folder, or those in `folder`, named after train, dev and test.

    Raises InputError as `read_own` does, and with the line of a command and of anything else that is not an audio file.
    """
    require_folder(folder)
    if (folder / WAV_SCP).is_file():
        return read_own(config, folder, listed_utterances([(folder, None)]))
    found = (path.parent for path in folder.glob(f"*/{WAV_SCP}"))
    return read_own(
        config, folder, listed_utterances(lists_in(folder, found, f"{WAV_SCP}, here or in train/ and so on"))
    )
