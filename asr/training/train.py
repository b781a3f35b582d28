"""The training stage: features and phones in, a model bundle out."""

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

import asr.version
from asr import models
from asr.acoustics.bundle import find_bundle, inherit, write_bundle
from asr.acoustics.digests import acoustic_digest
from asr.alignment.states import NO_ALIGNMENTS
from asr.config import RecipeConfig
from asr.errors import InputError, listed
from asr.features.dataset import Dataset, Split
from asr.models import AcousticModel
from asr.models.encoder_weights import encoder_files, load_encoder
from asr.models.initializers import initialize_from
from asr.storage.files import file_digest, make_folder
from asr.storage.json_files import write_json
from asr.storage.run_layout import BUNDLE, SUMMARY, WEIGHTS, forget_rounds, round_folder
from asr.storage.weights import read_weights
from asr.training.data.augmented import AugmentedSets, EpochSpeech
from asr.training.data.batching import Batching, EpochSets, FrameBatching, UtteranceBatching, draws_frames
from asr.training.data.padding import padded_lengths
from asr.training.data.speech import Speech, Use, load_speech
from asr.training.find_lr import Sweep, find_learning_rate, write_sweep
from asr.training.freezing import Freezing
from asr.training.loop import fit
from asr.training.optimizers import make_optimizer, parameter_groups
from asr.training.pretrained import pretrained_state, pretrained_weights
from asr.training.realignment import (
    AlignedSplits,
    align,
    failures,
    forget_alignments,
    log_failures,
    log_round,
    read_splits,
    start_flat,
)
from asr.training.statistics import class_statistics, timing_statistics
from asr.training.trainer import make_fabric, make_trainer, suits_graphs

log = logging.getLogger(__name__)

# A checkpoint stays valid when these change: they say when to stop, where the data is, and where labels come from (the
# labels themselves count).
PASSING_SETTINGS = {"epochs", "patience", "resident", "memory", "realign", "flat_start", "align_with"}
SCHEDULES_BY_EPOCHS = ("cosine", "one_cycle")


@dataclass(frozen=True)
class _Training:
    """Shared by all rounds of a training."""

    config: RecipeConfig
    dataset: Dataset
    fabric: Fabric

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @cached_property
    def file_digests(self) -> list[str]:
        """SHA-256 of the initial weights and the features, which are the same in every round."""
        files = [path] if (path := pretrained_weights(self.config)) else []
        files += encoder_files(self.config.model)
        files += [path for split in ("train", "dev") for path in self.dataset.files(split)]
        return [file_digest(path) for path in files]


def train(config: RecipeConfig, prepare_dir: Path, features_dir: Path, out_dir: Path, device: torch.device) -> None:
    """Trains the recipe's model and writes `out_dir`/bundle, with metrics and checkpoints next to it.

    If the recipe has several rounds, those before the last are in `out_dir`/round-0 and so on. Interrupted at any
    moment, it resumes after the last complete epoch when called again. Raises InputError for `training.snap` without
    alignments.
    """
    make_folder(out_dir)
    training = _Training(config, Dataset(prepare_dir, features_dir), make_fabric(config.training, device))
    last = config.training.realign
    if training.fabric.is_global_zero:
        forget_rounds(out_dir, last)
    not_aligned = []
    aligner = initial_aligner(config)
    labels: AlignedSplits = {}
    for number in range(last + 1):
        folder = round_folder(out_dir, number) if number < last else out_dir
        if training.fabric.is_global_zero:
            log_round(number, last)
        labels = _labels(training, aligner, labels, folder)
        not_aligned += failures(labels, number)
        skipped = _train_round(training, labels, folder)
        aligner = folder / BUNDLE
    if training.fabric.is_global_zero:
        write_json(out_dir / SUMMARY, {"skipped": skipped} | ({"not_aligned": not_aligned} if labels else {}))


