"""JSON Lines of the transcripts as the other formats show them: converted phones, without the uncertain ones."""

from collections.abc import Iterable
from pathlib import Path

from asr.formats.format import Format
from asr.formats.transcript import Transcript, write_transcripts

_FILE = "phones.jsonl"


def _write_all(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
    write_transcripts(folder / _FILE, transcripts)
    return [folder / _FILE]


FORMAT = Format(False, lambda utterance: (_FILE,), _write_all)
