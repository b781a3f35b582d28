"""How many threads compute, and how they wait."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from asr.threads import available_cores, in_threads, usable_cores

WHEN_TORCH_IS_LOADED = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT"))
            sys.stdout.flush()
            os._exit(0)

sys.meta_path.insert(0, Watch())
sys.argv = ["asr", "decode", "bundle", "prepared", "features", "out"]
from asr.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({}, "PASSIVE None"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None"),
        ({"GOMP_SPINCOUNT": "infinite"}, "None infinite"),
    ],
)
def test_threads_sleep_while_they_wait_unless_the_user_has_set_it(own: dict[str, str], found: str) -> None:
    others = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    environment = others | own | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", WHEN_TORCH_IS_LOADED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[0] == found, done.stderr


@pytest.mark.parametrize(("limit", "cores"), [("max 100000", None), ("50000 100000", 1), ("9900000 100000", None)])
def test_a_container_s_limit_bounds_the_cores(tmp_path: Path, limit: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert available_cores(tmp_path / "cpu.max") == (cores or usable_cores())
    assert available_cores(tmp_path / "missing") == usable_cores()


def test_results_of_threads_are_in_order_and_few_items_are_drawn_ahead() -> None:
    drawn = 0

    def items():
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield number

    found = in_threads(lambda number: (number, threading.current_thread()), items())
    assert next(found)[0] == 0
    assert drawn <= 2 * available_cores() + 1
    numbers, threads = zip(*found, strict=True)
    assert numbers == tuple(range(1, 100))
    assert threading.main_thread() not in threads


def test_an_error_in_a_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 // number, [1, 0, 2]))