def _labels(training: _Training, aligner: Path | None, former: AlignedSplits, folder: Path) -> AlignedSplits:
    """The alignments that label a round's frames; none when the corpus's own phone times do."""
    config, dataset = training.config, training.dataset
    if aligner is None and not config.training.flat_start:
        if training.fabric.is_global_zero:
            forget_alignments(folder)
        return {}
    if training.fabric.is_global_zero:
        if aligner is None:
            start_flat(config, dataset, folder)
        else:
            source = f"{acoustic_digest(aligner)} {_fingerprint(training, former)}"
            align(config, aligner, dataset, folder, source, former, training.device)
    training.fabric.barrier()
    labels = read_splits(folder)
    if training.fabric.is_global_zero:
        log_failures(labels)
    return labels


def _train_round(training: _Training, labels: AlignedSplits, folder: Path) -> list[dict[str, str]]:
    """Trains the model from scratch and writes `folder`/bundle; returns the utterances that were left out."""
    config, dataset = training.config, training.dataset
    fabric = training.fabric
    model = _build(config)
    alignments = labels["train"].alignments if labels else NO_ALIGNMENTS
    train_split = dataset.split("train", config.features)
    train_set = _load(config, model, train_split, fabric, labels, only_labels=config.augmentation.changes_waveforms)
    dev_set = _load(config, model, dataset.split("dev", config.features), fabric, labels)
    skipped = _too_short({"train": train_set.speech, "dev": dev_set.speech}) if fabric.is_global_zero else []
    with ExitStack() as stack:
        epochs: EpochSets = train_set
        counted = train_set.speech
        if config.augmentation.changes_waveforms:
            use = Use.FRAMES if isinstance(train_set, FrameBatching) else Use.UTTERANCES
            speech = EpochSpeech(config, train_set.speech, train_split, fabric.device, alignments, use)
            epochs = stack.enter_context(AugmentedSets(speech, config.training.epochs, _batching_like(train_set)))
            if config.augmentation.pauses is not None:
                counted = speech.labelled(0)  # with more silence
        statistics = class_statistics(counted, len(config.class_names), model.subsampling)
        timing = timing_statistics(counted, len(config.timing_names))
        del train_set, counted  # their rows need not stay in memory when each epoch has its own
        fit(config, fabric, model, epochs, dev_set, folder, _fingerprint(training, labels))
    if fabric.is_global_zero:
        write_bundle(folder / BUNDLE, config, model, statistics, dataset.training_cmvn(), timing)
        if config.training.trains_timing_alone and (weights := pretrained_weights(config)) is not None:
            inherit(weights.parent, folder / BUNDLE)
    fabric.barrier()
    return skipped


def sweep_learning_rates(
    config: RecipeConfig, prepare_dir: Path, features_dir: Path, out_dir: Path, device: torch.device
) -> Sweep:
    """Finds a learning rate for the recipe; writes learning_rate.tsv into `out_dir`."""
    model = _build(config)
    fabric = make_fabric(config.training, device)
    aligner = initial_aligner(config)
    first = round_folder(out_dir, 0) if config.training.realign else out_dir
    dataset = Dataset(prepare_dir, features_dir)
    labels = _labels(_Training(config, dataset, fabric), aligner, {}, first)
    data = _load(config, model, dataset.split("train", config.features), fabric, labels)
    groups = parameter_groups(model.to(fabric.device), config.training)
    optimizer = make_optimizer(config.training.optimizer, groups)
    trainer = make_trainer(config.training, fabric, model, optimizer)
    sweep = find_learning_rate(trainer, data)
    write_sweep(sweep, out_dir)
    return sweep


def _build(config: RecipeConfig) -> AcousticModel:
    torch.manual_seed(config.seed)
    model = models.build_for(config)
    load_encoder(model, config.model)
    copied: list[str] = []
    if (weights := pretrained_weights(config)) is not None:
        with torch.no_grad():
            copied = initialize_from(model, pretrained_state(config, model, weights))
        if not copied:
            raise InputError("model.pretrained: none of its layers fits this model", config.model.pretrained)
        frozen = set(Freezing(config.training, model).frozen) if config.training.freeze_encoder == "all" else set()
        if random := [name for name, each in model.named_parameters() if each in frozen and name not in copied]:
            raise InputError(
                f"model.pretrained: its {random[0].split('.')[0]} does not fit this model, and "
                "training.freeze_encoder would leave that random; set the sizes in model as they were",
                config.model.pretrained,
            )
        fresh = dict.fromkeys(name.split(".")[0] for name in model.state_dict() if name not in copied)
        but = f", except parts of {', '.join(fresh)}" if fresh else ""
        log.info("Initialised from %s%s", config.model.pretrained, but)
    if model.timing is not None and not any(name.startswith("timing.") for name in copied):
        _begin_as_aligner(model.timing, initial_aligner(config))
    return model


