"""`asr prepare`: a corpus on disk becomes manifests; one command for each corpus of the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr.corpus_registry import CORPORA, Corpus
from asr.errors import count

if TYPE_CHECKING:
    from asr.corpora.prepare import PrepareSummary

app = typer.Typer(no_args_is_help=True, help="Read a corpus and write manifests of its train, dev and test sets.")


@app.callback()
def corpora() -> None:
    """Read a corpus and write manifests of its train, dev and test sets."""


def _add_command(name: str, corpus: Corpus) -> None:
    folder = Annotated[Path, typer.Argument(help="Folder of the corpus.")]
    manifests = Annotated[Path, typer.Argument(help="Folder for the manifests.")]
    skip = Annotated[bool, typer.Option("--skip-bad", help="Leave out broken utterances and count them.")]
    choices = " or ".join(map(str, corpus.folds))
    folded = Annotated[int, typer.Option(help=f"{choices}; 1: the corpus's own train, dev and test.")]

    def whole(corpus_dir: folder, out_dir: manifests, skip_bad: skip = False) -> None:
        _prepare(name, corpus_dir, out_dir, 1, skip_bad)

    def in_folds(
        corpus_dir: folder,
        out_dir: manifests,
        folds: folded = 1,
        skip_bad: skip = False,
    ) -> None:
        _prepare(name, corpus_dir, out_dir, folds, skip_bad)

    command: Callable[..., None] = whole if corpus.folds == (1,) else in_folds
    app.command(name, help=f"Check {corpus.about}, and write Lhotse cuts.")(command)


def _prepare(name: str, corpus_dir: Path, out_dir: Path, folds: int, skip_bad: bool) -> None:
    from asr.config import CorpusConfig
    from asr.corpora.prepare import prepare
    from asr.errors import InputError
    from asr.storage.output_folder import output_folder

    if folds not in CORPORA[name].folds:
        raise InputError(f"--folds {folds}: use {' or '.join(map(str, CORPORA[name].folds))}")
    with output_folder(out_dir, "prepare", "OUT_DIR"):
        summary = prepare(CorpusConfig(name=name, dir=corpus_dir, folds=folds, skip_bad=skip_bad), out_dir)
    _show(summary, out_dir)


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
        typer.echo(f"{count(len(summary.skipped), 'utterance')} skipped", err=True)
    typer.echo(f"manifests: {out_dir}")


for _name, _corpus in CORPORA.items():
    _add_command(_name, _corpus)
