"""Tables of phone error rates for a terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from asr.errors import count
from asr.report.escaping import terminal
from asr.scoring.edit_alignment import Counts
from asr.scoring.results import UNKNOWN_SPEAKER, ScoreResult
from asr.scoring.silence import NOTE, TREATMENTS, UNTRANSCRIBED, USED_BY, Treatment

NUMBERS = ("Sub", "Del", "Ins", "Phones")


def per_table(result: ScoreResult) -> Table:
    """PER in every treatment of silence, each with who publishes it."""
    table = Table(
        title="Phone error rate (%), " + size(result),
        caption=f"95% interval: bootstrap over {result.resampled}\n"
        + (NOTE if result.silence_transcribed else UNTRANSCRIBED),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),  # narrow, so that full TIMIT's figures leave room for the last column in 80
    )
    table.add_column("Silence", no_wrap=True)
    table.add_column("PER", justify="right", style="bold", no_wrap=True)
    table.add_column("95% interval", justify="right", no_wrap=True)
    for name in NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("As used by")
    for treatment in TREATMENTS:
        score = result.treatments[treatment]
        low, high = score.interval
        table.add_row(
            treatment, percent(score.counts), f"{low:.1f} to {high:.1f}", *_numbers(score.counts), USED_BY[treatment]
        )
    return table


def speaker_table(result: ScoreResult) -> Table:
    """One row per speaker: errors with silence counted, and the PER of the other treatments."""
    return _group_table("speaker", result.by_speaker)


def corpus_table(result: ScoreResult) -> Table:
    """The same per corpus."""
    return _group_table("corpus", result.by_corpus)


def _group_table(kind: str, groups: dict[str, dict[Treatment, Counts]]) -> Table:
    table = Table(title=f"By {kind}, silence counted", title_justify="left", box=SIMPLE_HEAD)
    table.add_column(kind.capitalize(), no_wrap=True)
    table.add_column("PER", justify="right", style="bold", no_wrap=True)
    for name in (*NUMBERS, *(f"PER, {treatment}" for treatment in TREATMENTS[1:])):
        table.add_column(name, justify="right", no_wrap=True)
    for name, counts in groups.items():
        others = (percent(counts[treatment]) for treatment in TREATMENTS[1:])
        table.add_row(terminal(name), percent(counts["counted"]), *_numbers(counts["counted"]), *others)
    return table


def percent(counts: Counts) -> str:
    """PER with one decimal; a dash where there are no reference phones."""
    return "-" if counts.per is None else f"{counts.per:.1f}"


def _numbers(counts: Counts) -> list[str]:
    numbers = (counts.substitutions, counts.deletions, counts.insertions, counts.reference_phones)
    return [f"{number:,}" for number in numbers]


def size(result: ScoreResult) -> str:
    """How many utterances and speakers were scored, in words."""
    speakers = len(result.by_speaker.keys() - {UNKNOWN_SPEAKER})
    return f"{count(len(result.utterances), 'utterance')}, {count(speakers, 'speaker')}"
