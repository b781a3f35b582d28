"""A GPU's kernels, run by Triton's interpreter where there is no GPU, equal the CPU's layers; and they compile."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from asr.config import CnnConfig, CrdnnConfig, DnnConfig, ModelConfig, RecurrentCell
from asr.device import single_precision
from asr.models import AcousticModel, build, fully_connected
from asr.models.kernels import gpu
from asr.models.kernels.fused_batch_norm import fused_batch_norm
from asr.models.kernels.fused_hidden import fused_hidden
from asr.models.kernels.fused_recurrent import GATES
from asr.models.kernels.reverse import reversed_rows
from asr.models.normalization import make_normalization, share_batches
from asr.models.recurrent import RecurrentLayer

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
pytestmark = [pytest.mark.usefixtures("double_precision"), *([pytest.mark.cuda] if DEVICE == "cuda" else [])]
each_cell = pytest.mark.parametrize("cell", list(GATES))


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the CPU take a GPU's way of computing where there is no GPU."""
    pytest.importorskip("triton", reason="no Triton: PyTorch brings it on Linux alone")
    if DEVICE == "cpu":
        monkeypatch.setattr(gpu, "DEVICES", {"cpu"})
    gpu.triton_works.cache_clear()
    assert gpu.has_triton(torch.zeros(1, device=DEVICE))


def outcome(module: nn.Module, score: Callable[..., Tensor], *inputs: Tensor, device: str = "cpu") -> list[Tensor]:
    """The output of score(module, *inputs) on a device, all gradients, and the buffers after it."""
    module = copy.deepcopy(module).to(device)
    inputs = tuple(x.to(device) for x in inputs)
    inputs[0].requires_grad_()
    output = score(module, *inputs)
    weight = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=output.dtype).to(device)
    found = torch.autograd.grad((output * weight).sum(), [inputs[0], *module.parameters()])
    return [each.detach().cpu() for each in (output, *found, *module.buffers())]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def shaken(module: nn.Module) -> nn.Module:
    """With biases and statistics of its own, and away from a rectifier's kink."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data += 0.3 * torch.rand_like(tensor)
    return module


def example(cell: RecurrentCell, bidirectional: bool = True, batch: int = 3) -> tuple[nn.Module, Tensor, Tensor]:
    """A layer, a padded minibatch [T, B, 4] and its lengths."""
    layer = shaken(RecurrentLayer(cell, 4, 3, bidirectional, "none", "glorot", 0.0))
    lengths = torch.arange(batch, 0, -1) % 5  # some are empty
    return layer, torch.randn(int(lengths.max()), batch, 4), lengths


def run(layer: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    """The layer's output, zero in the padding."""
    valid = torch.arange(len(x), device=x.device)[:, None] < lengths
    return layer(x, valid, reversed_rows(lengths, len(x))) * valid[..., None]


@each_cell
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_fused_layer_is_the_cpu_s(cell: RecurrentCell, bidirectional: bool, request: pytest.FixtureRequest) -> None:
    layer, *inputs = example(cell, bidirectional)
    expected = outcome(layer, run, *inputs)
    request.getfixturevalue("fused")
    assert_same(outcome(layer, run, *inputs, device=DEVICE), expected)


def test_more_utterances_than_a_program_takes(request: pytest.FixtureRequest) -> None:
    layer, *inputs = example("gru", batch=35)
    expected = outcome(layer, run, *inputs)
    request.getfixturevalue("fused")
    assert_same(outcome(layer, run, *inputs, device=DEVICE), expected)


def test_more_units_than_a_program_takes(request: pytest.FixtureRequest) -> None:
    layer = shaken(RecurrentLayer("lstm", 4, 70, True, "none", "glorot", 0.0))
    inputs = torch.randn(3, 2, 4), torch.tensor([2, 3])
    expected = outcome(layer, run, *inputs)
    request.getfixturevalue("fused")
    assert_same(outcome(layer, run, *inputs, device=DEVICE), expected)


