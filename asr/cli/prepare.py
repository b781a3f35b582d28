"""`asr prepare`: a corpus on disk becomes manifests; one command for each corpus of the registry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr.corpus_registry import CORPORA, Corpus
from asr.errors import InputError, count

if TYPE_CHECKING:
    from asr.config import CorpusConfig
    from asr.corpora.prepare import PrepareSummary

app = typer.Typer(no_args_is_help=True, help="Read a corpus and write manifests of its train, dev and test sets.")

SourceArgument = Annotated[Path, typer.Argument(metavar="CORPUS_DIR", help="Folder of the corpus, or a list: csv.")]
PreparedArgument = Annotated[Path, typer.Argument(metavar="PREPARED", help="Folder of manifests, from asr prepare.")]
OutArgument = Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder for the manifests.")]
SkipOption = Annotated[bool, typer.Option("--skip-bad", help="Leave out broken utterances and count them.")]
PhoneSetOption = Annotated[
    str | None,
    typer.Option(help="Phones of the transcripts: a set's name or file.", show_default="those that are in them"),
]
BroadOption = Annotated[
    bool, typer.Option("--broad-ipa", help="Phones are IPA; keep their letters, not their diacritics: t for tʰ.")
]
TextOption = Annotated[str, typer.Option(help="What Kaldi's text, .txt and .lab files hold: words or phones.")]
DevOption = Annotated[str, typer.Option(help="Speech for dev, if it is drawn: a share (10%) or a time (30min).")]
TestOption = Annotated[str, typer.Option(help="Speech for test, if it is drawn.")]
SeedOption = Annotated[int, typer.Option(help="Random seed of the draw.")]
ByOption = Annotated[
    str, typer.Option("--split-by", help="speaker: each is in one set only. recording: a speaker may be in several.")
]
TierOption = Annotated[str, typer.Option(help="Tier with the phones (textgrid only).")]
LexiconOption = Annotated[
    list[str],
    typer.Option(
        help="Lexicon for words without phones: a file or cmudict. Repeatable; the first that has a word counts."
    ),
]
G2pOption = Annotated[
    bool, typer.Option("--g2p", help="Guess how words that no lexicon has are pronounced from their spelling.")
]
SmallOption = Annotated[
    bool, typer.Option("--from-small", help="The recipe fine-tunes the model in the box: for minutes of speech.")
]

OPTIONS = {
    "phone_set": "--phone-set",
    "broad_ipa": "--broad-ipa",
    "text": "--text",
    "dev": "--dev",
    "test": "--test",
    "by": "--split-by",
    "seed": "--seed",
}
"""The option of each setting, for messages."""

MOST_SHOWN = 20
"""Skipped utterances that are listed; the summary has all."""


@app.callback()
def corpora() -> None:
    """Read a corpus and write manifests of its train, dev and test sets."""


def _add_command(name: str, corpus: Corpus) -> None:
    choices = " or ".join(map(str, corpus.folds))
    folded = Annotated[int, typer.Option(help=f"{choices}; 1: the corpus's own train, dev and test.")]

    def whole(corpus_dir: SourceArgument, out_dir: OutArgument, skip_bad: SkipOption = False) -> None:
        _prepare({"name": name, "dir": corpus_dir, "skip_bad": skip_bad}, out_dir)

    def in_folds(
        corpus_dir: SourceArgument,
        out_dir: OutArgument,
        folds: folded = 1,
        skip_bad: SkipOption = False,
    ) -> None:
        if folds not in corpus.folds:
            raise InputError(f"--folds {folds}: use {choices}")
        _prepare({"name": name, "dir": corpus_dir, "folds": folds, "skip_bad": skip_bad}, out_dir)

    def own(
        corpus_dir: SourceArgument,
        out_dir: OutArgument,
        phone_set: PhoneSetOption = None,
        broad_ipa: BroadOption = False,
        text: TextOption = "words",
        dev: DevOption = "10%",
        test: TestOption = "10%",
        split_by: ByOption = "speaker",
        seed: SeedOption = 0,
        tier: TierOption = "phones",
        lexicon: LexiconOption = ["cmudict"],  # noqa: B006
        g2p: G2pOption = False,
        skip_bad: SkipOption = False,
        from_small: SmallOption = False,
    ) -> None:
        split = {"dev": dev, "test": test, "by": split_by, "seed": seed}
        phones = {"phone_set": phone_set, "broad_ipa": broad_ipa, "text": text, "tier": tier}
        words = {"lexicon": lexicon, "g2p": g2p}
        _prepare(
            {"name": name, "dir": corpus_dir, "skip_bad": skip_bad, **phones, **words, "split": split},
            out_dir,
            from_small,
        )

    command: Callable[..., None] = own if corpus.own else whole if corpus.folds == (1,) else in_folds
    app.command(name, help=f"Check {corpus.about}, and write Lhotse cuts.", short_help=corpus.about)(command)


def _prepare(settings: dict[str, object], out_dir: Path, from_small: bool = False) -> None:
    from asr.corpora.prepare import prepare

    config = _config(settings)
    with _output(out_dir, "prepare", config.entry.own):
        summary = prepare(config, out_dir)
        if config.entry.own:
            _write_first_recipe(config, summary, out_dir, from_small)
    _show(summary, out_dir)


@contextmanager
def _output(out_dir: Path, kind: str, has_recipe: bool = True) -> Iterator[None]:
    """The output folder; raises InputError before anything is replaced where the user edited the recipe in it."""
    from asr.storage.output_folder import output_folder
    from asr.storage.run_layout import RECIPE

    with output_folder(out_dir, kind, "OUT_DIR") as folder:
        if has_recipe:
            folder.require_replaceable(out_dir / RECIPE)
        yield


def _write_first_recipe(config: "CorpusConfig", summary: "PrepareSummary", out_dir: Path, from_small: bool) -> None:
    from asr.corpora.own.first_recipe import first_recipe
    from asr.storage.files import write_text
    from asr.storage.run_layout import RECIPE

    write_text(out_dir / RECIPE, first_recipe(config, summary, out_dir, from_small))


@app.command("split", short_help="Divide prepared manifests again")
def split_command(
    prepared: PreparedArgument,
    out_dir: OutArgument,
    dev: DevOption = "10%",
    test: TestOption = "10%",
    split_by: ByOption = "speaker",
    seed: SeedOption = 0,
    from_small: SmallOption = False,
) -> None:
    """Divide prepared manifests into train, dev and test again, by speakers."""
    from asr.corpora.manifests.prepared import split_prepared

    config = _config({"name": "lhotse", "split": {"dev": dev, "test": test, "by": split_by, "seed": seed}})
    with _output(out_dir, "prepare split"):
        summary = split_prepared(prepared, config.split, out_dir)
        _write_first_recipe(_prepared(out_dir, split_by), summary, out_dir, from_small)
    _show(summary, out_dir)


@app.command("merge", short_help="Join prepared manifests of several corpora")
def merge_command(
    prepared: Annotated[
        list[Path],
        typer.Argument(metavar="PREPARED... OUT_DIR", help="Folders of manifests, then the folder for the result."),
    ],
    weights: Annotated[
        list[str],
        typer.Option(
            "--weight", help="FOLDER=2 uses its training utterances twice, FOLDER=0.5 half of them. Repeatable."
        ),
    ] = [],  # noqa: B006
    phone_set: Annotated[
        str | None, typer.Option(help="Phones of the result; needed where the corpora have different sets.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the draw for weights.")] = 0,
    skip_bad: SkipOption = False,
    from_small: SmallOption = False,
) -> None:
    """Join prepared manifests of several corpora, or take a part of one; scores are shown for each."""
    from asr.corpora.manifests.merging import merge_prepared, read_weights

    *folders, out_dir = prepared
    if not folders or (len(folders) == 1 and not weights):
        raise InputError("give two or more folders from asr prepare (or one with a --weight), and then OUT_DIR")
    with _output(out_dir, "prepare merge"):
        summary = merge_prepared(folders, read_weights(weights, folders), phone_set, seed, skip_bad, out_dir)
        _write_first_recipe(_prepared(out_dir, "recording"), summary, out_dir, from_small)
    _show(summary, out_dir)


def _prepared(folder: Path, split_by: str) -> "CorpusConfig":
    """The section corpus for manifests that are divided already; `split_by` is what was not divided."""
    return _config({"name": "lhotse", "dir": folder, "split": {"by": split_by}})


def _config(settings: dict[str, object]) -> "CorpusConfig":
    """The section corpus of a recipe. Raises InputError for an option that is not allowed."""
    from pydantic import ValidationError

    from asr.config import CorpusConfig

    try:
        return CorpusConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        options = (OPTIONS[part] for part in reversed(first["loc"]) if part in OPTIONS)
        raise InputError(": ".join([*options, first["msg"].removeprefix("Value error, ")])) from error


def _show(summary: "PrepareSummary", out_dir: Path) -> None:
    from asr.storage.run_layout import RECIPE, SUMMARY

    for name, split in summary.splits.items():
        typer.echo(
            f"{name:>12}: {split.utterances:5d} utterances, {split.speakers:3d} speakers, "
            f"{split.seconds / 60:6.1f} min, {split.phones:6d} phones"
        )
    for line in summary.missing:
        typer.echo(f"missing: {line}", err=True)
    for utterance in summary.skipped[:MOST_SHOWN]:
        typer.echo(f"skipped: {utterance['utterance']}: {utterance['reason']}", err=True)
    if summary.skipped:
        typer.echo(f"{count(len(summary.skipped), 'utterance')} skipped; all are in {out_dir / SUMMARY}", err=True)
    typer.echo(f"manifests: {out_dir}")
    if (out_dir / RECIPE).is_file():
        typer.echo(f"next: asr run {out_dir / RECIPE} --out runs/{out_dir.name}")


for _name, _corpus in CORPORA.items():
    _add_command(_name, _corpus)
