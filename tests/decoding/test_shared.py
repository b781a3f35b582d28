"""Shares of decoding join to the files of one process."""

from pathlib import Path

import pytest
import torch
from support.other_processes import others_here

from asr import threads
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
        result = help_decode(config, *folders, shared, CPU, task)
        return {**result, "scoring": 900.0, "search": 1000.0} if isinstance(result, dict) else result

    decode(config, *folders, shared, CPU, others=others_here(monkeypatch, processes, processes, do))
    assert asked == ["score"] * (processes - 1) + ["decode"] * (processes - 1)
    one, joined = contents(alone), contents(shared)
    assert {"test/hypotheses.jsonl", "test/nbest.jsonl", "test/lattices.txt", "dev/hypotheses.ctm"} <= one.keys()
    assert joined == one
    speeds = [read_json(folder / "speed.json") for folder in (alone, shared)]
    assert speeds[0]["audio"] == speeds[1]["audio"] > 0
    assert (speeds[1]["acoustic_model"], speeds[1]["search"]) == (900, 1000), "side by side: the longest counts"
    assert speeds[1]["device"] == f"{processes} x {speeds[0]['device']}"


def test_incomplete_paths_of_all_shares_are_warned_of_together(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And what each process searches takes its share of the cores."""
    bundle = tiny_run / "train" / "bundle"
    config = read_recipe(bundle / "recipe.yaml", ["decoding.beam=0.001"])
    folders = bundle, tiny_run / "prepare", tiny_run / "features"
    monkeypatch.setattr(threads, "available_cores", lambda: 6)
    started: list[int] = []

    def in_order(work, items, jobs, most_waiting):
        started.append(jobs)
        return threads_in_order(work, items, jobs, most_waiting)

    threads_in_order = threads.in_order
    monkeypatch.setattr(threads, "in_order", in_order)
    decode(config, *folders, tmp_path / "alone", CPU)
    warned = [record.getMessage() for record in caplog.records if "whole path" in record.getMessage()]
    assert [message.split(":")[0] for message in warned] == ["dev", "test"]
    assert set(started) == {6}
    caplog.clear()

    def do(task: dict[str, object]) -> object:
        started.clear()
        result = help_decode(config, *folders, tmp_path / "shared", CPU, task)
        assert set(started) <= {3}
        return result

    decode(config, *folders, tmp_path / "shared", CPU, others=others_here(monkeypatch, 2, 2, do))
    assert [record.getMessage() for record in caplog.records if "whole path" in record.getMessage()] == warned


def contents(folder: Path) -> dict[str, bytes]:
    """All files that do not tell the time."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "speed.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
