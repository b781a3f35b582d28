"""Recorded steps: the bits of plain ones for every model and loss, no value that the host needs, and a way back."""

import logging
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path

import pytest
import torch
from support.models.each_model import EACH_MODEL, make_recipe, minibatch
from support.models.recorded_steps import CpuRecorder, HostAccessError, NoHostAccess, Plain
from support.models.separable import (
    CPU,
    on_device,
    separable_frames,
    separable_phones,
    separable_utterances,
)
from torch import Tensor, nn
from torch.nn import functional

from asr import models
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.storage.json_files import read_jsonl
from asr.training.data.batching import Batching, UtteranceBatching
from asr.training.data.minibatch import Batch
from asr.training.graphs import MOST_SHAPES, CudaRecorder, Recording, Replayed, Results
from asr.training.loop import fit
from asr.training.optimizers import make_optimizer
from asr.training.trainer import make_fabric, make_trainer, train_step

CUDA = torch.device("cuda", 0)
LSTM = {"type": "lstm", "layers": 1, "width": 6, "dropout": 0.2}


def sets(config: RecipeConfig, seed: int) -> Batching:
    if config.training.loss == "ctc":
        return UtteranceBatching(separable_phones(seed).speech, padded=[12, 20, 28])
    if config.model.type == "dnn":
        return separable_frames(seed)
    return UtteranceBatching(separable_utterances(seed).speech, padded=[10, 20, 30])


def train(config: RecipeConfig, out: Path, recorder: CpuRecorder | None = None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4)
    fabric = make_fabric(config.training, CPU)
    fit(config, fabric, model, sets(config, 0), sets(config, 1), out, "one", recorder)
    return model.state_dict()


def figures(out: Path) -> list[dict[str, object]]:
    """The lines of metrics.jsonl without time and memory."""
    names = {"seconds", "frames_per_second", "gpu_memory"}
    return [{key: row[key] for key in row.keys() - names} for row in read_jsonl(out / "metrics.jsonl")]


TRAININGS = [
    make_recipe(),
    make_recipe(optimizer={"type": "adamw"}, schedule={"type": "one_cycle"}, moving_average=0.9),
    make_recipe(optimizer={"type": "sgd", "learning_rate": 0.05}, clip_gradient=0.5, schedule={"type": "cosine"}),
    make_recipe(precision="bf16", label_smoothing=0.1),
    make_recipe(loss="ctc", schedule={"type": "cosine"}),
    make_recipe(encoder_learning_rate=0.0002),
    make_recipe({"type": "dnn", "layers": 2, "width": 12, "context": 1, "normalization": "batch", "dropout": 0.3}),
    make_recipe(LSTM, masks=True, batch_size=60),
    make_recipe(LSTM, batch_size=60, freeze_encoder=22),  # until the middle of the third epoch
    make_recipe(LSTM | {"normalization": "batch"}, loss="ctc", masks=True, clip_gradient=1.0, moving_average=0.5),
]


@pytest.mark.parametrize("config", TRAININGS)
def test_replayed_steps_give_the_bits_of_plain_ones(config: RecipeConfig, tmp_path: Path) -> None:
    recorder = CpuRecorder()
    plain = train(config, tmp_path / "plain")
    replayed = train(config, tmp_path / "replayed", recorder)
    assert not recorder.failed
    assert recorder.replays > recorder.calls > 0
    assert not recorder.recorded, "closed"
    assert all(torch.equal(plain[name], replayed[name]) for name in plain)
    assert figures(tmp_path / "plain") == figures(tmp_path / "replayed")


