"""What TF32 does to the PER of a recipe: a CPU trains it with products rounded as a GPU rounds them.

    python -m benchmarks.tf32_per recipes/timit_sample/dnn.yaml --out runs/tf32/dnn [--cut] [--set training.epochs=3]
    asr compare runs/timit_sample/dnn runs/tf32/dnn

In TF32 the factors of a product have 10 bits after the point; products and sums are single precision. They are rounded
to the nearest, or with --cut the other bits are cut off, which is twice as coarse, as some kernels do. Only training is
rounded; scores are always computed in single precision. The folder must be of such runs alone: `asr run` does not know.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from rich.console import Console
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from asr.config.recipe_file import read_recipe
from asr.report.tables import per_table
from asr.runs.run import Run, execute
from asr.training.loop import fit

aten = torch.ops.aten

FACTORS = {
    aten.mm: 2, aten.bmm: 2, aten.addmm: 2, aten.baddbmm: 2, aten.convolution: 2, aten.convolution_backward: 3,
}  # fmt: skip
"""Products, and how many tensors are multiplied with each other; a tensor that is added comes before these."""
ADDED = {aten.addmm, aten.baddbmm}
UNSEEN = ("mkldnn", "scaled_dot_product", "_cudnn", "addbmm")
"""Parts of the names of operations whose products cannot be rounded from outside."""
LOST_BITS = 13


class Tf32(TorchDispatchMode):
    """Rounds the factors of products to TF32. Raises ValueError for operations that it cannot look into."""

    def __init__(self, cut: bool = False) -> None:
        super().__init__()
        self.to_tf32 = cut_to_tf32 if cut else to_tf32

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        packet = function.overloadpacket
        if any(part in str(packet) for part in UNSEEN):
            raise ValueError(f"{packet}: its products cannot be rounded to TF32")
        if packet in FACTORS:
            first = int(packet in ADDED)
            end = first + FACTORS[packet]
            args = (*args[:first], *map(self.to_tf32, args[first:end]), *args[end:])
        return function(*args, **(kwargs or {}))


def to_tf32(values: Tensor) -> Tensor:
    """Finite numbers of single precision, rounded to the nearest of TF32, and away from zero in between."""
    return _cut(values, 1 << (LOST_BITS - 1))


def cut_to_tf32(values: Tensor) -> Tensor:
    """Numbers of single precision without the bits that TF32 lacks."""
    return _cut(values, 0)


def _cut(values: Tensor, added: int) -> Tensor:
    if values.dtype != torch.float32:
        return values
    bits = values.contiguous().view(torch.int32) + added
    return bits.bitwise_and_(-1 << LOST_BITS).view(torch.float32).view_as(values)


@contextmanager
def products_in_tf32(cut: bool = False) -> Iterator[None]:
    """Within it, a CPU rounds the factors of this thread's products to TF32."""
    with Tf32(cut), torch.backends.mkldnn.flags(enabled=False, allow_tf32=False):  # which hides those of an LSTM
        yield


def training_in_tf32(cut: bool = False) -> AbstractContextManager[Any]:
    """Within it, `asr run` trains in TF32."""

    @products_in_tf32(cut)
    def fit_in_tf32(*arguments: Any, **named: Any) -> Any:
        return fit(*arguments, **named)

    return mock.patch("asr.training.train.fit", fit_in_tf32)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cut", action="store_true", help="cut off bits, where the nearest is chosen otherwise")
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read_recipe(options.recipe, options.set)
    with training_in_tf32(options.cut):
        result = execute(Run(config, f"{options.recipe.stem} in TF32", options.out, torch.device("cpu")))
    assert result is not None
    Console().print(per_table(result))


if __name__ == "__main__":
    main()
