"""Other processes, one after another in this one: what they would give process 0."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from asr.processes.tasks import Others, Task


def others_here(
    monkeypatch: pytest.MonkeyPatch, processes: int, each_machine: int, do: Callable[[Task], object]
) -> Others:
    """Process 0's view of `processes`, of which each of the others calls `do`."""

    def give(task: Task) -> Callable[[], list[Any]]:
        results = []
        for number in range(1, processes):
            with monkeypatch.context() as patch:
                numbers = {"RANK": number, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": each_machine}
                for name, value in numbers.items():
                    patch.setenv(name, str(value))
                results.append(json.loads(json.dumps(do(json.loads(json.dumps(task))))))
        return lambda: results

    return Others(processes - 1, processes // each_machine, give)