@pytest.mark.parametrize("optimizer", [{"type": "adagrad"}, {"type": "rmsprop"}, {"type": "rmsprop", "momentum": 0.5}])
def test_replayed_steps_of_other_optimisers_are_those_of_torch(optimizer: dict[str, object], tmp_path: Path) -> None:
    config = make_recipe(optimizer=optimizer | {"weight_decay": 0.01}, schedule={"type": "cosine"})
    recorder = CpuRecorder()
    plain = train(config, tmp_path / "plain")
    replayed = train(config, tmp_path / "replayed", recorder)
    assert not recorder.failed
    for name, tensor in plain.items():
        torch.testing.assert_close(replayed[name], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, optimizer: str) -> None:
    settings = {"optimizer": {"type": optimizer}, "patience": 9, "moving_average": 0.9}
    whole = train(make_recipe(**settings), tmp_path / "whole", CpuRecorder())
    train(make_recipe(**settings, epochs=2), tmp_path / "parts", CpuRecorder())
    parts = train(make_recipe(**settings), tmp_path / "parts", CpuRecorder())
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_divergence_is_named(tmp_path: Path) -> None:
    config, recorder = make_recipe(optimizer={"type": "sgd", "learning_rate": 1e30}), CpuRecorder()
    with pytest.raises(InputError, match=r"the loss is not finite in epoch \d+; .*the-only-one"):
        train(config, tmp_path, recorder)
    assert recorder.calls
    assert not recorder.recorded, "closed"


def test_all_models_are_tried() -> None:
    assert {model["type"] for model, _ in EACH_MODEL} == set(models.MODELS)


@pytest.mark.parametrize(("model", "training"), EACH_MODEL)
def test_no_model_needs_the_host(model: dict[str, object], training: dict[str, object]) -> None:
    masks = model["type"] != "wav2vec2"  # which reads samples: the masks are of features
    config = make_recipe(model, masks, clip_gradient=1.0, **training)
    built = models.build(config.model, 4, 4)
    optimizer = make_optimizer(config.training.optimizer, built.parameters(), capturable=True)
    trainer = make_trainer(config.training, make_fabric(config.training, CPU), built, optimizer)
    batch = minibatch(config, built)
    train_step(trainer, batch)  # sets up the optimiser's state
    with NoHostAccess():
        train_step(trainer, batch)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: x[0].tolist(),
        lambda x: bool(x.any()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.cpu(),
        lambda x: x + torch.tensor([1.0]),
    ],
)
def test_the_host_is_refused(read: Callable[[Tensor], object]) -> None:
    with NoHostAccess(), pytest.raises(HostAccessError):
        read(torch.ones(2, 2))


def batch_of(size: int, value: float) -> Batch:
    return Batch(torch.full((size, 1, 1), value), torch.zeros(size, dtype=torch.long))


def test_a_recording_fixes_what_python_did() -> None:
    numbers = count(1)
    double = Replayed(lambda batch: (batch.inputs * next(numbers),), CpuRecorder())
    results = [double(batch_of(1, value))[0].item() for value in (1.0, 10.0, 100.0, 1000.0)]
    assert results == [1.0, 20.0, 200.0, 2000.0]


def test_results_are_gone_after_another_call() -> None:
    recorder = CpuRecorder()
    total, most = (Replayed(lambda batch, of=of: (of(batch.inputs),), recorder) for of in (torch.sum, torch.amax))
    for value in (1.0, 2.0, 3.0):
        of_three, of_two = total(batch_of(3, value))[0], most(batch_of(2, value))[0]
    assert of_two == 3.0
    assert of_three.isnan()


def test_each_shape_has_its_recording_up_to_a_limit() -> None:
    recorder = CpuRecorder()
    total = Replayed(lambda batch: (batch.inputs.sum(),), recorder)
    sizes = range(1, MOST_SHAPES + 5)
    for _ in range(4):
        assert [total(batch_of(size, 2.0))[0].item() for size in sizes] == [2.0 * size for size in sizes]
    assert (recorder.calls, recorder.replays) == (MOST_SHAPES, 2 * MOST_SHAPES)


