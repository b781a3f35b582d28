"""Shares of decoding join to the files of one process."""

from pathlib import Path

import pytest
import torch
from support.other_processes import others_here

from asr.config.recipe_file import read_recipe
from asr.decoding.stage import decode, help_decode
from asr.storage.files import read_json

CPU = torch.device("cpu")


@pytest.mark.parametrize("processes", [2, 9])
def test_shares_join_to_the_files_of_one_process(
    tiny_run: Path, tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With n-best lists and lattices; also where some have nothing to do: there are three or six utterances a split."""
    bundle = tiny_run / "train" / "bundle"
    config = read_recipe(bundle / "recipe.yaml", ["decoding.nbest=3", "decoding.lattices=true"])
    folders = bundle, tiny_run / "prepare", tiny_run / "features"
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    decode(config, *folders, alone, CPU)
    asked = []

    def do(task: dict[str, object]) -> object:
        asked.append(task["step"])
        return help_decode(config, *folders, shared, CPU, task)

    decode(config, *folders, shared, CPU, others=others_here(monkeypatch, processes, processes, do))
    assert asked == ["score"] * (processes - 1) + ["decode"] * (processes - 1)
    one, joined = contents(alone), contents(shared)
    assert {"test/hypotheses.jsonl", "test/nbest.jsonl", "test/lattices.txt", "dev/hypotheses.ctm"} <= one.keys()
    assert joined == one
    speeds = [read_json(folder / "speed.json") for folder in (alone, shared)]
    assert speeds[0]["audio"] == speeds[1]["audio"] > 0
    assert speeds[1]["device"] == f"{processes} x {speeds[0]['device']}"


def contents(folder: Path) -> dict[str, bytes]:
    """All files that do not tell the time."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "speed.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
