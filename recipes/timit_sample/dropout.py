"""Frame error and PER against epochs, with dropout and without, over depths and widths: the study of dropout.md.

    python recipes/timit_sample/dropout.py [--corpus DIR] [--out runs/timit_sample/dropout]

Every size is trained with each seed, with dropout and without, for the same number of epochs at a constant learning
rate, without augmentation and without any average of weights, so that overfitting shows. All of them train, tune and
test on the speakers of one fold: what differs between the seeds is the initialisation, the order of the frames and the
units that are dropped. The weights of every epoch are then tested. Acoustic scale and insertion penalty are chosen once
a training, on dev with the weights of its last epoch, and hold for all its epochs.

OUT/dropout.tsv has a line for each tested epoch, OUT/dropout.svg the plot; a table of means is printed as Markdown. A
finished training is not repeated: if interrupted, rerun the same command to resume.
"""

import argparse
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from asr.acoustics.bundle import Bundle, Tuning, read_bundle
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scorer import AcousticScorer
from asr.config import DecodingConfig, RecipeConfig
from asr.corpora.cuts import read_cuts, reference
from asr.corpora.prepare import prepare
from asr.decoding.bundle_decoder import bundle_decoder, bundle_ngrams, search_factory
from asr.decoding.stage import write_lm
from asr.decoding.tuning import tune
from asr.features.dataset import Dataset
from asr.features.stage import compute_features
from asr.phones.classes import UNLABELLED
from asr.report.axes import Axes, legend, padded
from asr.report.svg import figure, ticks, write_figure
from asr.scoring.score import counted_per
from asr.storage.files import write_text
from asr.storage.json_files import read_jsonl, write_jsonl
from asr.storage.weights import load_weights
from asr.training.averaging import epoch_path
from asr.training.data.speech import Speech, load_speech
from asr.training.train import train

SIZES = ((2, 256), (4, 256), (2, 768))
"""Hidden layers and units of each."""
SEEDS = (0, 1, 2)
EPOCHS = 24
DROPOUT, INPUT_DROPOUT = 0.3, 0.1
"""For hidden units and for inputs. The 0.5 and 0.2 of Hinton et al. (2012), "Improving neural networks by preventing
co-adaptation of feature detectors", are for hours of speech: the sample's four minutes do not fit so few units."""
PER_EVERY = 2
"""Epochs between two that are decoded; the first and the last always are."""
GRID = DecodingConfig(
    acoustic_scales=[0.3, 0.4, 0.5, 0.6, 0.8, 1.0], insertion_penalties=[-3.0, -2.0, -1.0, 0.0, 1.0], prior_scales=[1.0]
)
CURVES = ((False, "without dropout", "var(--c2)"), (True, "with dropout", "var(--c1)"))
FOLD = "fold-1"
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """One training."""

    layers: int
    width: int
    dropout: bool
    seed: int

    @property
    def name(self) -> str:
        return f"{self.layers}x{self.width}-{'dropout' if self.dropout else 'none'}-seed{self.seed}"

    @property
    def size(self) -> tuple[int, int]:
        return self.layers, self.width


@dataclass(frozen=True)
class Point:
    """The test speakers' figures after an epoch, in per cent; `per`, silence counted, only where it was decoded.

    `train_frame_error` is the mean over the epoch, while the weights change and units are dropped; `dev_frame_error`
    and `frame_error` (test) are without dropout.
    """

    layers: int
    width: int
    dropout: bool
    seed: int
    epoch: int
    train_frame_error: float
    dev_frame_error: float
    frame_error: float
    per: float | None

    @property
    def size(self) -> tuple[int, int]:
        return self.layers, self.width


@dataclass(frozen=True)
class Study:
    """Shared by all trainings."""

    corpus: Path
    out: Path
    epochs: int

    @property
    def prepared(self) -> Path:
        return self.out / "prepare" / FOLD

    @property
    def features(self) -> Path:
        return self.out / "features"

    def recipe(self, setting: Setting) -> RecipeConfig:
        return RecipeConfig.model_validate(
            {
                "seed": setting.seed,
                "corpus": {"name": "timit", "dir": self.corpus, "folds": 4},
                "features": {"type": "fbank", "bins": 40, "cmvn": "speaker"},
                "targets": {"phone_set": "timit61", "states": 3},
                "model": {
                    "type": "dnn",
                    "layers": setting.layers,
                    "width": setting.width,
                    "context": 8,
                    "dropout": DROPOUT if setting.dropout else 0.0,
                    "input_dropout": INPUT_DROPOUT if setting.dropout else 0.0,
                },
                "training": {
                    "epochs": self.epochs,
                    "patience": self.epochs,
                    "batch_size": 128,
                    "optimizer": {"type": "adam", "learning_rate": 0.001},
                    "schedule": {"type": "constant"},
                    # So the weights of every epoch stay on disk.
                    "average": {"of": "last", "count": self.epochs},
                },
            }
        )


