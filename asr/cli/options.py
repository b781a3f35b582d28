"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from asr.formats.registry import WRITERS

Recipe = Annotated[Path, typer.Option("--recipe", help="The recipe's YAML file.")]
Settings = Annotated[
    list[str], typer.Option("--set", help="Change a setting of the recipe, as in model.dropout=0.3. Repeatable.")
]
Device = Annotated[str, typer.Option("--device", help="auto (a GPU if there is one), cpu, cuda or cuda:N.")]
Prepared = Annotated[Path, typer.Argument(help="Folder of manifests, from asr prepare.")]
Features = Annotated[Path, typer.Argument(help="Folder of feature archives, from asr features.")]
Model = Annotated[Path, typer.Argument(help="A model bundle, or the folder of a finished run.")]
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
