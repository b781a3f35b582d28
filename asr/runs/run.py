"""A run: the stages of a recipe, in order, each in its own folder, each skipped while it is current."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from asr.acoustics.bundle import SCHEMA, acoustic_digest, model_folders
from asr.config import RecipeConfig
from asr.config.recipe_file import write_recipe
from asr.corpora.prepare import corpus_dir, prepare
from asr.decoding.stage import check_language_model, decode
from asr.device import describe_device
from asr.errors import InputError
from asr.features.stage import compute_features
from asr.report.report import report
from asr.runs.environment import environment
from asr.runs.folds import find_ensemble, of_fold, refuse_own
from asr.runs.stage import Stage, corpus_digest, file_digest
from asr.scoring.results import ScoreResult, read_utterances, summarize
from asr.scoring.stage import score_stage
from asr.storage.files import read_json, write_json
from asr.storage.lock import LOCK, locked
from asr.storage.run_layout import (
    BUNDLE,
    ENVIRONMENT,
    HYPOTHESES,
    METRICS,
    PREPARE,
    RECIPE,
    REFERENCES,
    RESULTS,
    SCORE,
    SUMMARY,
    UTTERANCES,
    fold_name,
    forget_rounds,
    round_folder,
)
from asr.training.train import initial_aligner, pretrained_weights, train

log = logging.getLogger(__name__)

SKIPPING = ("prepare", "features", "train")
"""The stages that may leave out utterances, and say so in their SUMMARY."""
STAGES = ("prepare", "features", "train", "decode", "score", "report")


@dataclass(frozen=True)
class Run:
    """A recipe with the folder and the device that it runs in; `name` is the recipe's, such as timit_sample/dnn."""

    config: RecipeConfig
    name: str
    folder: Path
    device: torch.device

    @property
    def folds(self) -> list[str]:
        """The folder name of each fold below the run's and below prepare; one empty name where there are no folds."""
        count = self.config.corpus.folds
        return [""] if count == 1 else [fold_name(number) for number in range(1, count + 1)]


def default_folder(recipe: Path) -> Path:
    """runs/<corpus>/<recipe>, after the recipe's own folder and name."""
    return Path("runs") / recipe.resolve().parent.name / recipe.stem


def execute(run: Run, only: str | None = None, first: str | None = None) -> ScoreResult | None:
    """Runs the recipe's stages; returns the pooled scores, or None when the score stage was not among them.

    `only` makes that stage anew and no other; `first` makes that stage and all after it anew. Else a stage that is
    current is skipped. Raises InputError for a user's mistake, and when another run works in the folder.
    """
    _refuse_other_folder(run.folder)
    prepared = _prepare_stage(run)
    chains = [_fold_stages(run, prepared, fold) for fold in run.folds]
    stages = [prepared, *(stage for chain in chains for stage in chain)]
    forced = STAGES[STAGES.index(first) :] if first else (only,) if only else ()
    with locked(run.folder, "--out"):
        for stage in stages:
            if only == stage.name:
                for source in stage.inputs:
                    source.require_current()
            if only in (None, stage.name):
                _advance(stage, run, stage.name in forced)
        if only not in (None, "score", "report"):
            return None
        for chain in chains:
            chain[-1].require_current()
        result = write_results(run, stages)
        report(run.folder)
        return result


def _refuse_other_folder(folder: Path) -> None:
    """A stage clears its folder before it writes: --out must not name a folder of the user's own."""
    if folder.is_dir() and not any((folder / name).exists() for name in (RECIPE, LOCK)) and any(folder.iterdir()):
        raise InputError("holds files, but is no run's folder; choose a new or empty one with --out", folder)


def _advance(stage: Stage, run: Run, forced: bool) -> None:
    name = str(stage.folder.relative_to(run.folder))
    if not forced and stage.is_current():
        log.info("%s: up to date", name)
    else:
        log.info("%s: running", name)
        stage.run(anew=forced)
    if skipped := _skipped(stage):
        log.warning("%s: %d utterances skipped, see %s", name, len(skipped), stage.folder / SUMMARY)


def _skipped(stage: Stage) -> set[str]:
    """The utterances that a stage left out: broken ones that `corpus.skip_bad` lets it, and those too short for CTC."""
    path = stage.folder / SUMMARY
    if stage.name not in SKIPPING or not path.is_file():
        return set()
    return {row["utterance"] for row in read_json(path)["skipped"]}


def _prepare_stage(run: Run) -> Stage:
    corpus = run.config.corpus
    folder = run.folder / PREPARE
    source = corpus_dir(corpus)
    # The manifests hold absolute paths: the same corpus elsewhere needs others.
    settings = [corpus.model_dump(mode="json", exclude={"dir"}), str(source), corpus_digest(source)]
    return Stage("prepare", folder, [], settings, lambda: prepare(corpus, folder))


