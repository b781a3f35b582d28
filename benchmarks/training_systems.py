"""What trains in the benchmark with our models: our loop, the bare step, and a plain loop over a DataLoader."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torch.utils import data
from torch.utils.data import DataLoader

from asr import models
from asr.config import RecipeConfig
from asr.corpora.prepare import prepare
from asr.features.dataset import Dataset
from asr.features.stage import compute_features
from asr.models import AcousticModel
from asr.models.summary import summarize
from asr.phones.classes import UNLABELLED
from asr.training.checkpoint import Progress
from asr.training.data.batching import Batching, FrameBatching, UtteranceBatching, draws_frames
from asr.training.data.minibatch import Batch
from asr.training.data.padding import padded_lengths
from asr.training.data.speech import Speech, load_speech
from asr.training.data.targets import output_labels
from asr.training.loop import train_epoch
from asr.training.optimizers import make_optimizer
from asr.training.trainer import Trainer, make_fabric, make_trainer

CPU = torch.device("cpu")
PASSES = 3  # forward, and backward to the inputs and to the weights


@dataclass(frozen=True)
class Part:
    """Some minibatches of an epoch, the same for every system; a Batching for our loop."""

    batching: FrameBatching | UtteranceBatching
    members: list[Tensor]

    @property
    def speech(self) -> Speech:
        return self.batching.speech

    @property
    def frames(self) -> int:
        """Frames of speech in it; padding does not count."""
        return sum(map(self.real_frames, self.members))

    def real_frames(self, members: Tensor) -> int:
        return len(members) if isinstance(self.batching, FrameBatching) else int(self.speech.lengths[members].sum())

    def plan(self, size: int, shuffled: bool) -> list[Tensor]:
        return self.members

    def batch(self, members: Tensor, of: Tensor | None = None) -> Batch:
        return self.batching.batch(members, of)

    def utterances(self, members: Tensor) -> list[str]:
        return self.batching.utterances(members)


@dataclass(frozen=True)
class Run:
    """What the clock is set on, and the frames of speech that it trains on."""

    call: Callable[[], object]
    frames: int


System = Callable[[Part], Run]
"""Gets ready to train on a part of the epoch."""


def load(config: RecipeConfig, folder: Path, device: torch.device, frames: int) -> FrameBatching | UtteranceBatching:
    """The training speech of a corpus (of its first fold), over and over until it has so many frames."""
    model = build(config)
    by_frame = draws_frames(config.training, model)
    speech = load_speech(
        config, stages(config, folder).split("train", config.features), (model.context or 0) if by_frame else 0, device
    )
    speech = repeated(speech, max(1, -(-frames // int(speech.lengths.sum()))))
    if by_frame:
        return FrameBatching(speech)
    if device.type == "cpu":
        return UtteranceBatching(speech)
    return UtteranceBatching(speech, padded_lengths(speech.lengths.cpu().numpy()))


def stages(config: RecipeConfig, folder: Path) -> Dataset:
    """The prepared corpus with its features, which are computed where they are not yet there."""
    cuts, features = folder / "prepare", folder / "features"
    if not features.is_dir():
        prepare(config.corpus, cuts)
    cuts = cuts / ("fold-1" if config.corpus.folds > 1 else "")
    if not features.is_dir():
        compute_features(config, cuts, features, CPU)
    return Dataset(cuts, features)


def repeated(speech: Speech, times: int) -> Speech:
    """The speech `times` times over."""
    offsets = len(speech.rows) * torch.arange(times, device=speech.starts.device)
    return replace(
        speech,
        rows=speech.rows.repeat(times, 1),
        labels=speech.labels.repeat(times),
        starts=(speech.starts + offsets[:, None]).flatten(),
        lengths=speech.lengths.repeat(times),
        utterances=speech.utterances * times,
        phones=None if speech.phones is None else replace(speech.phones, counts=speech.phones.counts.repeat(times)),
    )


def build(config: RecipeConfig) -> AcousticModel:
    torch.manual_seed(0)
    return models.build(config.model, config.features.dim, len(config.class_names))


def our_trainer(config: RecipeConfig, device: torch.device) -> Trainer:
    """The package's own, of a new model."""
    model, training = build(config), config.training
    fabric = make_fabric(training, device)
    model.to(fabric.device)
    return make_trainer(training, fabric, model, make_optimizer(training.optimizer, model.parameters()))


def our_loop(config: RecipeConfig, device: torch.device) -> System:
    """The package's training, with its gathering of minibatches, loss, frame error and figures."""
    trainer, rate = our_trainer(config, device), config.training.optimizer.learning_rate
    planned: dict[FrameBatching | UtteranceBatching, PlannedFrames] = {}

    def ready(part: Part) -> Run:
        def call() -> None:
            data: Batching = part
            if isinstance(part.batching, FrameBatching):
                data = planned.setdefault(part.batching, PlannedFrames(part.speech))
                data.members = part.members
            train_epoch(trainer, data, Progress(rate))

        return Run(call, part.frames)

    return ready


