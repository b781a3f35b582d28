"""How many kernels a training step of the published models launches on a GPU, and that it never waits for a value.

Tensors are fake: they have shapes alone, and whatever asks one for a value (`item`, `tolist`, `nonzero`, a mask that
indexes) raises. Losses are counted with the models.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.models import AcousticModel, build
from asr.models.kernels import gpu
from asr.training.data.minibatch import Batch
from asr.training.losses import make_criterion
from asr.training.trainer import scores

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
UTTERANCES, PHONES = 8, 5
MEMORY = ("empty", "new_empty", "empty_like", "detach", "_unsafe_view")
"""Operations that launch nothing. Views launch nothing either."""


class Launches(TorchDispatchMode):
    """Counts the operations that launch a kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        library, name = operation._schema.name.split("::")
        view = any(value.alias_info and not value.alias_info.is_write for value in operation._schema.returns)
        if library != "prim" and not view and name not in MEMORY:
            self.counts[name] += 1
        return operation(*args, **(kwargs or {}))


@pytest.fixture
def triton_launches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The CPU as a GPU, with kernels of our own that only note that they were launched."""
    pytest.importorskip("triton", reason="no Triton: PyTorch brings it on Linux alone")
    names: list[str] = []

    def launch(kernel: Any, *_: Any, **__: Any) -> None:
        names.append(kernel.__name__)

    monkeypatch.setattr(gpu, "DEVICES", {"cpu"})
    monkeypatch.setattr(gpu, "launch", launch)
    gpu.triton_works.cache_clear()
    assert gpu.has_triton(torch.zeros(1))
    names.clear()
    return names


def minibatch(config: RecipeConfig, model: AcousticModel, frames: int, windows: bool) -> Batch:
    dim = config.features.dim
    if windows:
        return Batch(torch.empty(128, 2 * (model.context or 0) + 1, dim), torch.empty(128, dtype=torch.long))
    labels = torch.empty(UTTERANCES, PHONES if config.training.loss == "ctc" else frames, dtype=torch.long)
    return Batch(torch.empty(UTTERANCES, frames, dim), labels, torch.empty(UTTERANCES, dtype=torch.long))


def step(recipe: str, frames: int, windows: bool, launched: list[str]) -> int:
    """The number of kernels of forward, loss and backward."""
    config = read_recipe(RECIPES / f"{recipe}.yaml")
    launched.clear()
    with FakeTensorMode():
        model = build(config.model, config.features.dim, len(config.class_names))
        criterion, batch = make_criterion(config.training, model.subsampling), minibatch(config, model, frames, windows)
        with Launches() as launches:
            sums = criterion(scores(model, batch), batch)
            sums.loss.backward()
    return launches.counts.total() + len(launched)


@pytest.mark.parametrize(
    ("recipe", "windows", "fixed", "each_frame"),
    [
        ("timit/dnn", True, 40, 0),
        ("timit/dnn", False, 100, 0),
        ("timit/dnn_no_dropout", True, 50, 0),
        ("timit/cnn", True, 41, 0),
        ("timit/cnn", False, 50, 0),
        ("timit/deep_cnn", False, 630, 0),  # 101 layers, of which each is a product, a mask and a non-linearity
        ("timit/rnn", False, 146, 4 * 2),
        ("timit/bilstm", False, 146, 4 * 2),
        ("timit/gru", False, 115, 3 * 2),
        ("timit/bigru", False, 175, 5 * 2),
        ("timit/ligru", False, 215, 5 * 2),
        ("timit/lstm", False, 170, 3 * 2 + 4),
        ("timit/crdnn", False, 360, (4 * 2 + 4) / 2),  # two frames become one before the recurrent layers
        ("timit_sample/bigru_ctc", False, 155, 2 * 2 + 4),
        ("mini_librispeech/conformer_ctc", False, 1470, 4 * 7 / 20),  # three frames become one: 20 are 7, and 40 are 14
        ("mini_librispeech/tdnn_ctc", False, 380, 4 * 7 / 20),
    ],
)
def test_kernels_of_a_step(
    recipe: str, windows: bool, fixed: int, each_frame: float, triton_launches: list[str]
) -> None:
    found = {frames: step(recipe, frames, windows, triton_launches) for frames in (20, 40)}
    assert found[40] - found[20] == 20 * each_frame
    assert found[20] - 20 * each_frame <= fixed


@pytest.mark.parametrize(
    "read",
    [Tensor.item, Tensor.tolist, Tensor.nonzero, lambda x: x[x > 0], lambda x: bool(x), Tensor.numpy],
    ids=["item", "tolist", "nonzero", "mask", "bool", "numpy"],
)
def test_a_value_that_is_read_is_noticed(read: Callable[[Tensor], Any]) -> None:
    with FakeTensorMode(), pytest.raises(Exception, match=r"aten|numpy|FakeTensor|unbacked|data"):
        read(torch.empty(()))
