"""`asr corpus`: download public corpora, and describe prepared ones."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr.cli.options import Prepared
from asr.errors import count

if TYPE_CHECKING:
    from asr.corpora.manifests.statistics import Range, Statistics

app = typer.Typer(no_args_is_help=True, help="Download public corpora, and describe prepared ones.")


@app.callback()
def corpus() -> None:
    """Download public corpora, and describe prepared ones."""


@app.command(short_help="Describe a prepared corpus, and find what looks wrong")
def stats(
    prepared: Prepared,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with every utterance that may be wrong.")
    ] = False,
) -> None:
    """Show hours, speakers, phones, rates, levels, clipping, duplicates, and transcripts that do not fit."""
    from asr.corpora.manifests.statistics import corpus_statistics

    found = corpus_statistics(prepared)
    print(json.dumps(found.to_json(), indent=2, ensure_ascii=False) if as_json else _table(found))


@app.command(short_help="Write a prepared corpus and its audio into a few large files")
def shards(
    prepared: Prepared,
    out: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder for the shards.")],
    shard_size: Annotated[int, typer.Option(min=1, help="Utterances in a shard.")] = 1000,
) -> None:
    """Write shards in Lhotse's Shar format, for a shared or remote disk; asr prepare lhotse OUT_DIR reads them."""
    from asr.corpora.manifests.prepared import read_prepared
    from asr.corpora.shards import write_shards
    from asr.storage.output_folder import output_folder

    corpus = read_prepared(prepared)
    with output_folder(out, "corpus shards", "OUT_DIR") as owner:
        owner.clear()
        written = write_shards(corpus, out, shard_size)
    print(f"{written} shards: {out}")


@app.command(short_help="Download a public corpus")
def get(
    name: Annotated[str | None, typer.Argument(help="The corpus; without it, all are listed.")] = None,
    given: Annotated[
        list[Path], typer.Option("--from", help="An archive of it that you already have. Repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Download a public corpus into ASR_CACHE (default: ~/.cache/asr); rerun an interrupted download to resume it."""
    from asr.corpora.public.fetching import fetch
    from asr.corpora.public.sources import PUBLIC

    if name is None:
        print("\n".join(f"{name:>18}  {corpus.about}; {corpus.licence}" for name, corpus in PUBLIC.items()))
        return
    folder = fetch(name, given)
    command, *options = PUBLIC[name].prepare.split()
    print(folder)
    print(" ".join(["next: asr prepare", command, str(folder), "OUT_DIR", *options]))


def _table(found: "Statistics") -> str:
    lines = [f"{'':>16}  utterances  speakers   hours    phones"]
    for name, part in {**found.splits, **found.corpora}.items():
        lines.append(f"{name:>16}  {part.utterances:10d}  {part.speakers:8d}  {part.hours:6.2f}  {part.phones:8d}")
    ranges = (
        ("seconds an utterance", found.seconds),
        ("minutes a speaker", found.speaker_minutes),
        ("phones a second", found.phones_per_second),
        ("level, dB of full scale", found.level),
    )
    lines += ["", *(f"{name:>24}: {_range(each)}" for name, each in ranges if each is not None)]
    lines.append(
        f"{'sample rates':>24}: " + ", ".join(f"{rate} ({times})" for rate, times in found.sample_rates.items())
    )
    lines.append(
        f"{'phones':>24}: " + (" ".join(f"{phone} {times}" for phone, times in found.phones.items()) or "none")
    )
    lines.append("")
    suspects = _suspects(found)
    times = {what: len(each) for what, each in suspects.items()}
    times[THE_SAME] = sum(map(len, found.duplicates))
    lines += [f"{count(number, 'utterance'):>24}: {what}" for what, number in times.items() if number]
    for what, each in suspects.items():
        lines += [f"{what}: {name}" for name in each[:MOST_SHOWN]]
    return "\n".join(lines if lines[-1] else [*lines, "Nothing looks wrong."])


THE_SAME = "the same audio"

MOST_SHOWN = 5
"""Utterances of each kind that are listed; --json has all."""


def _suspects(found: "Statistics") -> dict[str, list[str]]:
    return found.problems | {
        "phones do not fit the length": [f"{name} ({rate} phones a second)" for name, rate in found.bad_rates.items()],
        THE_SAME: [" = ".join(names) for names in found.duplicates],
        "cannot be read": list(found.unreadable.values()),
    }


def _range(each: "Range") -> str:
    return f"{each.least:g} to {each.greatest:g}, median {each.median:g}"
