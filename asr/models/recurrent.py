"""Recurrent networks: vanilla RNN, LSTM, GRU and light GRU, in any number of layers and one or two directions."""

import torch
from torch import Tensor, nn

from asr.config import GruConfig, Initializer, LightGruConfig, LstmConfig, Normalization, RecurrentCell, RnnConfig
from asr.models.acoustic_model import AcousticModel, valid_frames
from asr.models.cells import make_cell, run_both, run_fused
from asr.models.initializers import initialize
from asr.models.kernels.gpu import has_triton
from asr.models.kernels.reverse import reverse, reversed_rows
from asr.models.normalization import NoNorm, make_normalization


class Recurrent(AcousticModel):
    """Stacked recurrent layers and a linear output."""

    def __init__(
        self, config: RnnConfig | LstmConfig | GruConfig | LightGruConfig, input_dim: int, output_dim: int
    ) -> None:
        super().__init__()
        self.layers = RecurrentLayers(
            cell_of(config),
            input_dim,
            layers=config.layers,
            width=config.width,
            bidirectional=config.bidirectional,
            normalization=config.normalization,
            initializer=config.initializer,
            dropout=config.dropout,
        )
        self.output = nn.Linear(self.layers.output_dim, output_dim)
        initialize(self.output, "glorot")

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.layers(features, lengths), lengths


def cell_of(config: RnnConfig | LstmConfig | GruConfig | LightGruConfig) -> RecurrentCell:
    """The type of the layers' cells."""
    if isinstance(config, RnnConfig):
        return "rnn_tanh" if config.activation == "tanh" else "rnn_relu"
    return config.type


class RecurrentLayers(nn.Module):
    """`layers` recurrent layers of `width` units in each direction: [B, T, input_dim] -> [B, T, output_dim].

    Padding takes no part: the layer that runs backwards in time reads each utterance reversed within its own
    length, so every utterance starts from a state of zeros and what follows its end is never read. Unlike packed
    sequences this gives the library's kernels whole batches (measured on two cores, a 3 x 256 BiLSTM: 4 times faster).
    """

    def __init__(
        self,
        cell: RecurrentCell,
        input_dim: int,
        layers: int,
        width: int,
        bidirectional: bool,
        normalization: Normalization,
        initializer: Initializer,
        dropout: float,
    ) -> None:
        super().__init__()
        self.output_dim = width * (2 if bidirectional else 1)
        self.layers = nn.ModuleList(
            RecurrentLayer(
                cell, self.output_dim if layer else input_dim, width, bidirectional, normalization, initializer, dropout
            )
            for layer in range(layers)
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        frames = x.shape[1]
        if frames == 0:
            return x.new_zeros(*x.shape[:2], self.output_dim)
        lengths = lengths.to(x.device)
        valid, reversing = valid_frames(lengths, x).t(), reversed_rows(lengths, frames)
        # padding is processed like speech, so its values must not overflow
        x = x.transpose(0, 1).masked_fill(~valid[..., None], 0.0).contiguous()
        for layer in self.layers:
            x = layer(x, valid, reversing)
        return x.transpose(0, 1)


class RecurrentLayer(nn.Module):
    """One layer, time first: its directions side by side in the output, then normalisation and dropout.

    Only the light GRU normalises inside, before its gates.
    """

    def __init__(
        self,
        cell: RecurrentCell,
        input_dim: int,
        width: int,
        bidirectional: bool,
        normalization: Normalization,
        initializer: Initializer,
        dropout: float,
    ) -> None:
        super().__init__()
        self.forwards = make_cell(cell, input_dim, width, normalization, initializer)
        self.backwards = make_cell(cell, input_dim, width, normalization, initializer) if bidirectional else None
        output_dim = width * (2 if bidirectional else 1)
        self.normalization = NoNorm(output_dim) if cell == "ligru" else make_normalization(normalization, output_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor, reversing: Tensor) -> Tensor:
        """Takes x [T, B, D], which frames are speech [T, B], and the rows [T * B] that reverse utterances."""
        if has_triton(x):
            x = run_fused([self.forwards, *([self.backwards] if self.backwards else [])], x, valid)
        elif self.backwards is None:
            x = self.forwards(x, valid)
        else:
            ahead, back = run_both([self.forwards, self.backwards], [x, reverse(x, reversing)], valid)
            x = torch.cat([ahead, reverse(back, reversing)], -1)
        return self.dropout(self.normalization(x, valid))