@each_cell
@pytest.mark.usefixtures("fused")
def test_half_precision_stays_near_fp32(cell: RecurrentCell) -> None:
    number = torch.bfloat16 if DEVICE == "cuda" else torch.float16  # the interpreter's products know no bfloat16
    layer, x, lengths = example(cell)

    def in_half(layer: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
        with torch.autocast(DEVICE, number):
            return run(layer, x, lengths)

    exact = outcome(layer.float(), run, x.float(), lengths, device=DEVICE)
    for ours, theirs in zip(outcome(layer.float(), in_half, x.float(), lengths, device=DEVICE), exact, strict=True):
        assert (ours - theirs).abs().max() < 0.05 * theirs.abs().max()


@each_cell
@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device: the interpreter knows no TF32")
@pytest.mark.parametrize("batch", [3, 35])
@pytest.mark.usefixtures("fused", "tf32")
def test_tf32_stays_near_fp32(cell: RecurrentCell, batch: int) -> None:
    layer, x, lengths = example(cell, batch=batch)
    found = outcome(layer.float(), run, x.float(), lengths, device=DEVICE)
    with single_precision():
        exact = outcome(layer.float(), run, x.float(), lengths, device=DEVICE)
    for ours, theirs in zip(found, exact, strict=True):
        assert (ours - theirs).abs().max() < 0.01 * theirs.abs().max()


@pytest.mark.usefixtures("fused")
def test_without_gradients_a_layer_says_the_same() -> None:
    layer, x, lengths = (each.to(DEVICE) for each in example("lstm"))
    expected = run(layer, x, lengths)
    with torch.inference_mode():
        torch.testing.assert_close(run(layer, x.clone(), lengths), expected.detach())


@pytest.mark.parametrize("counted", [0, 1, 2, 200, 300])
def test_fused_batch_norm_is_the_cpu_s(counted: int, request: pytest.FixtureRequest) -> None:
    module = shaken(make_normalization("batch", 3))
    inputs = 2 + 3 * torch.randn(300, 3), torch.randperm(300) < counted
    expected = outcome(module, nn.Module.__call__, *inputs)
    request.getfixturevalue("fused")
    assert_same(outcome(module, nn.Module.__call__, *inputs, device=DEVICE), expected)


def test_millions_of_rows_fit_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="no Triton: PyTorch brings it on Linux alone")
    grids: list[tuple[int, ...]] = []
    monkeypatch.setattr(gpu, "launch", lambda _, grid, *arguments, **settings: grids.append(grid))
    norm = make_normalization("batch", 1)
    x = torch.zeros(3_000_000, 1, requires_grad=True)
    parameters = norm.weight, norm.bias, norm.running_mean, norm.running_var
    fused_batch_norm(x, torch.ones(len(x), dtype=torch.bool), *parameters, 0.1, 1e-5).sum().backward()
    assert len(grids) == 4
    assert max(size for grid in grids for size in grid[1:]) <= 65_535


def score_frames(model: AcousticModel, windows: Tensor) -> Tensor:
    return model.forward_windows(windows)


def noted_layers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, float]]]:
    """What each call of `fused_hidden` by a network takes."""
    calls: list[tuple[Any, dict[str, float]]] = []

    def noted(*inputs: Any, **constants: float) -> Tensor:
        calls.append((inputs, constants))
        return fused_hidden(*inputs, **constants)

    monkeypatch.setattr(fully_connected, "fused_hidden", noted)
    return calls


SIZES = {"layers": 1, "width": 6, "dropout": 0.0, "normalization": "batch"}


