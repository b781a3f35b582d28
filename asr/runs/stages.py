"""The stages of a recipe: what each depends on, and what it does."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch

from asr.acoustics.bundle_manifest import SCHEMA as BUNDLE_SCHEMA
from asr.acoustics.bundle_manifest import model_folders
from asr.acoustics.digests import acoustic_digest
from asr.config import RecipeConfig
from asr.corpora.prepare import corpus_dir, prepare
from asr.decoding.stage import check_language_model, decode, help_decode
from asr.device import describe_device
from asr.engines.engine import Engine
from asr.errors import InputError
from asr.features.archive import SCHEMA as ARCHIVE_SCHEMA
from asr.features.stage import compute_features, help_features
from asr.models.encoder_weights import encoder_files
from asr.processes.ranks import world_size
from asr.processes.tasks import Others, Task
from asr.runs.folds import find_ensemble, of_fold, refuse_own
from asr.runs.stage import Stage, corpus_digest
from asr.scoring.stage import score_stage
from asr.storage.files import file_digest
from asr.storage.json_files import read_json
from asr.storage.run_layout import (
    BUNDLE,
    DECODE,
    FEATURES,
    HYPOTHESES,
    METRICS,
    PREPARE,
    REFERENCES,
    SCORE,
    SUMMARY,
    TEST,
    TRAIN,
    fold_name,
    forget_rounds,
    round_folder,
)
from asr.training.pretrained import pretrained_weights
from asr.training.realignment import log_round
from asr.training.train import initial_aligner, train

STAGES = (PREPARE, FEATURES, TRAIN, DECODE, SCORE, "report")
SKIPPING = (PREPARE, FEATURES, TRAIN)
"""The stages that may leave out utterances; they list them in their SUMMARY."""


def recipe_stages(
    config: RecipeConfig,
    folder: Path,
    device: torch.device,
    others: Others,
    engine: AbstractContextManager[Engine | None],
) -> list[Stage]:
    """The stages from prepare to score of every fold, in the order in which they run, below the run's `folder`;
    each features stage opens the `engine` to compute on.

    The `others` get tasks for `do_task`.

    Raises InputError where the corpus, or a model that the recipe starts from or decodes with, is missing or does not
    fit.
    """
    prepared = _prepare_stage(config, folder / PREPARE)
    each = (_Fold(of_fold(config, name), folder, name, device) for name in folds(config))
    chains = (_fold_stages(fold, prepared, others, engine) for fold in each)
    return [prepared, *(stage for chain in chains for stage in chain)]


def folds(config: RecipeConfig) -> list[str]:
    """The folder name of each fold below the run's and below prepare; one empty name where there are no folds."""
    count = config.corpus.folds
    return [""] if count == 1 else [fold_name(number) for number in range(1, count + 1)]


def each_round(config: RecipeConfig, *folders: Path) -> Iterator[tuple[Path, ...]]:
    """The folders of each round of training below some stages' folders; the last round uses `folders` themselves."""
    for number in range(config.training.realign):
        yield tuple(round_folder(folder, number) for folder in folders)
    yield folders


def skipped(stage: Stage) -> set[str]:
    """The utterances that a stage left out: broken ones where `corpus.skip_bad` is set, and those too short for CTC.

    Raises InputError for a damaged summary.json.
    """
    path = stage.folder / SUMMARY
    if stage.name not in SKIPPING or not path.is_file():
        return set()
    try:
        return {str(row["utterance"]) for row in read_json(path)["skipped"]}
    except (KeyError, TypeError) as error:
        raise InputError("has no list of skipped utterances; run the stage again", path) from error


def _prepare_stage(config: RecipeConfig, folder: Path) -> Stage:
    corpus = config.corpus
    source = corpus_dir(corpus)
    # The manifests hold absolute paths: the same corpus elsewhere needs others.
    settings = [corpus.model_dump(mode="json", exclude={"dir"}), str(source), corpus_digest(source)]
    settings += [file_digest(lexicon) for lexicon in corpus.lexicon_files]
    return Stage(PREPARE, folder, [], settings, lambda: prepare(corpus, folder))


@dataclass(frozen=True)
class _Fold:
    """One fold of a run, with its own recipe (see `of_fold`), or a run without folds, whose `name` is ""."""

    config: RecipeConfig
    run_folder: Path
    name: str
    device: torch.device

    @property
    def cuts(self) -> Path:
        return self.run_folder / PREPARE / self.name

    def folder(self, stage: str) -> Path:
        return self.run_folder / self.name / stage


def _fold_stages(
    fold: _Fold, prepared: Stage, others: Others, engine: AbstractContextManager[Engine | None]
) -> list[Stage]:
    """The stages from features to score of one fold."""
    features = _features_stage(fold, prepared, others, engine)
    trained = _train_stage(fold, prepared, features, others)
    decoded = _decode_stage(fold, [prepared, features, trained], others)
    return [features, trained, decoded, _score_stage(fold, decoded)]


