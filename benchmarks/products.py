"""What the matrix products of recurrent layers can reach on a CPU: MKL, which torch.mm calls, against oneDNN.

    OMP_NUM_THREADS=1 python benchmarks/products.py [--rounds N]

oneDNN is inside the library's LSTM; a GRU's or a light GRU's products go to MKL. Shapes [rows, inputs] x [inputs,
outputs] of a bidirectional GRU of 550 units: the input products of 2,400 frames, and a step's recurrent product for 8
and for 16 utterances.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

SHAPES = ((2400, 1100, 1650), (8, 550, 1650), (16, 550, 1650))
SECONDS = 0.2


def speed(product: Callable[[], Tensor], flops: float) -> float:
    """GFLOP a second, over some tenths of a second."""
    product()
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < SECONDS:
        product()
        count += 1
    return flops * count / seconds / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description="Time matrix products of recurrent layers.")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = Table("product", "MKL, GFLOP/s", "oneDNN, GFLOP/s")
    for rows, inputs, outputs in SHAPES:
        x, weight = torch.randn(rows, inputs), torch.randn(inputs, outputs)
        transposed, flops = weight.t().contiguous(), 2.0 * rows * inputs * outputs
        products: dict[str, Callable[[], Tensor]] = {
            "MKL": lambda x=x, weight=weight: torch.mm(x, weight),
            "oneDNN": lambda x=x, weight=transposed: torch.ops.mkldnn._linear_pointwise(
                x, weight, None, "none", [], ""
            ),
        }
        rates: dict[str, list[float]] = {name: [] for name in products}
        for _ in range(options.rounds):
            for name, product in products.items():
                rates[name].append(speed(product, flops))
        title = f"[{rows}, {inputs}] x [{inputs}, {outputs}]"
        figures = {name: statistics.median(values) for name, values in rates.items()}
        for name, figure in figures.items():
            row = {"benchmark": f"product {title}", "system": name, "figure": round(figure, 1), "unit": "GFLOP/s"}
            print(json.dumps({**row, "threads": torch.get_num_threads()}), flush=True)
        table.add_row(title.replace("[", r"\["), *(f"{figures[name]:,.0f}" for name in products))
    Console().print(table)


if __name__ == "__main__":
    main()