@pytest.mark.parametrize(
    "config",
    [
        DnnConfig(**SIZES, context=1),
        CnnConfig(**SIZES, context=1, convolutions=[{"filters": 2, "kernel": [3, 2]}]),
        CrdnnConfig(**SIZES, filters=[2], recurrent_layers=1, recurrent_width=3),
    ],
    ids=lambda config: config.type,
)
def test_a_padded_minibatch_is_learned_from_as_on_the_cpu(config: ModelConfig, request: pytest.FixtureRequest) -> None:
    model = shaken(build(config, input_dim=4, output_dim=3))
    inputs = torch.randn(2, 6, 4), torch.tensor([6, 4])

    def scores(model: AcousticModel, features: Tensor, lengths: Tensor) -> Tensor:
        return model(features, lengths)[0] * (torch.arange(6, device=lengths.device) < lengths[:, None])[..., None]

    expected = outcome(model, scores, *inputs)
    without_gradients = scores(model.eval(), *inputs)
    request.getfixturevalue("fused")
    assert_same(outcome(model.train(), scores, *inputs, device=DEVICE), expected)
    with torch.no_grad():
        found = scores(model.eval().to(DEVICE), *(x.to(DEVICE) for x in inputs)).cpu()
    torch.testing.assert_close(found, without_gradients.detach())


