"""The stages of a recipe: what each depends on, and what it does."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
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
from asr.processes import Others, Task, world_size
from asr.runs.folds import find_ensemble, of_fold, refuse_own
from asr.runs.stage import Stage, corpus_digest
from asr.scoring.stage import score_stage
from asr.storage.files import file_digest, read_json
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
    chains = (_fold_stages(config, folder, device, prepared, fold, others, engine) for fold in folds(config))
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
    """The utterances that a stage left out: broken ones where `corpus.skip_bad` is set, and those too short for CTC."""
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


def _fold_stages(
    recipe: RecipeConfig,
    run_folder: Path,
    device: torch.device,
    prepared: Stage,
    fold: str,
    others: Others,
    engine: AbstractContextManager[Engine | None],
) -> list[Stage]:
    """The stages from features to score of one fold."""
    config = of_fold(recipe, fold)
    cuts = prepared.folder / fold
    folders = {name: run_folder / fold / name for name in STAGES}
    weights, aligner = pretrained_weights(config), initial_aligner(config)
    encoder = encoder_files(config.model)
    for setting, path in (("model.pretrained", weights), ("training.align_with", aligner)):
        if path is not None:
            refuse_own(setting, path, run_folder)

    def compute() -> None:
        with engine as opened:
            compute_features(config, cuts, folders[FEATURES], device, opened, others.at(stage=FEATURES, fold=fold))

    features = Stage(
        FEATURES,
        folders[FEATURES],
        [prepared],
        # The manifests do not change when the audio does, so the corpus's digest counts here too.
        [_sections(config, "features") | {"archive": ARCHIVE_SCHEMA}, prepared.settings],
        compute,
    )

    def train_together() -> None:
        check_language_model(config, cuts)  # before hours of training
        others(stage=TRAIN, fold=fold)
        train_fold(recipe, run_folder, device, fold)

    trained = Stage(
        TRAIN,
        folders[TRAIN],
        [prepared, features],
        _sections(config, "seed", "features", "augmentation", "targets", "model", "training")
        | {"bundle": BUNDLE_SCHEMA}
        | ({} if weights is None else {"weights": file_digest(weights)})
        | ({"encoder": [file_digest(path) for path in encoder]} if encoder else {})
        | ({} if aligner is None else {"aligner": acoustic_digest(aligner)}),
        train_together,
        device=_described(device),
        kept=(METRICS,),
    )
    ensemble = find_ensemble(config, run_folder)
    models = [folder for bundle in ensemble for folder in model_folders(bundle)]
    decoded = Stage(
        DECODE,
        folders[DECODE],
        [prepared, features, trained],
        [_sections(config, "lm", "decoding"), config.scoring.model_dump()["phone_set"], *map(acoustic_digest, models)],
        lambda: _decode(recipe, run_folder, device, fold, others.at(stage=DECODE, fold=fold)),
    )
    scored = Stage(
        SCORE,
        folders[SCORE],
        [decoded],
        _sections(config, "seed", "scoring"),
        lambda: _score(config, folders[DECODE], folders[SCORE]),
    )
    return [features, trained, decoded, scored]


def _sections(config: RecipeConfig, *names: str) -> dict[str, object]:
    """The settings of sections, but for those that change no result."""
    return config.model_dump(mode="json", include=set(names), exclude={"training": {"memory", "resident"}})


def train_fold(recipe: RecipeConfig, run_folder: Path, device: torch.device, fold: str) -> None:
    """Trains the model of one fold ("": of a run without folds); with others, where there are several processes."""
    folder = run_folder / fold
    train(of_fold(recipe, fold), run_folder / PREPARE / fold, folder / FEATURES, folder / TRAIN, device)


def _described(device: torch.device) -> str:
    """The device, or how many of it train together."""
    return describe_device(device) if world_size() == 1 else f"{world_size()} x {describe_device(device)}"


def _decode(recipe: RecipeConfig, run_folder: Path, device: torch.device, fold: str, others: Others) -> None:
    """Decodes with the model of each round; the last round's decodes together with the ensemble's other models."""
    forget_rounds(run_folder / fold / DECODE, recipe.training.realign)
    for number, each in enumerate(_decodings(recipe, run_folder, fold)):
        decode(*each, device, others=others.at(round=number))


def _decodings(
    recipe: RecipeConfig, run_folder: Path, fold: str
) -> Iterator[tuple[RecipeConfig, Path, Path, Path, Path]]:
    """What `decode` takes for each round: the recipe, and the folders of the bundle, cuts, features and results."""
    config, folder = of_fold(recipe, fold), run_folder / fold
    ensemble = find_ensemble(config, run_folder)
    for source, target in each_round(config, folder / TRAIN, folder / DECODE):
        models = ensemble if target == folder / DECODE else []
        decoding = config.decoding.model_copy(update={"ensemble": models})
        own = config.model_copy(update={"decoding": decoding})
        yield own, source / BUNDLE, run_folder / PREPARE / fold, folder / FEATURES, target


def do_task(recipe: RecipeConfig, run_folder: Path, device: torch.device, task: Task) -> object:
    """In a process other than 0: what process 0 gave it to do in a stage of a fold."""
    fold, folder = task["fold"], run_folder / task["fold"]
    if task["stage"] == TRAIN:
        train_fold(recipe, run_folder, device, fold)
        return None
    if task["stage"] == FEATURES:
        config = of_fold(recipe, fold)
        return help_features(config, run_folder / PREPARE / fold, folder / FEATURES, device, task)
    return help_decode(*list(_decodings(recipe, run_folder, fold))[task["round"]], device, task)


def _score(config: RecipeConfig, decoded: Path, out_dir: Path) -> None:
    for source, target in each_round(config, decoded, out_dir):
        test = source / TEST
        score_stage(test / REFERENCES, test / HYPOTHESES, target, config.scoring, config.seed)
