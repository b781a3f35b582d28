"""Recurrent networks: equal to torch's own, blind to padding, with exact gradients."""

import pytest
import torch
from torch import nn

from asr.config import GruConfig, LightGruConfig, LstmConfig, ModelConfig, Normalization, RecurrentCell, RnnConfig
from asr.device import single_precision
from asr.models import build
from asr.models.cells import Gru, LightGru, make_cell, run_together
from asr.models.recurrent import RecurrentLayer

pytestmark = pytest.mark.usefixtures("double_precision")
SIZES = {"layers": 2, "width": 3}
CONFIGS = [
    RnnConfig(**SIZES),
    RnnConfig(**SIZES, activation="relu", normalization="batch"),
    LstmConfig(**SIZES),
    LstmConfig(**SIZES, bidirectional=False, normalization="none"),
    GruConfig(**SIZES),
    GruConfig(**SIZES, bidirectional=False, normalization="batch"),
    LightGruConfig(**SIZES),
    LightGruConfig(**SIZES, normalization="layer"),
    LightGruConfig(**SIZES, bidirectional=False, normalization="none"),
]
each_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.type}-{c.normalization}")
each_threads = pytest.mark.parametrize("threads", [1, 2])


def trained_statistics(config: ModelConfig) -> nn.Module:
    """A model with running statistics of its own, in eval mode."""
    model = build(config, input_dim=4, output_dim=5)
    model(torch.randn(3, 8, 4), torch.tensor([8, 5, 6]))
    return model.eval()


@each_config
@each_threads
def test_an_utterance_alone_and_in_any_batch_gives_the_same_scores(config: ModelConfig, threads: int) -> None:
    torch.set_num_threads(threads)
    model = trained_statistics(config)
    utterances = [torch.randn(length, 4) for length in (20, 7, 1, 33)]
    batch = torch.full((4, 40, 4), float("nan"))
    for row, utterance in zip(batch, utterances, strict=True):
        row[: len(utterance)] = utterance
    together, lengths = model(batch, torch.tensor([20, 7, 1, 33]))
    assert lengths.tolist() == [20, 7, 1, 33]
    for scores, utterance in zip(together, utterances, strict=True):
        alone, _ = model(utterance[None], torch.tensor([len(utterance)]))
        torch.testing.assert_close(scores[: len(utterance)], alone[0], rtol=1e-12, atol=1e-12)


@each_config
@each_threads
def test_inference_mode_gives_the_same_scores(config: ModelConfig, threads: int) -> None:
    torch.set_num_threads(threads)
    model = trained_statistics(config)
    features, lengths = torch.randn(2, 6, 4), torch.tensor([6, 4])
    expected, _ = model(features, lengths)
    with torch.inference_mode():
        scores, _ = model(features.clone(), lengths)
    torch.testing.assert_close(scores[0], expected[0].detach(), rtol=1e-12, atol=1e-12)


@each_config
@each_threads
def test_gradients_are_exact(config: ModelConfig, threads: int) -> None:
    torch.set_num_threads(threads)
    model = build(config.model_copy(update={"dropout": 0.0}), input_dim=2, output_dim=2)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)  # with biases of zero a rectifier stands at its kink
    features, lengths = torch.randn(2, 4, 2, requires_grad=True), torch.tensor([4, 2])
    mask = (torch.arange(4) < lengths[:, None])[..., None]

    def scores(features: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return model(features, lengths)[0] * mask

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "lstm", "gru", "ligru"])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_every_derivative_of_a_cell_is_exact(cell: RecurrentCell, normalization: Normalization) -> None:
    module = make_cell(cell, 2, 2, normalization, "glorot")
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    x, valid = torch.randn(3, 2, 2, requires_grad=True), torch.tensor([[True, True], [True, True], [True, False]])
    assert torch.autograd.gradcheck(lambda x, *_: module(x, valid), (x, *module.parameters()))


@pytest.mark.parametrize("frames", [15, 16, 17, 40])
def test_gru_s_blocks_join(frames: int) -> None:
    cell, reference = Gru(3, 2), nn.GRU(3, 2)
    cell.layer.load_state_dict(reference.state_dict())
    x = torch.randn(frames, 2, 3, requires_grad=True)
    found, expected = cell(x, torch.ones(frames, 2, dtype=torch.bool)), reference(x)[0]
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(found)
    ours = torch.autograd.grad((found * weight).sum(), [x, *cell.parameters()])
    theirs = torch.autograd.grad((expected * weight).sum(), [x, *reference.parameters()])
    for mine, library in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, library)