@dataclass(frozen=True)
class SpokenSet:
    """A split as it is tested: its speech, and each utterance's reference phones."""

    speech: Speech
    references: list[list[str]]


def main() -> None:
    """Trains and tests what is missing, then writes the table and the plot."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parse()
    study = Study(arguments.corpus, arguments.out, arguments.epochs)
    settings = [Setting(*size, dropout, seed) for seed, size, dropout in product(SEEDS, SIZES, (True, False))]
    if not (study.features / "summary.json").is_file():
        config = study.recipe(settings[0])
        prepare(config.corpus, study.prepared.parent)
        compute_features(config, study.prepared, study.features, CPU)
    points = [point for setting in settings for point in measured(study, setting)]
    write_points(study.out / "dropout.tsv", points)
    plot(points, study.out / "dropout.svg")
    print(markdown(points))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpora/timit_sample"), help="the TIMIT sample")
    parser.add_argument("--out", type=Path, default=Path("runs/timit_sample/dropout"), help="folder of the study")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of each training; a new --out for another number")
    return parser.parse_args()


def measured(study: Study, setting: Setting) -> Sequence[Point]:
    """The points of a training, which runs first if its figures are missing."""
    folder = study.out / setting.name
    figures = folder / "points.jsonl"
    if not figures.is_file():
        print(f"{setting.name}: running", flush=True)
        train(study.recipe(setting), study.prepared, study.features, folder, CPU)
        write_jsonl(figures, (asdict(point) for point in measure(study, setting, folder)))
        shutil.rmtree(folder / "checkpoints")
    return [Point(**row) for row in read_jsonl(figures)]


def measure(study: Study, setting: Setting, folder: Path) -> Iterator[Point]:
    """Tests the weights of every epoch of a finished training."""
    bundle = read_bundle(folder / "bundle")
    write_lm(bundle, bundle, Dataset(study.prepared, study.features))
    dev, test = (spoken(study, bundle.config, split) for split in ("dev", "test"))
    epochs = list(read_jsonl(folder / "metrics.jsonl"))
    load_weights(epoch_path(folder / "checkpoints", len(epochs)), bundle.model)
    tuning = tuned(bundle, dev)
    for row in epochs:
        epoch = row["epoch"]
        load_weights(epoch_path(folder / "checkpoints", epoch), bundle.model)
        scored = posteriors(bundle, test.speech)
        decoded = epoch in (1, len(epochs)) or epoch % PER_EVERY == 0
        yield Point(
            **asdict(setting),
            epoch=epoch,
            train_frame_error=row["train_frame_error"],
            dev_frame_error=row["dev_frame_error"],
            frame_error=frame_error(test.speech, scored),
            per=phone_error_rate(bundle, tuning, test, scored) if decoded else None,
        )


def spoken(study: Study, config: RecipeConfig, split: str) -> SpokenSet:
    speech = load_speech(config, Dataset(study.prepared, study.features).split(split, config.features), 0, CPU)
    cuts = {cut.id: cut for cut in read_cuts(study.prepared / f"{split}.cuts.jsonl.gz")}
    return SpokenSet(speech, [reference(cuts[utterance]).symbols for utterance in speech.utterances])


def posteriors(bundle: Bundle, speech: Speech) -> list[LogPosteriors]:
    """Log posteriors [T, C] of each utterance."""
    scorer = AcousticScorer(bundle)
    places = zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True)
    return [scorer.log_posteriors(speech.rows[start : start + frames].numpy()) for start, frames in places]


def frame_error(speech: Speech, scored: Sequence[LogPosteriors]) -> float:
    """The share of labelled frames, in per cent, whose class is not the most probable one."""
    best = torch.from_numpy(np.concatenate([each.argmax(axis=1) for each in scored]))
    labelled = speech.labels != UNLABELLED
    return 100 * (best != speech.labels)[labelled].double().mean().item()


def tuned(bundle: Bundle, dev: SpokenSet) -> Tuning:
    """The acoustic scale and insertion penalty of the least PER on dev."""
    phones = bundle_decoder(bundle, Tuning()).phones
    scored = list(zip(dev.references, posteriors(bundle, dev.speech), strict=True))
    chosen = tune(scored, bundle.statistics.priors, search_factory(bundle, bundle_ngrams(bundle)), phones, GRID)
    return Tuning(chosen.acoustic_scale, chosen.insertion_penalty)


def phone_error_rate(bundle: Bundle, tuning: Tuning, test: SpokenSet, scored: Sequence[LogPosteriors]) -> float:
    decoder = bundle_decoder(bundle, tuning)
    paths = ([decoder.phones[span.phone] for span in decoder.best_path(each).phones] for each in scored)
    return counted_per(zip(test.references, paths, strict=True))


def write_points(path: Path, points: Iterable[Point]) -> None:
    """One line an epoch; dropout as 1 or 0, per cent with two decimals, an empty field where it was not decoded."""

    def cell(value: Any) -> str:
        return "" if value is None else f"{value:.2f}" if isinstance(value, float) else f"{value:d}"

    lines = ["\t".join(map(cell, astuple(point))) for point in points]
    write_text(path, "\n".join(["\t".join(field.name for field in fields(Point)), *lines, ""]))


def plot(points: Sequence[Point], path: Path) -> None:
    """Frame error and PER of the test speakers against epochs: a line is the mean over the seeds, its band their range.

    A column for each size, and a row for each of the two errors.
    """
    sizes = sorted({point.size for point in points})
    parts: list[str] = []
    for row, (name, title) in enumerate((("frame_error", "frame error, test (%)"), ("per", "PER, test (%)"))):
        values = [value for point in points if (value := getattr(point, name)) is not None]
        for column, (layers, width) in enumerate(sizes):
            last = max(point.epoch for point in points)
            axes = Axes(44 + 250 * column, 26 + 240 * row, 200, 170, (1, last), padded(values))
            heading = f"{layers} layers of {width}: {title}"
            parts += axes.frame(heading, "epoch", (tick for tick in ticks(1, last) if tick == int(tick)))
            for dropout, _, colour in CURVES:
                of_size = [point for point in points if point.size == (layers, width) and point.dropout == dropout]
                epochs, low, mean, high = spread(of_size, name)
                parts += [axes.band(epochs, low, high, colour), axes.curve(zip(epochs, mean, strict=True), colour)]
    parts += legend([(name, colour) for _, name, colour in CURVES], 44, 500)
    label = "Frame error and phone error rate of the test speakers by epoch, with dropout and without"
    write_figure(path, figure(250 * len(sizes) + 10, 512, parts, label))


def spread(points: Iterable[Point], name: str) -> tuple[list[int], list[float], list[float], list[float]]:
    """The epochs at which a figure was measured, with its lowest, mean and highest value over the seeds."""
    by_epoch: dict[int, list[float]] = {}
    for point in points:
        if (value := getattr(point, name)) is not None:
            by_epoch.setdefault(point.epoch, []).append(value)
    epochs = sorted(by_epoch)
    values = [by_epoch[epoch] for epoch in epochs]
    return epochs, [min(each) for each in values], [fmean(each) for each in values], [max(each) for each in values]


def markdown(points: Sequence[Point]) -> str:
    """A row a size, without dropout and with: means over the seeds at the last epoch, and the best epoch's."""
    lines = [
        "| size | dropout | frame error, last epoch | lowest (epoch) | PER, last epoch | lowest (epoch) |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (layers, width), dropout in product(sorted({point.size for point in points}), (False, True)):
        of_size = [point for point in points if point.size == (layers, width) and point.dropout == dropout]
        cells = [f"{layers}x{width}", "yes" if dropout else "no"]
        for name in ("frame_error", "per"):
            epochs, _, mean, _ = spread(of_size, name)
            lowest = min(mean)
            cells += [f"{mean[-1]:.1f}", f"{lowest:.1f} ({epochs[mean.index(lowest)]})"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
