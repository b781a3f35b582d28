"""The GPU benchmark, on a CPU: every system trains the same, and what a CPU cannot show is said to be unmeasured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from asr.config import RecipeConfig
from asr.phones.classes import UNLABELLED
from asr.training.data.batching import batches
from asr.training.data.minibatch import Batch
from benchmarks import gpu, gpu_losses, gpu_systems, training_systems
from benchmarks.gpu_profile import covered, kernels, peak
from benchmarks.gpu_recipe import fold_figures, recipe_figures
from benchmarks.gpu_systems import has_system, one_shape
from benchmarks.training_systems import load

CPU = torch.device("cpu")
NARROW = {"crdnn": ["--set", "model.filters=[4,4]"]}
"""Settings that make a model small, beside its width."""


def options(*arguments: str):
    small = ["--device", "cpu", "--width", "8", "--steps", "2", "--rounds", "1"]
    return gpu.parse([*small, "--corpus", "not read, but by which the speech is not repeated", *arguments])


def config(model: str, corpus: Path) -> RecipeConfig:
    """The benchmark's recipe, on another corpus."""
    recipe = gpu.config_of(model, options(*NARROW.get(model, []))).model_dump()
    return RecipeConfig.model_validate(
        recipe | {"corpus": {"name": "demo", "dir": corpus}, "training": {**recipe["training"], "batch_size": 400}}
    )


@pytest.mark.parametrize(
    ("model", "systems"), [("dnn", ["asr", "eager"]), ("bilstm", ["eager", "cudnn"]), ("crdnn", ["asr", "eager"])]
)
def test_measures_each_system(model: str, systems: Sequence[str], tiny_corpus: Path, tmp_path: Path) -> None:
    chosen = options("--systems", ",".join(systems), "--peak", "0.001")
    rows = dict(gpu.measure(config(model, tiny_corpus), chosen, tmp_path))
    assert list(rows) == systems
    for found in rows.values():
        assert found is not None
        assert found.rate > 0
        assert found.step > 0
        assert found.busy is None, "a CPU has no kernels"
        assert found.kernels is None
        assert found.reached is not None
        assert found.reached > 0


def test_a_system_that_fails_leaves_the_others(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make_system(name: str, *settings: Any) -> Any:
        if name == "asr":
            raise RuntimeError("no kernel image")
        return gpu_systems.make_system(name, *settings)

    monkeypatch.setattr(gpu, "make_system", make_system)
    rows = dict(gpu.measure(config("dnn", tiny_corpus), options("--systems", "asr,eager"), tmp_path))
    assert rows["asr"] is None
    assert rows["eager"] is not None
    assert "asr: RuntimeError: no kernel image" in capsys.readouterr().out


def test_the_first_losses_of_a_model_fall(
    tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_losses, "config_of", lambda *_: config("dnn", tiny_corpus))
    gpu_losses.main(["--models", "dnn", "--updates", "6", "--device", "cpu"])
    title, *losses = capsys.readouterr().out.splitlines()
    assert title.startswith("dnn: CPU")
    first, *_, last = (float(line.split()[1]) for line in losses)
    assert len(losses) == 6
    assert last < first


def test_rounds_end_with_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "clock", lambda *_: 4.0)
    part: Any = None
    assert gpu.rounds(lambda part: part, part, options("--rounds", "9", "--seconds", "10")) == [4.0, 4.0, 4.0]
    assert gpu.rounds(lambda part: part, part, options("--rounds", "2", "--seconds", "10")) == [4.0, 4.0]


def test_our_loop_gathers_frames_as_training_does(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = config("dnn", tiny_corpus)
    batching = load(recipe, tmp_path, CPU, frames=1)
    trained: list[set[object]] = []
    monkeypatch.setattr(
        training_systems,
        "train_epoch",
        lambda trainer, data, progress: trained.append({each.shape for each in batches(data, data.plan(1, True), CPU)}),
    )
    system = training_systems.our_loop(recipe, CPU)
    for first in (0, 100):
        system(training_systems.Part(batching, [torch.arange(first, first + 50)] * 2)).call()
    assert trained[0] == trained[1], "one graph for all rounds"
    assert [shape[1] for shape in trained[0]] == [torch.Size([50])], "of the frames' numbers alone"


def test_only_cudnn_s_own_layers_stand_beside_it(tiny_corpus: Path) -> None:
    assert [name for name in gpu.MODELS if has_system("cudnn", config(name, tiny_corpus))] == ["bilstm", "bigru"]


def test_a_compiled_model_sees_one_shape() -> None:
    batches = [
        Batch(torch.ones(2, 5, 3), torch.zeros(2, 5, dtype=torch.long), torch.tensor([5, 4])),
        Batch(torch.ones(3, 4, 3), torch.zeros(3, 4, dtype=torch.long), torch.tensor([4, 4, 3])),
    ]
    padded = one_shape(batches)
    assert {tuple(batch.inputs.shape) for batch in padded} == {(3, 5, 3)}
    assert [int((batch.labels != UNLABELLED).sum()) for batch in padded] == [10, 12]
    assert padded[0].lengths is not None
    assert padded[0].lengths.tolist() == [5, 4, 1]
    assert padded[0].inputs[2].count_nonzero() == 0
    frames = [Batch(torch.ones(size, 3, 2), torch.zeros(size, dtype=torch.long)) for size in (4, 4, 1)]
    assert [len(batch.inputs) for batch in one_shape(frames)] == [4, 4]


def test_the_gpu_is_busy_while_any_kernel_runs() -> None:
    assert covered([(0, 2), (5, 6), (1, 3), (5, 5.5)]) == 4
    assert kernels(lambda: None, CPU) is None
    assert peak(CPU, "fp32") is None


def test_prints_a_json_line_for_each_system_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {"asr": gpu.Measured(2e5, 1.25, 0.95, 12.0, 0.1), "eager": gpu.Measured(1e5, 2.5, None, None, None)}
    gpu.show("dnn", [*rows.items(), ("compiled", None)], CPU)
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [(line["benchmark"], line["system"], line["unit"]) for line in lines] == [
        ("gpu-dnn", system, "frames/s") for system in ("asr", "eager", "compiled")
    ]
    assert [line["figure"] for line in lines] == [2e5, 1e5, None]
    names = ("ms_a_step", "gpu_busy", "kernels_a_step", "of_peak")
    assert [lines[0][name] for name in names] == [1.25, 0.95, 12.0, 0.1]
    assert lines[1]["gpu_busy"] is None
    assert "95.0%" in printed
    assert "not measured" in printed
    assert "failed" in printed


def test_a_whole_recipe_and_a_fold(tiny_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = recipe_figures(tiny_recipe, ["training.epochs=1"], tmp_path / "run", CPU)
    gpu.show_figures("gpu-recipe", figures, CPU)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    names = ["prepare", "features", "train", "decode", "score", "from corpus to report", "epoch 1"]
    assert [line["system"] for line in lines] == names
    assert {line["unit"] for line in lines} == {"s"}
    (fold,) = fold_figures(tiny_recipe, ["training.epochs=1"], tmp_path / "fold", [CPU])
    assert fold.system == "PER on cpu"
    assert 0 < fold.figure < 120
