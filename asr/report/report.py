"""report.html and report.md of a run: scores, training curves, decoding, confusions and environment."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from markupsafe import Markup

from asr.errors import count
from asr.report.confusions import Examples, confusion_matrix
from asr.report.curves import curves, speed_curves
from asr.report.decoding import decoding_rows, reliability
from asr.report.error_analysis import error_analysis
from asr.report.in_short import in_short
from asr.report.rendering import render
from asr.report.run_files import Fold, RunFiles, curve_fields, read_run
from asr.report.svg import interval_bar, write_figure
from asr.scoring.edit_alignment import MARKS, EditPair, Outcome, outcome_of
from asr.scoring.results import UtteranceScore, confusions, ranked, summarize, worst
from asr.scoring.sclite_reports import write_sclite_reports
from asr.scoring.silence import NOTE, RULES, TREATMENTS, UNTRANSCRIBED, USED_BY
from asr.scoring.timing import TOLERANCES, Timing, timing_files
from asr.storage.files import write_text
from asr.storage.run_layout import DECODE, FIGURES, HYPOTHESES, REFERENCES, REPORT, TEST, fold_name

ERRORS: dict[Outcome, str] = {"substituted": "substitutions", "deleted": "deletions", "inserted": "insertions"}
"""The names of the lists of errors, by outcome."""
LIST_LENGTH = 20
MARKDOWN_PAIRS_A_LINE = 16


def report(run_dir: Path) -> Path:
    """Writes report.html, report.md and report-figures/ into a run's folder; returns the path of report.html.

    report.html is a single file that works offline. The same run gives the same bytes. Raises InputError for a folder
    that is not a finished run.
    """
    run_dir = Path(run_dir)
    run = read_run(run_dir)
    pairs = confusions(run.utterances)
    figures = _figures(run_dir, run, pairs)
    content = _content(run_dir, run, pairs, figures)
    for name, svg in figures.items():
        if svg:
            write_figure(run_dir / FIGURES / f"{name}.svg", svg)
    for suffix in ("md", "html"):
        write_text(run_dir / f"report.{suffix}", render(f"report.{suffix}.j2", content))
    return run_dir / REPORT


def sclite_listings(run_dir: Path) -> list[Path]:
    """Writes sclite.pra and sclite.dtl of all folds into a run's folder; returns their paths."""
    run_dir = Path(run_dir)
    run = read_run(run_dir)
    scores = summarize(run.utterances, run.config.scoring, run.config.seed)
    return write_sclite_reports(scores, run_dir, str(run.results.get("recipe", run_dir.name)))


def page_with_examples(run_dir: Path, run: RunFiles, examples: Examples) -> str:
    """The page of `report`, with links from its confusions, phones, speakers and utterances to their examples."""
    pairs = confusions(run.utterances)
    figures = _figures(run_dir, run, pairs) | {"confusions": confusion_matrix(run.phone_set, pairs, examples)}
    content = _content(run_dir, run, pairs, figures) | {"examples": examples}
    return render("report.html.j2", content)


def _figures(run_dir: Path, run: RunFiles, pairs: Counter[EditPair]) -> dict[str, str | None]:
    """The figures as SVG; None for one that the run has nothing for."""
    return {
        "curves": curves(run.folds, run.training),
        "speed": speed_curves(run.folds),
        "reliability": reliability(run_dir, [fold.name for fold in run.folds], run.phone_set),
        "confusions": confusion_matrix(run.phone_set, pairs),
    }


def _content(run_dir: Path, run: RunFiles, pairs: Counter[EditPair], figures: dict[str, str | None]) -> dict[str, Any]:
    """What the templates show; `examples` gives the addresses of examples in the error browser, where there is one."""
    columns = curve_fields(run.training)
    analysis, frequent = error_analysis(run_dir, run), _frequent(ranked(pairs))
    return {
        "title": run.results.get("recipe", run_dir.name),
        "facts": _facts(run.results),
        "results": run.results,
        "phones": run.phone_set,
        **_error_rates(run),
        "silence_note": _silence_note(run.results),
        "speakers": _groups(run.results["by_speaker"]),
        "corpora": _groups(run.results.get("by_corpus", {})),
        "analysis": analysis,
        "short": in_short(run.results["counted"], frequent, analysis["classes"], run.phone_set),
        "timing": _timing(run_dir, run),
        "tolerances": TOLERANCES,
        **{name: Markup(svg) if svg else None for name, svg in figures.items()},
        "training": [_training(fold, columns) for fold in run.folds if fold.epochs],
        "columns": columns,
        "averaged": any(len(fold.kept) > 1 for fold in run.folds),
        "decoding": decoding_rows(run_dir, [fold.name for fold in run.folds]),
        **{kind: rows[:LIST_LENGTH] for kind, rows in frequent.items()},
        "worst": [_utterance(item) for item in worst(run.utterances, LIST_LENGTH)],
        "details": _details(run),
        "recipe": run.recipe.strip(),
        "examples": None,
    }


def _timing(run_dir: Path, run: RunFiles) -> list[Timing]:
    """The accuracy of times over all folds; nothing where the references or the hypotheses have none."""
    folders = [run_dir / fold.name / DECODE / TEST for fold in run.folds]
    files = [(folder / REFERENCES, folder / HYPOTHESES) for folder in folders]
    return timing_files([pair for pair in files if all(path.is_file() for path in pair)], run.phone_set)


