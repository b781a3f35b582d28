"""A hundred plain layers pass signals and gradients where Xavier's and Glorot's lose them; padding changes nothing."""

import pytest
import torch
from pydantic import ValidationError

from asr.config import DeepCnnConfig, Initializer
from asr.models import build
from asr.models.deep_cnn import DeepCnn
from asr.models.initializers import critical_tanh

WIDTH, FRAMES = 32, 4


def deep_cnn(layers: int, initializer: Initializer = "delta_orthogonal", bias_variance: float = 2e-5) -> DeepCnn:
    torch.manual_seed(0)
    config = DeepCnnConfig(layers=layers, width=WIDTH, initializer=initializer, bias_variance=bias_variance)
    model = build(config, WIDTH, 3)
    assert isinstance(model, DeepCnn)
    return model


def singular_values(layers: int, initializer: Initializer, bias_variance: float = 2e-5) -> torch.Tensor:
    """Those of the Jacobian of the last hidden layer over the first one's pre-activations (their variance is q*)."""
    model = deep_cnn(layers + 1, initializer, bias_variance).double()
    del model.convolutions[0]
    shape = (1, WIDTH, FRAMES)
    start = torch.randn(shape, dtype=torch.double) * critical_tanh(bias_variance).signal_variance ** 0.5
    inside = torch.ones(1, 1, FRAMES, dtype=torch.double)
    jacobian = torch.autograd.functional.jacobian(
        lambda signal: model.convolve(torch.tanh(signal), inside), start, vectorize=True
    )
    return torch.linalg.svdvals(jacobian.reshape(WIDTH * FRAMES, WIDTH * FRAMES))


@pytest.mark.parametrize("layers", [1, 10, 100])
def test_delta_orthogonal_is_an_isometry_at_any_depth(layers: int) -> None:
    values = singular_values(layers, "delta_orthogonal", bias_variance=1e-6)
    assert values.square().mean().sqrt().item() == pytest.approx(1.0, abs=0.1)
    assert values.median().item() == pytest.approx(1.0, abs=0.1)
    assert values.quantile(0.05).item() > 0.7
    assert values.max().item() < 2.0


@pytest.mark.parametrize(
    ("initializer", "largest_median"),
    [("xavier", 1e-40), ("glorot", 1e-10), ("he", 1e-10), ("orthogonal", 1e-10)],
)
def test_others_vanish_at_depth(initializer: Initializer, largest_median: float) -> None:
    assert singular_values(1, initializer).median() > 0.1
    assert singular_values(100, initializer).median() < largest_median


def test_xavier_s_largest_singular_value_vanishes_too() -> None:
    assert singular_values(100, "xavier").max() < 1e-30


def test_signals_keep_their_variance_through_the_layers() -> None:
    model = deep_cnn(100)
    hidden = torch.randn(4, WIDTH, 50)
    variance = critical_tanh(2e-5).signal_variance
    for number, layer in enumerate(model.convolutions):
        before = layer(hidden)
        hidden = torch.tanh(before)
        if number % 20 == 0:
            assert before.var().item() == pytest.approx(variance, rel=0.4)


def test_padding_changes_no_score() -> None:
    model = deep_cnn(6, "glorot").eval()
    long, short = torch.randn(19, WIDTH), torch.randn(6, WIDTH)
    batch = torch.full((2, 19, WIDTH), 1e6)
    batch[0], batch[1, :6] = long, short
    together, lengths = model(batch, torch.tensor([19, 6]))
    alone, _ = model(short[None], torch.tensor([6]))
    assert lengths.tolist() == [19, 6]
    torch.testing.assert_close(together[1, :6], alone[0])


def test_scores_depend_on_the_receptive_field_alone() -> None:
    model = deep_cnn(4, "glorot").eval()
    assert model.receptive_field == 9
    features = torch.randn(1, 21, WIDTH, requires_grad=True)
    model(features, torch.tensor([21]))[0][0, 10].sum().backward()
    assert features.grad is not None
    assert features.grad.abs().sum(2)[0].nonzero().flatten().tolist() == list(range(6, 15))


def test_learns_at_a_hundred_layers() -> None:
    """The class of a frame is that of the frame before it: the kernels must grow beyond their centres."""
    model = deep_cnn(100)
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(3, (4, 60), generator=generator)
    features = torch.zeros(4, 60, WIDTH)
    features[:, :-1, :3] = 3 * torch.nn.functional.one_hot(labels[:, 1:], 3).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    lengths = torch.full((4,), 60)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(model(features, lengths)[0].transpose(1, 2), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert loss.item() < 0.5  # chance is 1.1


def test_an_even_kernel_has_no_centre() -> None:
    with pytest.raises(ValidationError, match="must be odd"):
        DeepCnnConfig(kernel=2)