@pytest.mark.parametrize(
    ("cell", "library"),
    [
        ("rnn_tanh", nn.RNN(4, 3, bidirectional=True)),
        ("rnn_relu", nn.RNN(4, 3, nonlinearity="relu", bidirectional=True)),
        ("lstm", nn.LSTM(4, 3, bidirectional=True)),
        ("gru", nn.GRU(4, 3, bidirectional=True)),
    ],
)
@each_threads
def test_a_layer_equals_torch_s_on_packed_sequences(cell: str, library: nn.RNNBase, threads: int) -> None:
    torch.set_num_threads(threads)
    library = library.double()
    layer = RecurrentLayer(cell, 4, 3, True, normalization="none", initializer="glorot", dropout=0.0)
    for ours, theirs in zip((layer.forwards, layer.backwards), library.all_weights, strict=True):
        for parameter, weight in zip(ours.parameters(), theirs, strict=True):
            parameter.data.copy_(weight.data)
    lengths = torch.tensor([37, 20, 5])
    x = torch.randn(37, 3, 4, requires_grad=True)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths)
    expected, _ = nn.utils.rnn.pad_packed_sequence(library(packed)[0])
    valid = torch.arange(37)[:, None] < lengths
    turned = torch.where(valid, lengths - 1 - torch.arange(37)[:, None], torch.arange(37)[:, None])
    found = layer(x, valid, (turned * 3 + torch.arange(3)).flatten()) * valid[..., None]
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(found)
    ours = torch.autograd.grad((found * weight).sum(), [x, *layer.parameters()])
    theirs = torch.autograd.grad((expected * weight).sum(), [x, *library.parameters()])
    for mine, theirs_too in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, theirs_too)


def test_light_gru_is_the_paper_s_equations() -> None:
    cell = make_cell("ligru", 4, 3, "none", "glorot")
    assert isinstance(cell, LightGru)
    nn.init.normal_(cell.bias)
    x = torch.randn(6, 2, 4)
    h, expected = torch.zeros(2, 3), []
    for frame in x:
        from_z, from_a = (frame @ cell.weight_ih.t() + cell.bias).chunk(2, -1)
        recurrent_z, recurrent_a = (h @ cell.weight_hh.t()).chunk(2, -1)
        z = torch.sigmoid(from_z + recurrent_z)
        h = z * h + (1 - z) * torch.relu(from_a + recurrent_a)
        expected.append(h)
    torch.testing.assert_close(cell(x, torch.ones(6, 2, dtype=torch.bool)), torch.stack(expected))


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("bf16", [False, True])
def test_light_grus_together_equal_each_alone(normalization: Normalization, bf16: bool) -> None:
    dtype = torch.float32 if bf16 else torch.float64
    cells = [make_cell("ligru", 4, 3, normalization, "glorot").to(dtype) for _ in range(2)]
    inputs = [torch.randn(6, 2, 4, dtype=dtype, requires_grad=True) for _ in cells]
    valid = torch.tensor([[True, True]] * 4 + [[True, False]] * 2)
    leaves = [*inputs, *(parameter for cell in cells for parameter in cell.parameters())]
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        alone = [cell(x, valid) for cell, x in zip(cells, inputs, strict=True)]
        together = run_together(cells, inputs, valid)
    weight = torch.randn(2, 6, 2, 3, dtype=dtype)
    expected, found = (torch.autograd.grad((torch.stack(h) * weight).sum(), leaves) for h in (alone, together))
    for one, other in zip([*alone, *expected], [*together, *found], strict=True):
        torch.testing.assert_close(other, one)


@each_threads
def test_a_second_backward_finds_the_same_gradients(threads: int) -> None:
    torch.set_num_threads(threads)
    model = build(GruConfig(**SIZES, dropout=0.0), input_dim=4, output_dim=5)
    scores = model(torch.randn(2, 6, 4), torch.tensor([6, 3]))[0].sum()
    first = torch.autograd.grad(scores, list(model.parameters()), retain_graph=True)
    for once, again in zip(first, torch.autograd.grad(scores, list(model.parameters())), strict=True):
        torch.testing.assert_close(once, again)


@each_config
@each_threads
def test_bf16_stays_near_fp32(config: ModelConfig, threads: int) -> None:
    torch.set_num_threads(threads)
    model = build(config.model_copy(update={"dropout": 0.0}), input_dim=4, output_dim=5).float()
    features, lengths = torch.randn(3, 30, 4, dtype=torch.float32), torch.tensor([30, 21, 4])
    exact, _ = model(features, lengths)
    with torch.autocast("cpu", torch.bfloat16):
        rounded, _ = model(features, lengths)
        loss = rounded.float().square().mean()
    loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    valid = torch.arange(30) < lengths[:, None]
    assert (rounded.float() - exact)[valid].abs().max() < 0.1 * exact[valid].abs().max()


@each_config
def test_the_seed_decides_the_first_weights(config: ModelConfig) -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        weights.append(build(config, 4, 5).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_first_weights() -> None:
    lstm = make_cell("lstm", 4, 3, "none", "glorot").layer
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist()
    assert bias == [0.0] * 3 + [1.0] * 3 + [0.0] * 6
    for gate in lstm.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.t(), torch.eye(3))
    gru = make_cell("gru", 4, 3, "none", "glorot")
    assert isinstance(gru, Gru)
    assert gru.layer.bias_ih_l0.abs().max() == 0


def test_no_frames() -> None:
    logits, lengths = build(LstmConfig(**SIZES), 4, 5)(torch.zeros(1, 0, 4), torch.tensor([0]))
    assert logits.shape == (1, 0, 5)
    assert lengths.tolist() == [0]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@each_config
@single_precision()
def test_cuda_gives_the_cpu_s_scores(config: ModelConfig) -> None:
    model = trained_statistics(config).float()
    features, lengths = torch.randn(3, 30, 4, dtype=torch.float32), torch.tensor([30, 21, 4])
    expected, _ = model(features, lengths)
    found, _ = model.cuda()(features.cuda(), lengths.cuda())
    valid = torch.arange(30) < lengths[:, None]
    torch.testing.assert_close(found.cpu()[valid], expected[valid], rtol=1e-3, atol=1e-4)
