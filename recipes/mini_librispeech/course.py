"""Two of a course's questions on mini LibriSpeech or a part of it: dropout, and GRU against LSTM.

    python recipes/mini_librispeech/course.py PREPARED [--set model.width=512] [--out runs/mini_librispeech/course]

PREPARED has the words of the speech, from asr prepare. The model in the box (`small`) times the phones of train and
dev; every setting is then trained with each seed, keeps the weights of the epoch with the least frame error on dev, and
is tuned on dev and scored on test once.

For each question (dropout, gru_lstm), OUT/QUESTION.tsv has a line for each epoch, OUT/QUESTION_scores.tsv one for each
training, and OUT/QUESTION.svg the frame errors. A finished training is not repeated: if interrupted, rerun the same
command to resume.
"""

import argparse
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from lhotse import MonoCut
from lhotse.supervision import AlignmentItem

from asr.acoustics.bundle import read_bundle
from asr.acoustics.scored_split import scored_split
from asr.alignment.aligner import AligningModel
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import read_cuts, write_cuts
from asr.data_files import data_path
from asr.decoding.stage import decode
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.features.stage import compute_features, extract_folder
from asr.report.axes import Axes, legend, padded
from asr.report.svg import figure, ticks, write_figure
from asr.scoring.stage import score_stage
from asr.storage.files import write_text
from asr.storage.json_files import read_json, read_jsonl
from asr.storage.run_layout import (
    BUNDLE,
    HYPOTHESES,
    METRICS,
    REFERENCES,
    RESULTS,
    SPLITS,
    SUMMARY,
    TEST,
    TUNED,
    WEIGHTS,
    cuts_path,
)
from asr.storage.weights import count_weights
from asr.training.realignment import align_cut
from asr.training.train import train

