"""PER of a finished run's test set under the conditions in which people record.

    python benchmarks/robustness.py runs/timit_sample/cnn [--fold K] [--conditions "alone,zeros 1 s"] [--split dev]
                                    [--model small]

"as it is" is the run's own test, each utterance normalised with all of its speaker. In all other conditions each is
recognised by itself, as `asr transcribe` does; `robustness_conditions.py` has the changes, and "hour" is all utterances
of a fold joined, again and again, to one recording of at least an hour. Marks are the most points of PER, silence
removed, that a condition may cost. The finished folds of a run are pooled. --model is another model to recognise the
run's test set with, such as the run's bundle when it is packed; it recognises each utterance by itself always.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from asr.config import ScoringConfig
from asr.corpora.cuts import read_cuts, reference
from asr.errors import InputError
from asr.features.extract import read_cut
from asr.formats.transcript import Transcript, read_transcripts
from asr.progress import track
from asr.recognizer import Recognizer, load
from asr.scoring.score import score
from asr.storage.run_layout import BUNDLE, DECODE, HYPOTHESES, PREPARE, cuts_path, fold_name, fold_names
from benchmarks.robustness_conditions import CONDITIONS, Condition, Recording
from benchmarks.robustness_splice import pieces, splice

AS_IT_IS = Condition("as it is", "as it is, with its speaker's others", None)
HOUR = Condition("hour", "an hour spliced to one recording", 0.5)
ALL = (AS_IT_IS, *CONDITIONS, HOUR)
HOUR_SECONDS = 3600.0

Pairs = list[tuple[Transcript, Transcript]]
"""References and hypotheses."""


@dataclass(frozen=True)
class Fold:
    """A finished model with its test (or dev) set."""

    recognizer: Recognizer
    recordings: list[Recording]
    decoded: Path | None
    """What the run itself recognised; None for another model."""

    def recognise(self, condition: Condition, seconds: float = HOUR_SECONDS) -> Pairs:
        """Every utterance as the corpus has it and as it is recognised under the condition."""
        if condition is AS_IT_IS and self.decoded is not None:
            found = {each.utterance: each for each in read_transcripts(self.decoded)}
            return [(each.reference, found[each.name]) for each in self.recordings]
        if condition is HOUR:
            spliced = splice(self.recordings, seconds)
            whole = self.recognizer.recognize(spliced.samples)
            return list(zip(spliced.references, pieces(spliced, whole.phones), strict=True))
        changed = (condition.apply(each) for each in self.recordings)
        return [
            (each.reference, self._alone(each, condition))
            for each in track(changed, condition.title, total=len(self.recordings))
        ]

    def _alone(self, recording: Recording, condition: Condition) -> Transcript:
        if condition.file is None:
            return self.recognizer.recognize(recording.samples, recording.name)
        with tempfile.TemporaryDirectory() as folder:
            found = self.recognizer.transcribe(condition.file.write(recording, Path(folder)))
            return replace(found, utterance=recording.name)


def open_fold(run: Path, fold: str, split: str, model: str | None = None) -> Fold:
    """Opens one fold of a run, or ("") a run without folds, with its own model or another. Raises InputError where its
    decoding is not finished."""
    recognizer = Recognizer(run / fold / DECODE / BUNDLE) if model is None else load(model)
    rate = recognizer.sample_rate
    cuts = read_cuts(cuts_path(run / PREPARE / fold, split))
    recordings = [Recording(read_cut(cut, rate), rate, reference(cut)) for cut in cuts]
    return Fold(recognizer, recordings, run / fold / DECODE / split / HYPOTHESES if model is None else None)


def finished_folds(run: Path) -> list[str]:
    """Raises InputError when there is none."""
    found = [fold for fold in fold_names(run) or [""] if (run / fold / DECODE / BUNDLE).is_dir()]
    if not found:
        raise InputError("has no fold that is trained and decoded; finish it with asr run", run)
    return found


@dataclass(frozen=True)
class Figure:
    """The PER (%) of one condition, and the points that it is above `as it is`."""

    condition: Condition
    removed: float
    counted: float
    points: float

    @property
    def passes(self) -> bool:
        return self.condition.limit is None or round(self.points, 2) <= self.condition.limit

    def to_json(self) -> dict[str, object]:
        limit = {} if self.condition.limit is None else {"limit": self.condition.limit, "passes": self.passes}
        return {
            "condition": self.condition.name,
            "figure": round(self.removed, 2),
            "unit": "% PER, silence removed",
            "counted": round(self.counted, 2),
            "points": round(self.points, 2),
            **limit,
        }


def measure(folds: Sequence[Fold], conditions: Iterable[Condition], seconds: float = HOUR_SECONDS) -> Iterable[Figure]:
    """The figures of `as it is` and then of the other conditions, each as soon as it is known."""
    config = folds[0].recognizer.bundle.config.scoring.model_copy(update={"bootstrap": 1})
    base, counted = error_rates([pair for fold in folds for pair in fold.recognise(AS_IT_IS)], config)
    yield Figure(AS_IT_IS, base, counted, 0.0)
    for condition in conditions:
        if condition is not AS_IT_IS:
            pairs = [pair for fold in folds for pair in fold.recognise(condition, seconds)]
            removed, counted = error_rates(pairs, config)
            yield Figure(condition, removed, counted, removed - base)


def error_rates(pairs: Pairs, config: ScoringConfig) -> tuple[float, float]:
    """The PER (%) with silence removed and counted."""
    result = score(*zip(*pairs, strict=True), config)
    removed, counted = (result.treatments[name].counts.per for name in ("removed", "counted"))
    return removed or 0.0, counted or 0.0


def show(figures: Sequence[Figure], title: str) -> None:
    table = Table("condition", "PER, silence removed", "counted", "points above", "mark", "", title=title)
    for figure in figures:
        limit = figure.condition.limit
        verdict = "" if limit is None else "passes" if figure.passes else "FAILS"
        numbers = (f"{figure.removed:.1f}", f"{figure.counted:.1f}", f"{figure.points:+.2f}")
        table.add_row(figure.condition.title, *numbers, "" if limit is None else f"{limit:g}", verdict)
    Console(width=120).print(table)


def chosen(text: str) -> list[Condition]:
    """Raises ValueError for a condition that does not exist."""
    names = {condition.name: condition for condition in ALL}
    wanted = [name.strip() for name in text.split(",")]
    if unknown := [name for name in wanted if name not in names]:
        raise argparse.ArgumentTypeError(f"no condition {unknown[0]!r}; there are {', '.join(names)}")
    return [names[name] for name in wanted]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="the folder of a finished run")
    parser.add_argument("--fold", type=int, help="only this fold (from 1); by default all that are finished")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument(
        "--conditions", type=chosen, default=list(ALL), help="names, separated by commas; by default all"
    )
    parser.add_argument("--model", help="another model, as in asr transcribe; by default the run's own")
    parser.add_argument("--hour", type=float, default=HOUR_SECONDS, help="least length (s) of the spliced recording")
    options = parser.parse_args(arguments)
    logging.getLogger("asr").setLevel(logging.ERROR)  # warnings about clipping and bands are expected here
    system = options.model or options.run.name
    try:
        names = finished_folds(options.run) if options.fold is None else [fold_name(options.fold)]
        folds = [open_fold(options.run, name, options.split, options.model) for name in names]
        figures = []
        for figure in measure(folds, options.conditions, options.hour):
            figures.append(figure)
            row = {"benchmark": "robustness", "system": system, **figure.to_json(), "threads": 1}
            print(json.dumps(row), flush=True)
    except InputError as error:
        sys.exit(f"error: {error}")
    utterances = sum(len(fold.recordings) for fold in folds)
    show(figures, f"{system}, {options.split}: {', '.join(filter(None, names))} {utterances} utterances")


if __name__ == "__main__":
    main()
