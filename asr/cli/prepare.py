"""`asr prepare`: a corpus on disk becomes manifests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from asr.corpora.prepare import PrepareSummary

app = typer.Typer(no_args_is_help=True, help="Read a corpus and write manifests of its train, dev and test sets.")


@app.callback()
def corpora() -> None:
    """Read a corpus and write manifests of its train, dev and test sets."""


@app.command()
def timit(
    corpus_dir: Annotated[Path, typer.Argument(help="TIMIT (LDC93S1) in any of its forms, or NLTK's sample of it.")],
    out_dir: Annotated[Path, typer.Argument(help="The folder for the manifests.")],
    folds: Annotated[int, typer.Option(help="1: the published train, dev and core test; 4: the sample's folds.")] = 1,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out broken utterances and count them.")] = False,
) -> None:
    """TIMIT, or a corpus in its layout: check every file, write Lhotse cuts with phone and word alignments."""
    from asr.config import CorpusConfig
    from asr.corpora.prepare import prepare
    from asr.errors import InputError

    if folds not in (1, 4):
        raise InputError(f"--folds {folds}: use 1 or 4")
    _show(prepare(CorpusConfig(name="timit", dir=corpus_dir, folds=folds, skip_bad=skip_bad), out_dir), out_dir)


@app.command()
def speechocean762(
    corpus_dir: Annotated[Path, typer.Argument(help="speechocean762 (OpenSLR 101), as WAV or FLAC, or a part of it.")],
    out_dir: Annotated[Path, typer.Argument(help="The folder for the manifests.")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out broken utterances and count them.")] = False,
) -> None:
    """speechocean762: check every file, write Lhotse cuts with the phones of each word, without times."""
    from asr.config import CorpusConfig
    from asr.corpora.prepare import prepare

    _show(prepare(CorpusConfig(name="speechocean762", dir=corpus_dir, skip_bad=skip_bad), out_dir), out_dir)


def _show(summary: "PrepareSummary", out_dir: Path) -> None:
    for name, split in summary.splits.items():
        typer.echo(
            f"{name:>12}: {split.utterances:5d} utterances, {split.speakers:3d} speakers, "
            f"{split.seconds / 60:6.1f} min, {split.phones:6d} phones"
        )
    for line in summary.missing:
        typer.echo(f"missing: {line}", err=True)
    for utterance in summary.skipped:
        typer.echo(f"skipped: {utterance['utterance']}: {utterance['reason']}", err=True)
    if summary.skipped:
        typer.echo(f"{len(summary.skipped)} utterances skipped", err=True)
    typer.echo(f"manifests: {out_dir}")