def _begin_as_aligner(timing: AcousticModel, aligner: Path | None) -> None:
    """Gives the network of a second output the weights of the model that aligns for it, where that is alike."""
    if aligner is None:
        return
    with torch.no_grad():
        if initialize_from(timing, read_weights(aligner / WEIGHTS)):
            log.info("training.timing: initialised from training.align_with")


def initial_aligner(config: RecipeConfig) -> Path | None:
    """The bundle that aligns for the first labels; None without `training.align_with`.

    Raises InputError when there is no such bundle, and for `training.snap` without alignments.
    """
    training = config.training
    if training.align_with is None:
        if training.snap and not training.realign:
            raise InputError(
                "training.snap moves boundaries of alignments; set training.align_with or training.realign"
            )
        return None
    try:
        return find_bundle(training.align_with)
    except InputError as error:
        raise InputError(f"training.align_with: {error}") from error


def _load(
    config: RecipeConfig,
    model: AcousticModel,
    split: Split,
    fabric: Fabric,
    labels: AlignedSplits,
    only_labels: bool = False,
) -> FrameBatching | UtteranceBatching:
    frames = draws_frames(config.training, model)
    edge = (model.context or 0) if frames else 0
    alignments = labels[split.name].alignments if labels else NO_ALIGNMENTS
    use = Use.LABELS if only_labels else Use.FRAMES if frames else Use.UTTERANCES
    speech = load_speech(config, split, edge, fabric.device, model.subsampling, alignments, use)
    if frames:
        return FrameBatching(speech)
    if not suits_graphs(fabric):
        return UtteranceBatching(speech)
    speeds = [float(speed) for speed in config.augmentation.speed] if split.name == "train" else [1.0]
    lengths = np.concatenate([np.ceil(speech.lengths.cpu().numpy() / speed).astype(np.int64) for speed in speeds])
    return UtteranceBatching(speech, padded_lengths(lengths))


def _batching_like(other: FrameBatching | UtteranceBatching) -> Callable[[Speech], Batching]:
    """How to draw minibatches of an epoch's speech in the same way."""
    if isinstance(other, UtteranceBatching):
        return partial(UtteranceBatching, padded=other.padded)
    return partial(FrameBatching, lasting=False)


def _too_short(splits: dict[str, Speech]) -> list[dict[str, str]]:
    """The utterances that CTC cannot align to their phones, as rows of summary.json; logs their names."""
    skipped = []
    for split, speech in splits.items():
        if speech.phones is None or not speech.phones.too_short:
            continue
        too_short = speech.phones.too_short
        skipped += [{"split": split, "utterance": name, "reason": reason} for name, reason in too_short.items()]
        total = len(speech.utterances)
        count = f"{len(too_short)} of {total} utterances"
        log.warning("%s: %s are too short for CTC: %s", split, count, listed(too_short))
    return skipped


def _fingerprint(training: _Training, labels: AlignedSplits) -> str:
    """Changes with everything that makes a checkpoint belong to a different training."""
    config = training.config
    passing = PASSING_SETTINGS - ({"epochs"} if config.training.schedule.type in SCHEDULES_BY_EPOCHS else set())
    names = {"seed", "features", "augmentation", "targets", "model", "training"}
    sections = config.model_dump(mode="json", include=names)
    sections["training"] = {name: value for name, value in sections["training"].items() if name not in passing}
    digest = hashlib.sha256(json.dumps([asr.version.__version__, sections]).encode())
    for each in training.file_digests:
        digest.update(bytes.fromhex(each))
    for aligned in labels.values():
        digest.update(aligned.digest.encode())
    return digest.hexdigest()