def test_steps_that_cannot_be_recorded_run_plainly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Peeking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * (2 if x.sum().item() > 0 else 1)

    def train_peeking(out: Path, recorder: CpuRecorder | None) -> dict[str, Tensor]:
        config = make_recipe(epochs=2)
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        model.network.insert(-1, Peeking())
        data = separable_frames(0), separable_frames(1)
        fit(config, make_fabric(config.training, CPU), model, *data, out, "one", recorder)
        return model.state_dict()

    plain = train_peeking(tmp_path / "plain", None)
    recorder = CpuRecorder()
    with caplog.at_level(logging.INFO):
        replayed = train_peeking(tmp_path / "replayed", recorder)
    assert recorder.failed
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["Training without CUDA graphs, one operation at a time: item"]
    assert all(torch.equal(plain[name], replayed[name]) for name in plain)


def test_what_stopped_a_recording_is_free_before_the_plain_step() -> None:
    held: list[weakref.ref[Tensor]] = []

    class Failing(CpuRecorder):
        def record(self, function: Callable[[], Results]) -> Recording:
            half_done = torch.ones(1)
            held.append(weakref.ref(half_done))
            raise RuntimeError("out of memory")

    def step(batch: Batch) -> Results:
        assert all(each() is None for each in held)
        return (batch.inputs.sum(),)

    total = Replayed(step, Failing())
    assert [total(batch_of(2, value))[0].item() for value in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    assert len(held) == 1


def test_graphs_share_memory_until_all_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Graph:
        is_reset = False

        def replay(self) -> None:
            pass

        def reset(self) -> None:
            self.is_reset = True

    handles, pools = count(), []

    def graph(graph: Graph, pool: int, *_: object, **__: object) -> AbstractContextManager[None]:
        pools.append(pool)
        return nullcontext()

    fakes = {"Stream": lambda device: None, "graph_pool_handle": lambda: next(handles), "CUDAGraph": Graph}
    for name, fake in (fakes | {"graph": graph}).items():
        monkeypatch.setattr(torch.cuda, name, fake)
    recorder = CudaRecorder(CUDA)
    recordings = [recorder.record(lambda: ()) for _ in range(2)]
    del recordings[0]
    recordings.append(recorder.record(lambda: ()))
    del recordings
    last = recorder.record(lambda: ())
    assert pools[0] == pools[1] == pools[2] != pools[3]
    recorder.close()
    assert last.replay.__self__.is_reset


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("config", TRAININGS)
def test_cuda_graphs_give_the_bits_of_plain_steps(
    config: RecipeConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    states = []
    for name, recorder in (("plain", Plain()), ("graphs", None)):
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        data = (on_device(sets(config, seed), CUDA) for seed in (0, 1))
        fit(config, make_fabric(config.training, CUDA), model, *data, tmp_path / name, "one", recorder)
        states.append(model.state_dict())
    assert "without CUDA graphs" not in caplog.text
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert figures(tmp_path / "plain") == figures(tmp_path / "graphs")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_failed_recording_leaves_nothing_behind_on_cuda() -> None:
    def noisy(peeking: bool) -> tuple[list[Tensor], CudaRecorder]:
        recorder = CudaRecorder(CUDA)

        def step(batch: Batch) -> Results:
            noise = functional.dropout(batch.inputs, 0.5)
            return (noise * (noise.amax().item() if peeking else noise.amax()),)

        torch.manual_seed(0)
        call = Replayed(step, recorder)
        with recorder.steps():
            return [call(batch_of(100, 1.0).to(CUDA))[0].clone() for _ in range(5)], recorder

    (recorded, works), (plain, fails), (again, works_again) = noisy(False), noisy(True), noisy(False)
    assert [works.failed, fails.failed, works_again.failed] == [False, True, False]
    for each in (plain, again):
        assert all(torch.equal(first, second) for first, second in zip(recorded, each, strict=True))
    with pytest.raises(RuntimeError, match="not currently recording"):
        torch._C._cuda_endAllocateToPool(0, fails.pool)