def _features_stage(
    fold: _Fold, prepared: Stage, others: Others, engine: AbstractContextManager[Engine | None]
) -> Stage:
    config, folder = fold.config, fold.folder(FEATURES)

    def compute() -> None:
        theirs = others.at(stage=FEATURES, fold=fold.name)
        with engine as opened:
            compute_features(config, fold.cuts, folder, fold.device, opened, theirs)

    # The manifests do not change when the audio does, so the corpus's digest counts here too.
    settings = [_sections(config, "features") | {"archive": ARCHIVE_SCHEMA}, prepared.settings]
    return Stage(FEATURES, folder, [prepared], settings, compute)


def _train_stage(fold: _Fold, prepared: Stage, features: Stage, others: Others) -> Stage:
    config = fold.config
    weights, aligner = pretrained_weights(config), initial_aligner(config)
    encoder = encoder_files(config.model)
    for setting, path in (("model.pretrained", weights), ("training.align_with", aligner)):
        if path is not None:
            refuse_own(setting, path, fold.run_folder)

    def train_together() -> None:
        check_language_model(config, fold.cuts)  # before hours of training
        others(stage=TRAIN, fold=fold.name)
        _train(fold)

    settings = _sections(config, "seed", "features", "augmentation", "targets", "model", "training")
    settings["bundle"] = BUNDLE_SCHEMA
    if weights is not None:
        settings["weights"] = file_digest(weights)
    if encoder:
        settings["encoder"] = [file_digest(path) for path in encoder]
    if aligner is not None:
        settings["aligner"] = acoustic_digest(aligner)
    device, inputs = _described(fold.device), [prepared, features]
    return Stage(TRAIN, fold.folder(TRAIN), inputs, settings, train_together, device=device, kept=(METRICS,))


def _decode_stage(fold: _Fold, inputs: Sequence[Stage], others: Others) -> Stage:
    config = fold.config
    models = [folder for bundle in find_ensemble(config, fold.run_folder) for folder in model_folders(bundle)]
    settings = [_sections(config, "lm", "decoding"), config.scoring.model_dump()["phone_set"]]
    settings += map(acoustic_digest, models)
    return Stage(DECODE, fold.folder(DECODE), inputs, settings, lambda: _decode(fold, others))


def _score_stage(fold: _Fold, decoded: Stage) -> Stage:
    settings = _sections(fold.config, "seed", "scoring")
    return Stage(SCORE, fold.folder(SCORE), [decoded], settings, lambda: _score(fold))


def _sections(config: RecipeConfig, *names: str) -> dict[str, object]:
    """The settings of sections, but for those that change no result."""
    return config.model_dump(mode="json", include=set(names), exclude={"training": {"memory", "resident"}})


def _train(fold: _Fold) -> None:
    """Trains the model of a fold; with others, where there are several processes."""
    train(fold.config, fold.cuts, fold.folder(FEATURES), fold.folder(TRAIN), fold.device)


def _described(device: torch.device) -> str:
    """The device, or how many of it train together."""
    return describe_device(device) if world_size() == 1 else f"{world_size()} x {describe_device(device)}"


def _decode(fold: _Fold, others: Others) -> None:
    """Decodes with the model of each round; the last round's decodes together with the ensemble's other models."""
    theirs, last = others.at(stage=DECODE, fold=fold.name), fold.config.training.realign
    forget_rounds(fold.folder(DECODE), last)
    for number, each in enumerate(_decodings(fold)):
        log_round(number, last)
        decode(*each, fold.device, others=theirs.at(round=number))


def _decodings(fold: _Fold) -> Iterator[tuple[RecipeConfig, Path, Path, Path, Path]]:
    """What `decode` takes for each round: the recipe, and the folders of the bundle, cuts, features and results."""
    config, decoded = fold.config, fold.folder(DECODE)
    ensemble = find_ensemble(config, fold.run_folder)
    for source, target in each_round(config, fold.folder(TRAIN), decoded):
        models = ensemble if target == decoded else []
        decoding = config.decoding.model_copy(update={"ensemble": models})
        own = config.model_copy(update={"decoding": decoding})
        yield own, source / BUNDLE, fold.cuts, fold.folder(FEATURES), target


def _score(fold: _Fold) -> None:
    config = fold.config
    for number, (source, target) in enumerate(each_round(config, fold.folder(DECODE), fold.folder(SCORE))):
        log_round(number, config.training.realign)
        test = source / TEST
        score_stage(test / REFERENCES, test / HYPOTHESES, target, config.scoring, config.seed)


def do_task(recipe: RecipeConfig, run_folder: Path, device: torch.device, task: Task) -> object:
    """In a process other than 0: what process 0 gave it to do in a stage of a fold."""
    name = task["fold"]
    fold = _Fold(of_fold(recipe, name), run_folder, name, device)
    if task["stage"] == TRAIN:
        _train(fold)
        return None
    if task["stage"] == FEATURES:
        return help_features(fold.config, fold.cuts, fold.folder(FEATURES), device, task)
    return help_decode(*list(_decodings(fold))[task["round"]], device, task)
