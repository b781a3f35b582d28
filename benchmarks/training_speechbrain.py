"""The same training by SpeechBrain: its layers, its data pipeline and its Brain.fit."""

import logging
from collections.abc import Sequence
from functools import partial

import torch
from speechbrain import Brain, Stage
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.lobes.models.CRDNN import CRDNN
from speechbrain.nnet.activations import Softmax
from speechbrain.nnet.CNN import Conv2d
from speechbrain.nnet.containers import Sequential
from speechbrain.nnet.linear import Linear
from speechbrain.nnet.losses import nll_loss
from speechbrain.nnet.normalization import BatchNorm1d, LayerNorm
from speechbrain.nnet.pooling import Pooling1d
from speechbrain.nnet.RNN import GRU, LSTM, LiGRU
from speechbrain.processing.features import ContextWindow
from torch import Tensor, nn

from asr.config import (
    CnnConfig,
    CrdnnConfig,
    DnnConfig,
    FullyConnectedSection,
    GruConfig,
    LightGruConfig,
    LstmConfig,
    ModelConfig,
    RecipeConfig,
)
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import FrameBatching, UtteranceBatching
from asr.training.data.speech import Speech
from asr.training.data.targets import output_labels
from asr.training.optimizers import make_optimizer
from benchmarks.training_systems import Part, Run, System

IGNORED = -100  # of torch's own loss


class FrameClassifier(Brain):
    """Frame cross-entropy, with the optimiser of the other systems kept from one fit to the next."""

    def compute_forward(self, batch, stage: Stage) -> Tensor:
        batch = batch.to(self.device)
        return self.hparams.log_softmax(self.modules.output(self.modules.model(batch.features.data)))

    def compute_objectives(self, predictions: Tensor, batch, stage: Stage) -> Tensor:
        labels = output_labels(batch.labels.data, self.hparams.subsampling)
        return nll_loss(predictions, labels.masked_fill(labels == UNLABELLED, IGNORED), batch.labels.lengths)

    def init_optimizers(self) -> None:
        if self.optimizers_dict is None:
            super().init_optimizers()


def brain_fit(config: RecipeConfig, device: torch.device, jit: bool = False) -> System:
    """SpeechBrain's model of the recipe's shape under its Brain.fit, on whole utterances.

    `jit` compiles the model by TorchScript, an option of its recipes. Where the other systems draw single frames, it
    gets utterances of as many frames an update.
    """
    logging.getLogger("speechbrain").setLevel(logging.ERROR)
    torch.manual_seed(0)
    classes = len(config.class_names)
    model, width = make_model(config.model, config.features.dim)
    brain = FrameClassifier(
        modules={"model": model, "output": Linear(input_size=width, n_neurons=classes)},
        opt_class=partial(make_optimizer, config.training.optimizer),
        hparams={"log_softmax": Softmax(apply_log=True), "subsampling": getattr(config.model, "subsampling", 1)},
        run_opts={
            "device": str(device),
            "precision": config.training.precision,
            "jit": jit,
            "noprogressbar": True,
        },
    )

    def ready(part: Part) -> Run:
        plan = utterance_plan(config, part)
        frames = sum(int(part.speech.lengths[members].sum()) for members in plan)
        loader = {"batch_sampler": [members.tolist() for members in plan]}
        data = dataset(part.speech)
        return Run(lambda: brain.fit(range(1), data, train_loader_kwargs=loader), frames)

    return ready


def utterance_plan(config: RecipeConfig, part: Part) -> list[Tensor]:
    """The part's minibatches; where they are of single frames, as many of whole utterances."""
    if not isinstance(part.batching, FrameBatching):
        return part.members
    return UtteranceBatching(part.speech).plan(config.training.batch_size, shuffled=True)[: len(part.members)]


def dataset(speech: Speech) -> DynamicItemDataset:
    """Features [T, D] and labels [T] in memory, an utterance an item."""
    rows, labels = speech.rows.cpu(), speech.labels.cpu()
    items = {
        str(number): {"start": start, "end": start + frames}
        for number, (start, frames) in enumerate(zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True))
    }
    data = DynamicItemDataset(items)
    data.add_dynamic_item(lambda start, end: rows[start:end], takes=["start", "end"], provides="features")
    data.add_dynamic_item(lambda start, end: labels[start:end], takes=["start", "end"], provides="labels")
    data.set_output_keys(["id", "features", "labels"])
    return data


def make_model(config: ModelConfig, input_dim: int) -> tuple[nn.Module, int]:
    """SpeechBrain's model of a shape, [B, T, D] -> [B, T', W], and its output's width W."""
    shape = (1, 10, input_dim)  # the first two change from call to call
    match config:
        case DnnConfig():
            model = Sequential(input_shape=shape)
            model.append(ContextWindow(config.context, config.context))
            append_fully_connected(model, config, BatchNorm1d)
            return model, config.width
        case CnnConfig():
            return cnn(config, shape), config.width
        case LstmConfig() | GruConfig() | LightGruConfig():
            kind = {"lstm": LSTM, "gru": GRU, "ligru": LiGRU}[config.type]
            layers = kind(
                config.width,
                input_shape=shape,
                num_layers=config.layers,
                dropout=config.dropout,
                bidirectional=config.bidirectional,
            )
            return OutputAlone(layers), config.width * (2 if config.bidirectional else 1)
        case CrdnnConfig():
            model = CRDNN(
                input_shape=shape,
                dropout=config.dropout,
                cnn_blocks=len(config.filters),
                cnn_channels=config.filters,
                cnn_kernelsize=(config.kernel, config.kernel),
                time_pooling=config.subsampling > 1,
                time_pooling_size=config.subsampling,
                rnn_class=LiGRU,
                rnn_layers=config.recurrent_layers,
                rnn_neurons=config.recurrent_width,
                rnn_bidirectional=config.bidirectional,
                dnn_blocks=config.layers,
                dnn_neurons=config.width,
            )
            return model, config.width
        case _:
            raise NotImplementedError(config.type)


class OutputAlone(nn.Module):
    """A recurrent layer's outputs, without its last states."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)[0]


def cnn(config: CnnConfig, shape: Sequence[int | None]) -> Sequential:
    """Convolutions over the bins of each frame, splicing, fully connected layers."""
    model = Sequential(input_shape=shape)
    for layer in config.convolutions:
        (_, bins), (_, pool) = layer.kernel, layer.pool_size if layer.pooling == "max" else (1, 1)
        model.append(Conv2d, out_channels=layer.filters, kernel_size=(bins, 1))
        model.append(LayerNorm)
        model.append(nn.ReLU())
        if pool > 1:
            model.append(Pooling1d("max", pool, input_dims=4, pool_axis=2))
        model.append(nn.Dropout(layer.dropout))
    model.append(nn.Flatten(2))
    model.append(ContextWindow(config.context, config.context))
    append_fully_connected(model, config, LayerNorm)
    return model


def append_fully_connected(model: Sequential, config: FullyConnectedSection, normalization: type[nn.Module]) -> None:
    for _ in range(config.layers):
        model.append(Linear, n_neurons=config.width)
        model.append(normalization)
        model.append(nn.ReLU())
        model.append(nn.Dropout(config.dropout))
