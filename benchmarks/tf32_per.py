"""What TF32 does to the PER of a recipe: a CPU trains it with products rounded as a GPU rounds them.

    python benchmarks/tf32_per.py recipes/timit_sample/dnn.yaml --out runs/tf32/dnn [--set training.epochs=3]
    asr compare runs/timit_sample/dnn runs/tf32/dnn

In TF32 the factors of a product have 10 bits after the point, rounded to the nearest; products and sums are single
precision. Only training is: scores are always computed in single precision.
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

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        packet = function.overloadpacket
        if any(part in str(packet) for part in UNSEEN):
            raise ValueError(f"{packet}: its products cannot be rounded to TF32")
        if packet in FACTORS:
            first = int(packet in ADDED)
            end = first + FACTORS[packet]
            args = (*args[:first], *map(to_tf32, args[first:end]), *args[end:])
        return function(*args, **(kwargs or {}))


def to_tf32(values: Tensor) -> Tensor:
    """Finite numbers of single precision, rounded to the nearest of TF32, and away from zero in between."""
    if values.dtype != torch.float32:
        return values
    bits = values.contiguous().view(torch.int32) + (1 << (LOST_BITS - 1))
    return bits.bitwise_and_(-1 << LOST_BITS).view(torch.float32).view_as(values)


@contextmanager
def products_in_tf32() -> Iterator[None]:
    """Within it, a CPU rounds the factors of this thread's products to TF32."""
    with Tf32(), torch.backends.mkldnn.flags(enabled=False, allow_tf32=False):  # which hides those of an LSTM
        yield


def training_in_tf32() -> AbstractContextManager[Any]:
    """Within it, `asr run` trains in TF32."""

    @products_in_tf32()
    def fit_in_tf32(*arguments: Any, **named: Any) -> Any:
        return fit(*arguments, **named)

    return mock.patch("asr.training.train.fit", fit_in_tf32)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read_recipe(options.recipe, options.set)
    with training_in_tf32():
        result = execute(Run(config, f"{options.recipe.stem} in TF32", options.out, torch.device("cpu")))
    assert result is not None
    Console().print(per_table(result))


if __name__ == "__main__":
    main()