HERE = Path(__file__).resolve().parent
SEEDS = (0, 1, 2)
DEV_EVERY = 3
"""Of dev, every third utterance is used."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """One network of a question: a recipe of this folder, with some of its settings changed."""

    question: str
    name: str
    recipe: str
    changes: tuple[str, ...] = ()


SETTINGS = (
    Setting("dropout", "without dropout", "course_dnn", ("model.dropout=0", "model.input_dropout=0")),
    Setting("dropout", "with dropout", "course_dnn"),
    Setting("gru_lstm", "GRU", "course_gru"),
    Setting("gru_lstm", "LSTM", "course_gru", ("model.type=lstm",)),
)
COLOURS = ("var(--c2)", "var(--c1)")
EPOCHS = ("setting", "seed", "epoch", "train_frame_error", "dev_frame_error")
SCORES = (
    "setting",
    "seed",
    "parameters",
    "epoch",
    "dev_frame_error",
    "train_frame_error",
    "dev_per",
    "per",
    "low",
    "high",
)
Row = dict[str, Any]


def main() -> None:
    """Trains and scores what is missing, then writes the tables and the plots."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parse()
    out, prepared = arguments.out, arguments.out / "prepare"
    if not (out / "features" / SUMMARY).is_file():
        time_phones(arguments.prepared, prepared)
        compute_features(read_recipe(HERE / "course_dnn.yaml", []), prepared, out / "features", CPU)
    settings = [
        replace(setting, changes=(*arguments.set, *setting.changes))
        for setting in SETTINGS
        if arguments.question in (None, setting.question)
    ]
    trained = [(setting, seed, run(setting, seed, out)) for seed, setting in product(SEEDS, settings)]
    for question in dict.fromkeys(setting.question for setting in settings):
        asked = [each for each in trained if each[0].question == question]
        epochs = [row for each in asked for row in epoch_rows(*each)]
        scores = [score_row(*each) for each in asked]
        write_table(out / f"{question}.tsv", EPOCHS, epochs)
        write_table(out / f"{question}_scores.tsv", SCORES, scores)
        plot(epochs, out / f"{question}.svg")
        print(markdown(scores), end="\n\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path, help="manifests with words, from asr prepare")
    parser.add_argument("--question", choices=sorted({setting.question for setting in SETTINGS}), help="default: both")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="for all networks, as in asr run"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/mini_librispeech/course"), help="folder of the study")
    return parser.parse_args()


def time_phones(words: Path, out: Path) -> None:
    """Copies prepared manifests, of dev a part; train and dev with phones as the model in the box times them.

    Those of test stay without times, so that each word's best pronunciation counts when they are scored.
    """
    model = AligningModel(read_bundle(data_path("models", "small"), CPU), CPU)
    shutil.copytree(words, out, dirs_exist_ok=True)
    write_cuts(cuts_path(out, "dev"), islice(read_cuts(cuts_path(words, "dev")), 0, None, DEV_EVERY))
    extract_folder(out, out / "aligned", model.bundle.config.features)
    dataset = Dataset(out, out / "aligned")
    for split in SPLITS[:2]:
        scored = scored_split(model.scorer, dataset, split)
        write_cuts(cuts_path(out, split), (cut for each in list(scored) if (cut := timed(model, *each)) is not None))
    shutil.rmtree(out / "aligned")


def timed(model: AligningModel, cut: MonoCut, posteriors: Any) -> MonoCut | None:
    """The cut with the times of its phones; None where it cannot be aligned."""
    try:
        segments = align_cut(model, posteriors, cut, model.bundle.config.targets).segments
    except InputError as error:
        logging.warning("%s: %s", cut.id, error)
        return None
    items = [AlignmentItem(each.phone, each.start, round(each.end - each.start, 8)) for each in segments]
    (supervision,) = cut.supervisions
    return replace(cut, supervisions=[replace(supervision, alignment={"phone": items}, custom=None)])


def run(setting: Setting, seed: int, out: Path) -> Path:
    """The folder of a training, which runs first if its score is missing."""
    folder = out / f"{setting.name.replace(' ', '_')}-seed{seed}"
    if not (folder / "score" / RESULTS).is_file():
        print(f"{folder.name}: running", flush=True)
        config = read_recipe(HERE / f"{setting.recipe}.yaml", [f"seed={seed}", *setting.changes])
        data = out / "prepare", out / "features"
        train(config, *data, folder, CPU)
        decode(config, folder / BUNDLE, *data, folder / "decode", CPU)
        test = folder / "decode" / TEST
        score_stage(test / REFERENCES, test / HYPOTHESES, folder / "score", config.scoring)
        shutil.rmtree(folder / "checkpoints")
    return folder


def epoch_rows(setting: Setting, seed: int, folder: Path) -> Iterator[Row]:
    for row in read_jsonl(folder / METRICS):
        yield {**row, "setting": setting.name, "seed": seed}


def score_row(setting: Setting, seed: int, folder: Path) -> Row:
    """What a training reached; `epoch` has the least frame error on dev, `train_frame_error` is the last epoch's."""
    epochs = list(read_jsonl(folder / METRICS))
    best = min(epochs, key=lambda row: row["dev_frame_error"])
    score = read_json(folder / "score" / RESULTS)["removed"]
    return {
        "setting": setting.name,
        "seed": seed,
        "parameters": count_weights(folder / BUNDLE / WEIGHTS),
        "epoch": best["epoch"],
        "dev_frame_error": best["dev_frame_error"],
        "train_frame_error": epochs[-1]["train_frame_error"],
        "dev_per": read_json(folder / "decode" / TUNED)["per"],
        "per": score["per"],
        "low": score["interval"][0],
        "high": score["interval"][1],
    }


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """One line a row; per cent with two decimals."""
    cells = (
        [f"{value:.2f}" if isinstance(value := row[name], float) else str(value) for name in columns] for row in rows
    )
    write_text(path, "".join("\t".join(line) + "\n" for line in (columns, *cells)))


def plot(rows: Sequence[Row], path: Path) -> None:
    """Frame errors of dev and of training against epochs: a line is the mean over the seeds, its band their range."""
    names = list(dict.fromkeys(row["setting"] for row in rows))
    last = max(row["epoch"] for row in rows)
    parts: list[str] = []
    for column, (figure_of, title) in enumerate((("dev_frame_error", "dev"), ("train_frame_error", "training"))):
        axes = Axes(44 + 290 * column, 26, 240, 190, (1, last), padded([row[figure_of] for row in rows]))
        parts += axes.frame(
            f"frame error, {title} (%)", "epoch", (tick for tick in ticks(1, last) if tick == int(tick))
        )
        for name, colour in zip(names, COLOURS, strict=True):
            by_epoch = [
                [row[figure_of] for row in rows if row["setting"] == name and row["epoch"] == epoch]
                for epoch in range(1, last + 1)
            ]
            numbers = list(range(1, last + 1))
            parts += [
                axes.band(numbers, list(map(min, by_epoch)), list(map(max, by_epoch)), colour),
                axes.curve(zip(numbers, map(fmean, by_epoch), strict=True), colour),
            ]
    parts += legend(list(zip(names, COLOURS, strict=True)), 44, 272)
    label = f"Frame error of dev and of training by epoch: {' and '.join(names)}"
    write_figure(path, figure(600, 284, parts, label))


def markdown(scores: Sequence[Row]) -> str:
    """A row a training, and after those of each setting their means."""
    lines = [
        "| network | seed | lowest frame error on dev (epoch) | frame error in training, last epoch | PER, dev "
        "| PER, test (95% interval) |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in dict.fromkeys(row["setting"] for row in scores):
        rows = [row for row in scores if row["setting"] == name]
        figures = ("dev_frame_error", "train_frame_error", "dev_per", "per")
        mean = {figure: fmean(row[figure] for row in rows) for figure in figures}
        for row in [*rows, {"seed": "mean", **mean}]:
            error, trained, dev, test = (f"{row[figure]:.1f}" for figure in figures)
            error += f" ({row['epoch']})" if "epoch" in row else ""
            test += f" ({row['low']:.1f} to {row['high']:.1f})" if "low" in row else ""
            lines.append(f"| {name} | {row['seed']} | {error} | {trained} | {dev} | {test} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
