"""One direction of a recurrent layer: vanilla RNN, LSTM, GRU and light GRU, with their initial weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import Initializer, Normalization, RecurrentCell
from asr.models.initializers import initialize_weight
from asr.models.kernels.fused_recurrent import fused_recurrent
from asr.models.kernels.gpu import on_gpu
from asr.models.kernels.gru import gru
from asr.models.kernels.light_gru import light_gru
from asr.models.kernels.scan import product_dtype
from asr.models.kernels.side_by_side import can_run_side_by_side, side_by_side
from asr.models.normalization import make_normalization

FUSED_CELLS: dict[str, RecurrentCell] = {"RNN_TANH": "rnn_tanh", "RNN_RELU": "rnn_relu", "LSTM": "lstm", "GRU": "gru"}
LIGHT_GRU_MOMENTUM = 0.05  # of batch normalisation, as in the authors' own implementation, pytorch-kaldi


class LibraryCell(nn.Module):
    """torch's own layer in one direction, by oneDNN's or cuDNN's kernels where they have one."""

    def __init__(self, layer: nn.RNN | nn.LSTM) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """As `Gru.forward`: x [T, B, D] -> [T, B, width]."""
        return self.layer(x)[0]


class Gru(nn.Module):
    """torch's GRU (Cho et al. 2014, with the reset gate after the recurrent product) with its weights, equations and
    results: cuDNN's on CUDA, and our own, faster kernel on the CPU."""

    def __init__(self, input_dim: int, width: int) -> None:
        super().__init__()
        self.layer = nn.GRU(input_dim, width)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [T, B, D] and which frames are speech, valid [T, B]; returns the hidden states [T, B, width]."""
        return self.layer(x)[0] if on_gpu(x) else gru(x, *self.layer.all_weights[0])


class LightGru(nn.Module):
    """The light GRU (Ravanelli et al. 2018): one gate, a rectified candidate, and normalised input products.

    z = sigmoid(N(W_z x) + U_z h); a = relu(N(W_a x) + U_a h); h' = z h + (1 - z) a  (eqs. 8 to 10 of the paper). N
    normalises each product with the input; its bias is the layer's. Rows of the weights are in the order z, a.
    """

    def __init__(self, input_dim: int, width: int, normalization: Normalization) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(2 * width, input_dim))
        self.weight_hh = nn.Parameter(torch.empty(2 * width, width))
        self.bias = nn.Parameter(torch.zeros(2 * width)) if normalization == "none" else None
        self.normalization = make_normalization(normalization, 2 * width)
        if normalization == "batch":
            self.normalization.momentum = LIGHT_GRU_MOMENTUM

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [T, B, D] and which frames are speech, valid [T, B]; returns the hidden states [T, B, width]."""
        return light_gru(self.products(x, valid), self.weight_hh, product_dtype(x))

    def products(self, x: Tensor, valid: Tensor) -> Tensor:
        """The normalised products with the input [T, B, 2 * width], in the precision of the weights."""
        products = self.normalization(functional.linear(x, self.weight_ih, self.bias), valid)
        return products.to(self.weight_hh.dtype)


def run_both(cells: Sequence[nn.Module], inputs: Sequence[Tensor], valid: Tensor) -> list[Tensor]:
    """Applies two cells to an input [T, B, D] each, and returns both outputs.

    On a CPU with two threads they run side by side. On CUDA, where Triton does not work (see `run_fused`), a library
    kernel runs a whole layer; the light GRU, which has none, takes both directions in one loop.
    """
    if on_gpu(inputs[0]) and (light := [cell for cell in cells if isinstance(cell, LightGru)]):
        return run_together(light, inputs, valid)
    if can_run_side_by_side(inputs[0]):
        return side_by_side(cells, inputs, valid)
    return [cell(x, valid) for cell, x in zip(cells, inputs, strict=True)]


def run_together(cells: Sequence[LightGru], inputs: Sequence[Tensor], valid: Tensor) -> list[Tensor]:
    """Applies each cell to its input [T, B, D], with one batched product a step for all: on a GPU a step costs what
    starting its kernels does, not its arithmetic."""
    products = torch.stack([cell.products(x, valid) for cell, x in zip(cells, inputs, strict=True)], 1)
    weights = torch.stack([cell.weight_hh for cell in cells])
    return list(light_gru(products, weights, product_dtype(inputs[0])).unbind(1))


def run_fused(cells: Sequence[nn.Module], x: Tensor, valid: Tensor) -> Tensor:
    """Applies the cells of one direction or two to x [T, B, D], each step by one kernel: [T, B, N * width].

    The second cell reads each utterance from its own end. States in the padding are zero.
    """
    lengths, dtype = valid.sum(0), product_dtype(x)
    if light := [cell for cell in cells if isinstance(cell, LightGru)]:
        products = torch.stack([cell.products(x, valid) for cell in light], 2)
        weight = torch.stack([cell.weight_hh for cell in light])
        return fused_recurrent("ligru", products, weight, None, lengths, dtype).flatten(2)
    layers = [cell.layer for cell in cells if isinstance(cell, Gru | LibraryCell)]
    w_ih, w_hh, b_ih, b_hh = zip(*(layer.all_weights[0] for layer in layers), strict=True)
    products = functional.linear(x, torch.cat(w_ih), torch.cat(b_ih)).unflatten(-1, (len(layers), -1))
    name = FUSED_CELLS[layers[0].mode]
    return fused_recurrent(name, products, torch.stack(w_hh), torch.stack(b_hh), lengths, dtype).flatten(2)


def make_cell(
    cell: RecurrentCell, input_dim: int, width: int, normalization: Normalization, initializer: Initializer
) -> nn.Module:
    """A layer in one direction, `forward(x [T, B, D], valid [T, B]) -> [T, B, width]`, with initial weights.

    LSTM: Hochreiter & Schmidhuber 1997 with forget gates, whose bias is 1: they start open (Jozefowicz et al. 2015,
    section 2.2). RNN: Elman 1990, h' = f(W x + U h + b).
    """
    match cell:
        case "rnn_tanh" | "rnn_relu":
            return _drawn(LibraryCell(nn.RNN(input_dim, width, nonlinearity=cell.removeprefix("rnn_"))), 1, initializer)
        case "lstm":
            lstm = nn.LSTM(input_dim, width)
            drawn = _drawn(LibraryCell(lstm), 4, initializer)
            input_bias = lstm.all_weights[0][2].detach()
            nn.init.ones_(input_bias[width : 2 * width])  # torch's order: input, forget, cell, output
            return drawn
        case "gru":
            return _drawn(Gru(input_dim, width), 3, initializer)
        case "ligru":
            return _drawn(LightGru(input_dim, width, normalization), 2, initializer)


def _drawn(module: nn.Module, gates: int, initializer: Initializer) -> nn.Module:
    """Draws a cell's weights, gate by gate, and sets its biases to zero.

    Recurrent weights are orthogonal, so that the state keeps its length (Saxe et al. 2014; used in Ravanelli et al.
    2018).
    """
    for path, parameter in module.named_parameters():
        name = path.rsplit(".", 1)[-1]
        if name.startswith("weight_ih"):
            for gate in parameter.detach().chunk(gates):
                initialize_weight(gate, initializer)
        elif name.startswith("weight_hh"):
            for gate in parameter.detach().chunk(gates):
                nn.init.orthogonal_(gate)
        elif name.startswith("bias"):
            nn.init.zeros_(parameter)
    return module
