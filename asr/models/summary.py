"""Summary of a model: layers with shapes, parameters and FLOPs, and how much audio an output depends on."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from asr.config import FeaturesConfig
from asr.features import deltas
from asr.models.acoustic_model import AcousticModel
from asr.models.cnn import SpacedPooling
from asr.models.normalization import NoNorm


@dataclass(frozen=True)
class LayerSummary:
    """One layer.

    `output` is the shape for one window, or for a second of audio if the model takes no windows, without dimensions of
    size 1; None if another layer reads this one's weights. `flops` are per second of audio, without those of inner
    layers.
    """

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    flops: float


@dataclass(frozen=True)
class ModelSummary:
    """A whole model. FLOPs are those of matrix products, convolutions and recurrences; a multiply-add counts as two.

    `flops` are per second of audio in whole utterances (attention costs more in longer ones: here it is that of the
    second second); `window_flops` with one window per frame, None for a model that takes no windows. `receptive_field`
    is in ms of audio; None if it may be the whole utterance.
    """

    layers: list[LayerSummary]
    parameters: int
    receptive_field: float | None
    flops: float
    window_flops: float | None


def summarize(model: AcousticModel, features: FeaturesConfig) -> ModelSummary:
    """Runs the model on one and two seconds of silence; the difference excludes the cost of the edges.

    Leaves the model in eval mode.
    """
    model.eval()
    step = features.frame_shift / 1000
    frames = max(1, round(1 / step / model.subsampling)) * model.subsampling
    short, long = (_measure(model, _utterance(model, count, features.dim)) for count in (frames, 2 * frames))
    outputs, window_flops = short.outputs, None
    if model.context is not None:
        window = torch.zeros(1, 2 * model.context + 1, features.dim)
        record = _measure(model, lambda: model.forward_windows(window))
        outputs, window_flops = record.outputs, record.total / step
    flops = {name: (long.flops[name] - short.flops[name]) / (frames * step) for name in long.flops}
    return ModelSummary(
        layers=_layers(model, outputs, flops),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        receptive_field=_receptive_field(model, features),
        flops=(long.total - short.total) / (frames * step),
        window_flops=window_flops,
    )


@dataclass
class _Record:
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    flops: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    total: int = 0


def _utterance(model: AcousticModel, frames: int, dim: int) -> Callable[[], object]:
    call = model if model.timing is None else model.forward_timed
    return lambda: call(torch.zeros(1, frames, dim), torch.tensor([frames]))


@torch.no_grad()
def _measure(model: nn.Module, call: Callable[[], object]) -> _Record:
    """Counts the operators that a call dispatches, for layers of any kind; hooks find the layer that ran them."""
    record = _Record()
    running: list[int] = []
    with FlopCounterMode(display=False, custom_mapping=_OPERATORS) as counter:

        def before(_module: nn.Module, _inputs: object) -> None:
            running.append(counter.get_total_flops())

        def after(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(_module: nn.Module, _inputs: object, output: object) -> None:
                spent = counter.get_total_flops() - running.pop()
                record.flops[name] += spent
                running[:] = [start + spent for start in running]
                if (tensor := _first_tensor(output)) is not None:
                    record.outputs[name] = tuple(size for size in tensor.shape if size > 1)

            return hook

        handles = []
        for name, module in model.named_modules():
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after(name))]
        try:
            call()
        finally:
            for handle in handles:
                handle.remove()
    record.total = counter.get_total_flops()
    return record


def _fused_lstm_flops(
    inputs: Any, input_weight: Any, hidden_weight: Any, *_args: object, out_shape: object = None, **_kwargs: object
) -> int:
    """oneDNN's LSTM over inputs [T, B, D]: each step multiplies by both weight matrices. All arguments are shapes."""
    rows, columns = hidden_weight
    return 2 * inputs[0] * inputs[1] * (input_weight[0] * input_weight[1] + rows * columns)


def _attention_flops(query: Any, key: Any, value: Any, *_args: object, **_kwargs: object) -> int:
    """The CPU's attention over [B, heads, T, D]; all arguments are shapes."""
    return int(sdpa_flop_count(query, key, value))


_OPERATORS = {
    torch.ops.aten.mkldnn_rnn_layer: _fused_lstm_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
}


def _first_tensor(output: object) -> Tensor | None:
    while isinstance(output, tuple) and output:
        output = output[0]
    return output if isinstance(output, Tensor) else None


def _layers(model: nn.Module, outputs: dict[str, tuple[int, ...]], flops: dict[str, float]) -> list[LayerSummary]:
    layers = []
    for name, module in model.named_modules():
        parameters = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        is_leaf = not any(True for _ in module.children()) and not isinstance(
            module, nn.Dropout | nn.Dropout2d | NoNorm
        )
        if parameters or flops.get(name) or (is_leaf and name in outputs):
            layers.append(LayerSummary(name, _kind(module), outputs.get(name), parameters, flops.get(name, 0.0)))
    return layers


def _kind(module: nn.Module) -> str:
    if isinstance(module, SpacedPooling):
        return module.extra_repr()
    if not isinstance(module, nn.Conv1d | nn.Conv2d):
        return type(module).__name__
    settings = {"stride": (module.stride, 1), "padding": (module.padding, 0), "dilation": (module.dilation, 1)}
    parts = [f"convolution {_times(module.kernel_size)}"]
    parts += [f"{name} {_times(value)}" for name, (value, usual) in settings.items() if set(value) != {usual}]
    return ", ".join(parts)


def _times(sizes: tuple[int, ...] | str) -> str:
    return sizes if isinstance(sizes, str) else " x ".join(map(str, sizes))


def _receptive_field(model: AcousticModel, features: FeaturesConfig) -> float | None:
    if model.receptive_field is None:
        return None
    frames = model.receptive_field + 2 * deltas.WINDOW * features.deltas
    return (frames - 1) * features.frame_shift + features.frame_length