@pytest.mark.parametrize(
    "config",
    [
        DnnConfig(layers=2, width=10, dropout=0.0, normalization="batch", context=1),
        CnnConfig(**SIZES, context=1, convolutions=[{"filters": 2, "kernel": [3, 2]}]),
    ],
    ids=lambda config: config.type,
)
@pytest.mark.parametrize("frames", [2, 20])
def test_a_minibatch_of_frames_is_learned_from_as_on_the_cpu(
    config: ModelConfig, frames: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, windows = shaken(build(config, input_dim=4, output_dim=3)), torch.randn(frames, 3, 4)
    expected = outcome(model, score_frames, windows)
    request.getfixturevalue("fused")
    calls = noted_layers(monkeypatch)
    assert_same(outcome(model, score_frames, windows, device=DEVICE), expected)
    assert [inputs[-1] for inputs, _ in calls] == list(range(config.layers))
    calls.clear()
    share_batches(model, lambda tensor: tensor)  # as where several processes have a part of a minibatch
    assert_same(outcome(model, score_frames, windows, device=DEVICE), expected)
    assert not calls


@pytest.mark.usefixtures("fused")
def test_a_minibatch_of_frames_is_dropped_from_as_the_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    config = DnnConfig(layers=2, width=10, dropout=0.3, input_dropout=0.6, normalization="batch", context=1)
    calls = noted_layers(monkeypatch)
    build(config, input_dim=4, output_dim=3).to(DEVICE).forward_windows(torch.ones(200, 3, 4, device=DEVICE))
    assert [constants["dropout"] for _, constants in calls] == [0.3, 0.3]
    dropped = calls[0][0][0] == 0
    assert abs(dropped.double().mean() - 0.6) < 0.05


@pytest.mark.usefixtures("fused")
def test_a_fused_layer_drops_what_its_seed_says() -> None:
    rows, width, rate = 40, 30, 0.4
    x, weight, gain = (torch.randn(*size, device=DEVICE) for size in ((rows, 5), (width, 5), (width,)))
    seeds, weights = torch.tensor([7, 8], device=DEVICE), torch.randn(rows, width, device=DEVICE)

    def layer(dropout: float, number: int, share: Tensor) -> tuple[Tensor, Tensor]:
        zeros, ones = torch.zeros(width, device=DEVICE), torch.ones(width, device=DEVICE)
        inputs = x.clone().requires_grad_()
        running = zeros.clone(), ones
        constants = {"momentum": 0.1, "eps": 1e-5, "dropout": dropout}
        output = fused_hidden(inputs, weight, zeros, gain, 1 + zeros, running, seeds, number, **constants)
        return output, torch.autograd.grad((output * share).sum(), inputs)[0]

    plain = layer(0.0, 0, weights)[0]
    output, gradient = layer(rate, 0, weights)
    kept = output != 0
    torch.testing.assert_close(output[kept], plain[kept] / (1 - rate))
    assert abs(kept[plain > 0].double().mean() - (1 - rate)) < 0.05
    torch.testing.assert_close(gradient, layer(0.0, 0, weights * kept / (1 - rate))[1])
    assert torch.equal(layer(rate, 0, weights)[0], output)
    assert not torch.equal(layer(rate, 1, weights)[0], output)


@pytest.mark.usefixtures("fused")
def test_frames_in_half_precision_stay_near_fp32() -> None:
    number = torch.bfloat16 if DEVICE == "cuda" else torch.float16
    config = DnnConfig(layers=2, width=10, dropout=0.0, normalization="batch", context=1)
    model, windows = shaken(build(config, input_dim=4, output_dim=3)).float(), torch.randn(20, 3, 4).float()

    def in_half(model: AcousticModel, windows: Tensor) -> Tensor:
        with torch.autocast(DEVICE, number):
            return model.forward_windows(windows).float()

    exact = outcome(model, score_frames, windows, device=DEVICE)
    names = ["output", "input", *(name for name, _ in model.named_parameters())]
    for name, ours, theirs in zip(names, outcome(model, in_half, windows, device=DEVICE), exact, strict=False):
        if not name.endswith("bias"):  # that of a product before a normalisation has a gradient of zero, to rounding
            assert (ours - theirs).abs().max() < 0.05 * theirs.abs().max(), name


def test_where_triton_fails_layers_run_without_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to find C compiler.")

    monkeypatch.setattr(gpu, "DEVICES", {"cpu"})
    monkeypatch.setattr(gpu, "launch", failing)
    gpu.triton_works.cache_clear()
    layer, x, lengths = example("gru")
    assert run(layer, x, lengths).isfinite().all()
    assert "Failed to find C compiler" in caplog.text
    gpu.triton_works.cache_clear()


COMPILATION = """
import sys
import torch
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from asr.models.kernels import triton_hidden, triton_moments
from asr.models.kernels.fused_recurrent import Shape
from asr.models.kernels.triton_recurrent import backward_step, forward_step

def kernels(cell, number):
    if cell == "hidden":
        of = dict.fromkeys(("grads", "output", "products", "d_products"), "*" + number) | {"seeds": "*i64"}
        constants = {"dim": 48, "row_block": 128, "column_block": 8, "momentum": 0.1, "eps": 1e-5, "dropout": 0.2}
        for name in ("normalize_rectify_drop", "product_gradients"):
            yield getattr(triton_hidden, name), of | {"rows": "i32", "number": "i32"}, constants
    elif cell == "batch":
        of = dict.fromkeys(("x", "grads", "output", "d_x"), "*" + number) | {"valid": "*u8", "rows": "i32"}
        constants = {"dim": 48, "row_block": 32, "column_block": 32, "share": 128, "splits": 4}
        for name in ("partial_moments", "normalize", "partial_gradients", "input_gradients"):
            yield getattr(triton_moments, name), of, constants | {"momentum": 0.1, "eps": 1e-5}
    else:
        of = dict.fromkeys(("step", "batch", "rows"), "i32") | {"lengths": "*i64"}
        of |= dict.fromkeys(("products", "weight", "rounded", "d_products", "d_recurrent"), "*" + number)
        shape = Shape(cell, batch=8, directions=2, width=48, dtype=torch.float32)
        for kernel, more in ((forward_step, {"recording": True}), (backward_step, {})):
            yield kernel, of, shape.settings() | more

for case in sys.argv[1:]:
    cell, number, architecture = case.split()
    for kernel, of, constants in kernels(cell, number):
        signature = {name: "constexpr" if name in constants else of.get(name, "*fp32") for name in kernel.arg_names}
        source = ASTSource(kernel, signature, {name: value for name, value in constants.items() if name in signature})
        print(case, kernel.fn.__name__)
        assert compile(source, target=GPUTarget("cuda", int(architecture), 32)).asm["cubin"]
"""


def test_kernels_compile_for_a_gpu() -> None:
    pytest.importorskip("triton", reason="no Triton: PyTorch brings it on Linux alone")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    cases = ("gru bf16 90", "lstm fp32 80", "ligru fp32 90", "batch bf16 90", "hidden bf16 90")
    command = [sys.executable, "-c", COMPILATION, *cases]
    compiled = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, f"{compiled.stdout}: {compiled.stderr}"
    assert len(compiled.stdout.splitlines()) == 3 * 2 + 4 + 2