class PlannedFrames(FrameBatching):
    """Frames whose minibatches are given. A CUDA graph gathers them, as in training."""

    members: list[Tensor]

    def plan(self, size: int, shuffled: bool) -> list[Tensor]:
        return self.members


def bare_step(config: RecipeConfig, device: torch.device) -> System:
    """Forward, backward and update on minibatches that are already in memory: the most that a loop can reach."""
    step = plain_step(config, device)

    def ready(part: Part) -> Run:
        batches = [part.batch(members) for members in part.members]
        return Run(lambda: each(step, batches), part.frames)

    return ready


def plain_loop(config: RecipeConfig, device: torch.device) -> System:
    """The same step on what a DataLoader gathers, as a first PyTorch program would write it."""
    step = plain_step(config, device)

    def ready(part: Part) -> Run:
        plan = [members.tolist() for members in part.members]
        if isinstance(part.batching, FrameBatching):
            loader = DataLoader(SplicedFrames(part.speech), batch_sampler=plan, collate_fn=collate_frames)
        else:
            loader = DataLoader(Utterances(part.speech), batch_sampler=plan, collate_fn=collate_utterances)
        return Run(lambda: each(step, (batch.to(device) for batch in loader)), part.frames)

    return ready


def clock(run: Run, device: torch.device) -> float:
    """Seconds."""
    synchronize(device)
    started = time.perf_counter()
    run.call()
    synchronize(device)
    return time.perf_counter() - started


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def flops_of(config: RecipeConfig) -> float:
    """FLOPs of training on a frame."""
    model = build(config)
    summary = summarize(model, config.features)
    a_second = summary.window_flops if draws_frames(config.training, model) else summary.flops
    assert a_second is not None
    return PASSES * a_second * config.features.frame_shift / 1000


def each(step: Callable[[Batch], None], batches: Iterable[Batch]) -> None:
    for batch in batches:
        step(batch)


def plain_step(
    config: RecipeConfig, device: torch.device, make: Callable[[RecipeConfig], nn.Module] | None = None
) -> Callable[[Batch], None]:
    """One update of a new model by a minibatch, with nothing around it; `make` builds another model than ours."""
    model = (make or build)(config).to(device).train()
    optimizer = make_optimizer(config.training.optimizer, model.parameters())
    half = config.training.precision == "bf16"

    def step(batch: Batch) -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = mean_loss(config, model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def mean_loss(config: RecipeConfig, model: nn.Module, batch: Batch) -> Tensor:
    """Cross entropy a frame, or CTC by PyTorch an utterance."""
    if config.training.loss != "ctc":
        logits, labels = scores(model, batch)
        return functional.cross_entropy(logits.float(), labels, ignore_index=UNLABELLED)
    logits, lengths = model(batch.inputs, batch.lengths)
    phones = (batch.labels != UNLABELLED).sum(dim=1)
    probabilities = logits.float().log_softmax(dim=2).transpose(0, 1)
    return functional.ctc_loss(probabilities, batch.labels.clamp(min=0), lengths, phones, zero_infinity=True)


def scores(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits [N, C] and labels [N] of a minibatch's output frames."""
    if batch.lengths is None:
        return model.forward_windows(batch.inputs), batch.labels
    logits, _ = model(batch.inputs, batch.lengths)
    return logits.flatten(0, 1), output_labels(batch.labels, model.subsampling).flatten()


class SplicedFrames(data.Dataset[tuple[Tensor, Tensor]]):
    """One frame with its neighbours an item, by its row."""

    def __init__(self, speech: Speech) -> None:
        self.rows, self.labels, self.edge = speech.rows.cpu(), speech.labels.cpu(), speech.edge

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return self.rows[row - self.edge : row + self.edge + 1], self.labels[row]


class Utterances(data.Dataset[tuple[Tensor, Tensor]]):
    """One utterance an item: features [T, D] and labels [T]."""

    def __init__(self, speech: Speech) -> None:
        self.rows, self.labels = speech.rows.cpu(), speech.labels.cpu()
        self.starts, self.lengths = speech.starts.tolist(), speech.lengths.tolist()

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        frames = slice(self.starts[number], self.starts[number] + self.lengths[number])
        return self.rows[frames], self.labels[frames]


def collate_frames(items: Sequence[tuple[Tensor, Tensor]]) -> Batch:
    windows, labels = zip(*items, strict=True)
    return Batch(torch.stack(windows), torch.stack(labels))


def collate_utterances(items: Sequence[tuple[Tensor, Tensor]]) -> Batch:
    features, labels = zip(*items, strict=True)
    return Batch(
        pad_sequence(features, batch_first=True),
        pad_sequence(labels, batch_first=True, padding_value=UNLABELLED),
        torch.tensor([len(each) for each in features]),
    )
