"""Shares of decoding join to the files of one process."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands.other_processes import others_here

from asr import threads
from asr.config.recipe_file import read_recipe
from asr.decoding.stage import decode, help_decode
from asr.errors import OutputError
from asr.processes.lost import LostProcessError
from asr.storage.json_files import read_json
from asr.storage.output_folder import output_folder

CPU = torch.device("cpu")


ALTERNATIVES = ["decoding.nbest=3", "decoding.lattices=true", "decoding.lattice_density=5"]


@pytest.fixture(scope="module")
def alone(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process decodes, with n-best lists and lattices."""
    folder = tmp_path_factory.mktemp("alone") / "decode"
    bundle = tiny_run / "train" / "bundle"
    decode(
        read_recipe(bundle / "recipe.yaml", ALTERNATIVES),
        bundle,
        tiny_run / "prepare",
        tiny_run / "features",
        folder,
        CPU,
    )
    return folder


@pytest.mark.parametrize("processes", [2, 9])
def test_shares_join_to_the_files_of_one_process(
    tiny_run: Path, alone: Path, tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With n-best lists and lattices; also where some have nothing to do: there are three or six utterances a split."""
    bundle = tiny_run / "train" / "bundle"
    config = read_recipe(bundle / "recipe.yaml", ALTERNATIVES)
    folders = bundle, tiny_run / "prepare", tiny_run / "features"
    shared = tmp_path / "shared"
    asked = []

    def do(task: dict[str, object]) -> object:
        asked.append(task["step"])
        result = help_decode(config, *folders, shared, CPU, task)
        return {**result, "scoring": 900.0, "search": 1000.0} if isinstance(result, dict) else result

    decode(config, *folders, shared, CPU, others=others_here(monkeypatch, processes, processes, do))
    assert asked == ["score"] * (processes - 1) + ["decode"] * (processes - 1)
    one, joined = contents(alone), contents(shared)
    assert not list(shared.rglob("*.asr-part")), "shares are gone once they are joined"
    assert {"test/hypotheses.jsonl", "test/nbest.jsonl", "test/lattices.txt", "dev/hypotheses.ctm"} <= one.keys()
    assert joined == one
    speeds = [read_json(folder / "speed.json") for folder in (alone, shared)]
    assert speeds[0]["audio"] == speeds[1]["audio"] > 0
    assert (speeds[1]["acoustic_model"], speeds[1]["search"]) == (900, 1000), "side by side: the longest counts"
    assert speeds[1]["device"] == f"{processes} x {speeds[0]['device']}"


def test_a_share_of_a_lost_process_is_in_no_result(
    tiny_run: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, out = tiny_run / "train" / "bundle", tmp_path / "out"
    config = read_recipe(bundle / "recipe.yaml", ALTERNATIVES)
    folders = bundle, tiny_run / "prepare", tiny_run / "features"

    def do(task: dict[str, object]) -> object:
        result = help_decode(config, *folders, out, CPU, task)
        if task["step"] == "decode":
            raise LostProcessError("it was killed")
        return result

    with pytest.raises(LostProcessError), output_folder(out, "decode", "OUT"):
        decode(config, *folders, out, CPU, others=others_here(monkeypatch, 2, 2, do))
    assert not (out / "test").exists()
    with output_folder(out, "decode", "OUT"):
        decode(config, *folders, out, CPU)
    assert contents(out) == contents(alone)


def test_a_share_for_which_the_disk_is_full_is_named(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tiny_run / "train" / "bundle"
    config = read_recipe(bundle / "recipe.yaml")
    folders = bundle, tiny_run / "prepare", tiny_run / "features", tmp_path / "out"

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    task = {"step": "score", "split": "dev"}
    with pytest.raises(OutputError, match=r"posteriors\.npz: cannot write: No space left on device; free disk space"):
        help_decode(config, *folders, CPU, task)


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
    others = ("speed.json", ".asr.jsonl", ".lock")
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in others)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