def _fold_stages(run: Run, prepared: Stage, fold: str) -> list[Stage]:
    """The stages from features to score of one fold."""
    config, device = of_fold(run.config, fold), run.device
    cuts = prepared.folder / fold
    folders = {name: run.folder / fold / name for name in STAGES}
    weights, aligner = pretrained_weights(config), initial_aligner(config)
    for setting, path in (("model.pretrained", weights), ("training.align_with", aligner)):
        if path is not None:
            refuse_own(setting, path, run.folder)
    features = Stage(
        "features",
        folders["features"],
        [prepared],
        # The manifests do not change when the audio does, so the corpus's digest counts here too.
        [_sections(config, "features"), prepared.settings],
        lambda: compute_features(config, cuts, folders["features"], device),
    )
    trained = Stage(
        "train",
        folders["train"],
        [prepared, features],
        _sections(config, "seed", "features", "augmentation", "targets", "model", "training")
        | {"bundle": SCHEMA}
        | ({} if weights is None else {"weights": file_digest(weights)})
        | ({} if aligner is None else {"aligner": acoustic_digest(aligner)}),
        lambda: _train(config, cuts, folders["features"], folders["train"], device),
        device=describe_device(device),
        kept=(METRICS,),
    )
    ensemble = find_ensemble(config, run.folder)
    models = [folder for bundle in ensemble for folder in model_folders(bundle)]
    decoded = Stage(
        "decode",
        folders["decode"],
        [prepared, features, trained],
        [_sections(config, "lm", "decoding"), config.scoring.phone_set, *map(acoustic_digest, models)],
        lambda: _decode(config, ensemble, folders["train"], cuts, folders["features"], folders["decode"], device),
    )
    scored = Stage(
        "score",
        folders["score"],
        [decoded],
        _sections(config, "seed", "scoring"),
        lambda: _score(config, folders["decode"], folders["score"]),
    )
    return [features, trained, decoded, scored]


def _sections(config: RecipeConfig, *names: str) -> dict[str, object]:
    return config.model_dump(mode="json", include=set(names))


def _each_round(config: RecipeConfig, *folders: Path) -> Iterator[tuple[Path, ...]]:
    """The folders of each round of training below some stages' folders: those themselves are the last round's."""
    for number in range(config.training.realign):
        yield tuple(round_folder(folder, number) for folder in folders)
    yield folders


def _train(config: RecipeConfig, cuts: Path, features: Path, out_dir: Path, device: torch.device) -> None:
    check_language_model(config, cuts)  # before hours of training
    train(config, cuts, features, out_dir, device)


def _decode(
    config: RecipeConfig,
    ensemble: Sequence[Path],
    trained: Path,
    cuts: Path,
    features: Path,
    out_dir: Path,
    device: torch.device,
) -> None:
    """Decodes with the model of each round; with the further models that of the last."""
    forget_rounds(out_dir, config.training.realign)
    for source, target in _each_round(config, trained, out_dir):
        models = list(ensemble) if target == out_dir else []
        decoding = config.decoding.model_copy(update={"ensemble": models})
        decode(config.model_copy(update={"decoding": decoding}), source / BUNDLE, cuts, features, target, device)


def _score(config: RecipeConfig, decoded: Path, out_dir: Path) -> None:
    for source, target in _each_round(config, decoded, out_dir):
        test = source / "test"
        score_stage(test / REFERENCES, test / HYPOTHESES, target, config.scoring, config.seed)


def write_results(run: Run, stages: Sequence[Stage]) -> ScoreResult:
    """Pools the folds' scores into the run's results.json; every utterance is tested in one fold only.

    What the results were made with is written with them, in recipe.yaml and environment.json: settings that came to no
    results never stand beside the results of others.
    """
    config = run.config
    device = _trained_on(stages)
    skipped = {utterance for stage in stages for utterance in _skipped(stage)}
    # Of each round of training, the utterances of each fold.
    rounds = [
        [read_utterances(folder / UTTERANCES) for folder in folders]
        for folders in _each_round(config, *(run.folder / fold / SCORE for fold in run.folds))
    ]
    each = [
        summarize((utterance for fold in folds for utterance in fold), config.scoring, config.seed) for folds in rounds
    ]
    scored, pooled = rounds[-1], each[-1]
    seconds = {name: sum(stage.seconds() for stage in stages if stage.name == name) for name in STAGES}
    seconds.pop("report")
    results = {
        **pooled.to_json(),
        "recipe": run.name,
        "corpus": config.corpus.name,
        "split": "test",
        "seed": config.seed,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "device": device,
        "skipped": len(skipped),
    }
    if len(each) > 1:
        results["rounds"] = [{"round": number, **result.treatments_json()} for number, result in enumerate(each)]
    if len(scored) > 1:
        results["folds"] = [summarize(fold, config.scoring, config.seed).to_json() for fold in scored]
    path = run.folder / RESULTS
    path.unlink(missing_ok=True)  # killed from here on, the run has no results
    write_recipe(run.folder / RECIPE, config)
    write_json(run.folder / ENVIRONMENT, {**environment(run.device), "device": device})
    write_json(path, results)
    return pooled


def _trained_on(stages: Iterable[Stage]) -> str:
    """The device, or devices, that training last ran on; this command's own may be another."""
    devices = [stage.recorded_device() or "not recorded" for stage in stages if stage.name == "train"]
    return "; ".join(dict.fromkeys(devices))
