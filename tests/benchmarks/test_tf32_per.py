"""Training with products rounded to TF32, on a CPU."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.models.each_model import make_recipe
from support.models.separable import CPU, separable_utterances
from torch import Tensor, nn

from asr import models
from asr.training import train as stage
from asr.training.trainer import make_fabric
from benchmarks import tf32_per
from benchmarks.tf32_per import Tf32, cut_to_tf32, to_tf32, training_in_tf32

numbers = st.floats(-(2.0**100), 2.0**100, width=32).filter(lambda number: number == 0 or abs(number) > 1e-30)


@pytest.mark.parametrize(("rounding", "error"), [(to_tf32, 2**-11), (cut_to_tf32, 2**-10)])
@given(values=st.lists(numbers, min_size=1))
def test_ten_bits_are_left(rounding: Callable[[Tensor], Tensor], error: float, values: list[float]) -> None:
    exact = torch.tensor(values)
    rounded = rounding(exact)
    mantissa, _ = torch.frexp(rounded.double())
    assert (mantissa * 2**11 % 1 == 0).all()
    assert ((rounded.double() - exact.double()).abs() <= exact.double().abs() * error).all()
    assert torch.equal(rounding(rounded), rounded)


def test_halves_and_what_is_cut_off() -> None:
    exact = torch.tensor([1 + 2**-11, -1 - 2**-11, 1 + 2**-10 - 2**-20])
    assert to_tf32(exact).tolist() == [1 + 2**-10, -1 - 2**-10, 1 + 2**-10]
    assert cut_to_tf32(exact).tolist() == [1, -1, 1]


@pytest.mark.parametrize("transposed", [False, True])
def test_factors_are_rounded_in_both_directions_and_sums_are_not(transposed: bool) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(3, 3, requires_grad=True), torch.randn(3, 3)
    x = x.t() if transposed else x
    with Tf32():
        y = torch.addmm(torch.full((3,), 1 / 3), x, weight)
        y.sum().backward()
    assert torch.equal(y, torch.addmm(torch.full((3,), 1 / 3), to_tf32(x), to_tf32(weight)))
    assert weight.grad is not None
    assert torch.equal(weight.grad, to_tf32(x).t() @ torch.ones(3, 3))


def test_what_hides_its_products_is_refused() -> None:
    lstm = nn.LSTM(2, 2)
    with Tf32(), pytest.raises(ValueError, match="cannot be rounded"):
        lstm(torch.ones(3, 1, 2))


@pytest.mark.parametrize("cell", ["lstm", "gru", "ligru"])
def test_recurrent_layers_are_trained_in_it(cell: str, tmp_path: Path) -> None:
    config = make_recipe({"type": cell, "layers": 1, "width": 6, "dropout": 0.0}, batch_size=60, epochs=1)

    def weights(name: str) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        sets = separable_utterances(0), separable_utterances(1)
        stage.fit(config, make_fabric(config.training, CPU), model, *sets, tmp_path / name, "one")
        return model.state_dict()

    exact = weights("exact")
    with training_in_tf32():
        rounded = weights("rounded")
    recurrent = [name for name in exact if "weight_hh" in name or name.endswith("recurrent")]
    for name in recurrent or exact:
        assert not torch.equal(exact[name], rounded[name])
        torch.testing.assert_close(exact[name], rounded[name], rtol=0.05, atol=0.01)


def test_runs_a_recipe(tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tf32_per.main([str(tiny_recipe), "--out", str(tmp_path / "run"), "--set", "training.epochs=1"])
    assert "Phone error rate (%)" in capsys.readouterr().out
    assert (tmp_path / "run/results.json").is_file()
