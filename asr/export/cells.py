"""Recurrent layers as ONNX's own operators: an exporter would unroll their steps for one length."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from asr.models import AcousticModel
from asr.models.cells import Gru, LibraryCell, LightGru

OPERATOR_VERSION = 14
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""ONNX's order of the gates (input, output, forget, cell; update, reset, candidate) in PyTorch's weights."""


def with_onnx_cells(model: AcousticModel) -> AcousticModel:
    """A copy of a model for export, without gradients."""
    model = copy.deepcopy(model).requires_grad_(False).eval()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LibraryCell | Gru):
                setattr(parent, name, OnnxCell(child.layer))
            elif isinstance(child, LightGru):
                setattr(parent, name, ScannedLightGru(child))
    return model


class OnnxCell(nn.Module):
    """An RNN, LSTM or GRU in one direction as the operator of that name, with its G gates in ONNX's order."""

    weight: Tensor
    """[1, G * H, D]"""
    recurrence: Tensor
    """[1, G * H, H]"""
    bias: Tensor
    """[1, 2 * G * H]"""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.operator = type(layer).__name__
        self.width = layer.hidden_size
        self.attributes: dict[str, Any] = {"hidden_size": self.width}
        if isinstance(layer, nn.GRU):
            self.attributes["linear_before_reset"] = 1
        elif isinstance(layer, nn.RNN):
            self.attributes["activations"] = ["Tanh" if layer.nonlinearity == "tanh" else "Relu"]
        of_input, of_state, *biases = (self._in_onnx_order(each) for each in layer.all_weights[0])
        self.register_buffer("weight", of_input[None])
        self.register_buffer("recurrence", of_state[None])
        self.register_buffer("bias", torch.cat(biases)[None])

    def _in_onnx_order(self, weights: Tensor) -> Tensor:
        gates = weights.detach().split(self.width)
        return torch.cat([gates[number] for number in GATES[self.operator]])

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [T, B, D]; returns the hidden states [T, B, width]."""
        states = torch.onnx.ops.symbolic(
            self.operator,
            (x, self.weight, self.recurrence, self.bias),
            attrs=self.attributes,
            dtype=x.dtype,
            shape=(x.shape[0], 1, x.shape[1], self.width),
            version=OPERATOR_VERSION,
        )
        return states.squeeze(1)


class ScannedLightGru(nn.Module):
    """The light GRU as a scan over time (see `asr.models.cells.LightGru`)."""

    def __init__(self, cell: LightGru) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Takes x [T, B, D] and which frames are speech, valid [T, B]; returns the hidden states [T, B, width]."""
        weight = self.cell.weight_hh.detach().t().contiguous()
        width = weight.shape[0]

        def step(state: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
            total = product + state @ weight
            gate, candidate = torch.sigmoid(total[:, :width]), torch.relu(total[:, width:])
            after = gate * state + (1 - gate) * candidate
            return after, after.clone()

        states: Tensor = scan(step, x.new_zeros(x.shape[1], width), self.cell.products(x, valid))[1]
        return states