def _silence_note(results: dict[str, Any]) -> str:
    """What a reader must know about silence to compare the rows with published figures."""
    if not results.get("silence_transcribed", True):
        return UNTRANSCRIBED
    return f"Published figures treat silence in three ways, so compare only within a row ({NOTE})."


def _facts(results: dict[str, Any]) -> list[str]:
    facts = [count(results["utterances"], "utterance"), count(results["speakers"], "speaker")]
    if "corpus" in results:
        facts.insert(0, f"{results['corpus']}, {results.get('split', 'test')} set")
    if "seed" in results:
        facts.append(f"seed {results['seed']}")
    return [*facts, results["device"]] if "device" in results else facts


def _error_rates(run: RunFiles) -> dict[str, Any]:
    """The rows of the tables of treatments, folds and rounds, with all intervals drawn on the same axis."""
    folds = [{"name": fold_name(number), **fold} for number, fold in enumerate(run.results.get("folds", ()), 1)]
    rounds = run.results.get("rounds", [])
    shown = [run.results[treatment] for treatment in TREATMENTS] + [row["counted"] for row in (*folds, *rounds)]
    bounds = [bound for row in shown for bound in (*row["interval"], row["per"])]
    axis = min(bounds), max(bounds)

    def bar(row: dict[str, Any]) -> Markup:
        return Markup(interval_bar(row["per"], row["interval"], axis))

    treatments = []
    for name in TREATMENTS:
        row = run.results[name]
        low, high = row["interval"]
        words = {"name": name, "rule": RULES[name], "used_by": USED_BY[name]}
        treatments.append({**row, **words, "low": low, "high": high, "bar": bar(row)})
    return {
        "treatments": treatments,
        "folds": [{**fold, "bar": bar(fold["counted"])} for fold in folds],
        "rounds": [{**row, "bar": bar(row["counted"])} for row in rounds],
    }


def _groups(groups: dict[str, Any]) -> list[dict[str, Any]]:
    """Speakers or corpora, worst first, each with the widths in per cent of the parts of its bar."""
    rows = sorted(groups.items(), key=lambda item: (-(item[1]["counted"]["per"] or 0), item[0]))
    longest = max((row["counted"]["per"] or 0 for _, row in rows), default=0) or 1
    return [{"name": name, **row, "bars": _bars(row["counted"], longest)} for name, row in rows]


def _bars(counts: dict[str, Any], longest: float) -> list[tuple[str, str]]:
    scale = 100 * 100 / longest / max(counts["reference_phones"], 1)
    kinds = (("S", "substitutions"), ("D", "deletions"), ("I", "insertions"))
    return [(mark, f"{counts[name] * scale:.2f}") for mark, name in kinds if counts[name]]


def _training(fold: Fold, columns: Sequence[str]) -> dict[str, Any]:
    """The epochs that were kept, and the means of their figures."""
    means = {name: fmean(row[name] for row in fold.kept) for name in columns}
    kept = _ranges([row["epoch"] for row in fold.kept])
    return {"name": fold.name or "all", "epochs": len(fold.epochs), "kept": kept, "means": means}


def _ranges(numbers: Sequence[int]) -> str:
    """Rising numbers in short form: 1, 4 to 6."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _frequent(pairs: Sequence[tuple[EditPair, int]]) -> dict[str, list[dict[str, Any]]]:
    """The most frequent substitutions and deletions, with their share of the phone, and insertions, of all of them."""
    totals: dict[str | None, int] = {}
    for (reference, _), times in pairs:
        totals[reference] = totals.get(reference, 0) + times
    lists: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ERRORS.values()}
    for (reference, hypothesis), times in pairs:
        if kind := ERRORS.get(outcome_of((reference, hypothesis))):
            share = 100 * times / totals[reference]
            lists[kind].append({"reference": reference, "hypothesis": hypothesis, "count": times, "share": share})
    return lists


def _utterance(item: UtteranceScore) -> dict[str, Any]:
    pairs = [(*pair, MARKS[outcome_of(pair)]) for pair in item.alignments["counted"]]
    counts = item.counts["counted"]
    return {"name": item.utterance, "per": counts.per, "counts": counts, "pairs": pairs, "lines": _lines(pairs)}


def _lines(pairs: Sequence[tuple[str | None, str | None, str]]) -> list[str]:
    """The alignment as monospaced text: groups of three lines."""
    lines: list[str] = []
    for start in range(0, len(pairs), MARKDOWN_PAIRS_A_LINE):
        part = pairs[start : start + MARKDOWN_PAIRS_A_LINE]
        rows = ("ref", *(pair[0] or "-" for pair in part)), ("hyp", *(pair[1] or "-" for pair in part))
        marks = ("", *(pair[2] for pair in part))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += [
            " ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
            for row in (*rows, marks)
        ]
    return lines


def _details(run: RunFiles) -> list[tuple[str, list[tuple[str, str]]]]:
    """Small tables of names and values: seconds per stage, environment."""
    details = []
    if seconds := run.results.get("seconds"):
        rows = [(name, f"{value:,.1f}") for name, value in seconds.items()]
        details.append(("Seconds per stage", [*rows, ("sum", f"{sum(seconds.values()):,.1f}")]))
    if run.environment:
        packages = run.environment.get("packages", {})
        rows = [(name, str(value)) for name, value in run.environment.items() if name != "packages"]
        details += [("Environment", rows), ("Packages", [(name, str(value)) for name, value in packages.items()])]
    return details
