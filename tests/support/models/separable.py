"""Training sets whose frames say their class, so that a small model learns them in a moment."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from asr import models
from asr.config import RecipeConfig
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import Batching, FrameBatching, UtteranceBatching
from asr.training.data.speech import PhoneCounts, Speech

CPU = torch.device("cpu")


CONTEXT = 1


def recipe(**training: object) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "timit"},
            "model": {"layers": 1, "width": 32, "context": CONTEXT, "dropout": 0.2},
            "targets": {"states": 1 if training.get("loss") == "ctc" else 3},
            "training": {"batch_size": 32, "epochs": 4, **training},
        }
    )


def built(config: RecipeConfig) -> models.AcousticModel:
    """The recipe's model for what is separable here: 4 features, 4 classes, and 4 of a second output."""
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4)
    if config.training.timing is not None:
        model.timing = models.build(models.timing_network(config.training.timing), 4, 4)
    return model


def separable_frames(seed: int, device: torch.device = CPU) -> FrameBatching:
    """One utterance whose frames say their class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (300,), generator=generator)
    frames = 3 * nn.functional.one_hot(labels, 4) + torch.randn(300, 4, generator=generator)
    edge = torch.tensor([UNLABELLED])
    speech = Speech(
        rows=torch.cat([frames[:1], frames, frames[-1:]]).to(device),
        labels=torch.cat([edge, labels, edge]).to(device),
        starts=torch.tensor([CONTEXT]).to(device),
        lengths=torch.tensor([300]).to(device),
        utterances=["the-only-one"],
        edge=CONTEXT,
        resident=True,
    )
    return FrameBatching(speech)


def separable_utterances(seed: int) -> UtteranceBatching:
    """Utterances of several lengths whose frames say their class."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.arange(5, 30)
    labels = torch.randint(4, (int(lengths.sum()),), generator=generator)
    speech = Speech(
        rows=3 * nn.functional.one_hot(labels, 4) + torch.randn(len(labels), 4, generator=generator),
        labels=labels,
        starts=lengths.cumsum(0) - lengths,
        lengths=lengths,
        utterances=[str(length) for length in lengths.tolist()],
        edge=0,
        resident=True,
    )
    return UtteranceBatching(speech)


def separable_phones(seed: int, timed: bool = False, padded: Sequence[int] = ()) -> UtteranceBatching:
    """Utterances whose frames say their phone: three frames each, and a fourth that says the blank.

    If `timed`, each frame has also a label: its phone, or 0.
    """
    generator = torch.Generator().manual_seed(seed)
    counts = torch.arange(1, 8)
    phones = torch.randint(1, 4, (int(counts.sum()),), generator=generator)
    said = torch.stack([phones, phones, phones, torch.zeros_like(phones)], dim=1).flatten()
    ends = (4 * counts).cumsum(0)
    speech = Speech(
        rows=3 * nn.functional.one_hot(said, 4) + torch.randn(len(said), 4, generator=generator),
        labels=phones,
        starts=ends - 4 * counts,
        lengths=4 * counts,
        utterances=[str(count) for count in counts.tolist()],
        edge=0,
        resident=True,
        phones=PhoneCounts(counts, 2 * counts.numpy(), {}),
        timing=said if timed else None,
    )
    return UtteranceBatching(speech, padded)


def on_device(batching: Batching, device: torch.device) -> Batching:
    """The same minibatches from a device's memory."""
    speech = batching.speech
    names = ("rows", "labels", "starts", "lengths", *(["timing"] if speech.timing is not None else []))
    moved = replace(speech, **{name: getattr(speech, name).to(device) for name in names})
    if isinstance(batching, UtteranceBatching):
        return UtteranceBatching(moved, batching.padded)
    return FrameBatching(moved)
