"""Several processes train one model by recorded steps, in which they exchange sums."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.commands.forked import context
from support.models.each_model import make_recipe
from support.models.recorded_steps import CpuRecorder, Plain
from support.models.separable import (
    CPU,
    built,
    on_device,
    separable_frames,
    separable_phones,
    separable_utterances,
)
from support.models.separable_training import become
from torch import Tensor
from torch.distributed import TCPStore, get_rank

from asr.config import RecipeConfig
from asr.device import choose_device
from asr.training.data.batching import Batching, UtteranceBatching
from asr.training.data.minibatch import Batch
from asr.training.graphs import Recorder, Recording, Replayed, Results
from asr.training.loop import fit
from asr.training.trainer import make_fabric

DNN = {"type": "dnn", "layers": 2, "width": 12, "context": 1, "normalization": "batch", "dropout": 0.0}
LSTM = {"type": "lstm", "layers": 1, "width": 6, "normalization": "batch", "dropout": 0.0}
PROCESSES = 2

# Adam would make much of the rounding of gradients that are zero, as those of a bias before a normalisation.
SGD = {"type": "sgd", "learning_rate": 0.05}
TRAININGS = {
    "frames": make_recipe(DNN, batch_size=33, optimizer=SGD),  # shares of 17 and 16 frames, at last of 2 and 1
    "dropout": make_recipe(DNN | {"dropout": 0.3}, batch_size=32, clip_gradient=1.0, moving_average=0.5),
    "thaw": make_recipe(DNN, batch_size=32, optimizer=SGD, freeze_encoder=15),
    "utterances": make_recipe(LSTM, batch_size=70, clip_gradient=1.0),
    "ctc": make_recipe(LSTM, loss="ctc", batch_size=70),
    "timing": make_recipe(LSTM, loss="ctc", batch_size=70, optimizer=SGD, timing={"width": 4, "dropout": 0.0}),
}


def sets(config: RecipeConfig, seed: int) -> Batching:
    if config.training.loss == "ctc":
        return separable_phones(seed, config.training.timing is not None, padded=[12, 20, 28])
    if config.model.type == "dnn":
        return separable_frames(seed)
    return UtteranceBatching(separable_utterances(seed).speech, padded=[10, 20, 30])


class Unwilling(CpuRecorder):
    """As CUDA's, it records a step without doing it; in the last process it cannot."""

    def record(self, function: Callable[[], Results]) -> Recording:
        if get_rank() == PROCESSES - 1:
            raise RuntimeError("no memory")
        return Recording(_wrong, ())


def _wrong() -> None:
    raise AssertionError("it holds exchanges that another process does not make")


def train(name: str, out: Path, recorder: Recorder | None = None, device: torch.device = CPU) -> dict[str, Tensor]:
    config, fabric = TRAININGS[name], make_fabric(TRAININGS[name].training, device)
    model = built(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += fabric.global_rank  # as another machine's random numbers may differ
    data = (sets(config, seed) for seed in (0, 1))
    fit(config, fabric, model, *(on_device(each, fabric.device) for each in data), out, "one", recorder)
    return {key: tensor.cpu().contiguous() for key, tensor in model.state_dict().items()}


def train_shares(rank: int, port: int, out: Path, device: str) -> None:
    """In one of several processes: every training, by plain steps, by recorded ones, and where recording fails."""
    os.environ |= {"TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    become(rank, PROCESSES, port)
    place = choose_device(device)
    for name in TRAININGS:
        recorder, unwilling = CpuRecorder() if device == "cpu" else None, Unwilling()
        for steps, given in (("plain", Plain()), ("replayed", recorder), ("unwilling", unwilling)):
            save_file(train(name, out / f"{name} {steps}", given, place), out / f"{name} {steps} {rank}")
        assert unwilling.failed
        if recorder is not None:
            assert not recorder.failed
            save_file({"calls": torch.tensor([recorder.calls, recorder.replays])}, out / f"{name} calls {rank}")


def train_in_processes(out: Path, device: str) -> Path:
    """Leaves in `out` what `train_shares` does in two processes."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shares = [
        context().Process(target=train_shares, args=(rank, store.port, out, device), daemon=True)
        for rank in range(PROCESSES)
    ]
    for each in shares:
        each.start()
    for each in shares:
        each.join(240)
    assert [each.exitcode for each in shares] == [0] * PROCESSES
    return out


def assert_same_bits(out: Path, name: str) -> None:
    """Of the weights in all processes, however they were trained."""
    ways = ("plain", "replayed", "unwilling")
    first, *others = (load_file(out / f"{name} {steps} {rank}") for steps in ways for rank in range(PROCESSES))
    for other in others:
        assert all(torch.equal(first[key], other[key]) for key in first)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_in_processes(tmp_path_factory.mktemp("shares"), "cpu")


@pytest.mark.parametrize("name", TRAININGS)
def test_replayed_steps_give_the_bits_of_plain_ones_in_all_processes(trained: Path, name: str) -> None:
    assert_same_bits(trained, name)
    calls, *same = (load_file(trained / f"{name} calls {rank}")["calls"].tolist() for rank in range(PROCESSES))
    assert same == [calls]
    assert calls[1] > calls[0] > 0


@pytest.mark.parametrize("name", sorted(TRAININGS.keys() - {"dropout"}))
def test_they_train_the_model_of_one(trained: Path, name: str, tmp_path: Path) -> None:
    alone = train(name, tmp_path)
    for key, tensor in load_file(trained / f"{name} plain 0").items():
        torch.testing.assert_close(tensor, alone[key], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("own_fails", [False, True])
def test_a_step_that_one_process_cannot_record_runs_plainly(own_fails: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Other(CpuRecorder):
        def record(self, function: Callable[[], Results]) -> Recording:
            if own_fails:
                raise RuntimeError("no memory")
            return Recording(_wrong, ())

    said: list[bool] = []

    def all_could(this_one: bool) -> bool:
        said.append(this_one)
        return False

    total = Replayed(lambda batch: (batch.inputs.sum(),), Other(), all_could)
    batch = Batch(torch.ones(2, 1, 1), torch.zeros(2, dtype=torch.long))
    assert [total(batch)[0].item() for _ in range(4)] == [2.0] * 4
    assert said == [not own_fails], "asked once"
    why = "no memory" if own_fails else "another process could not record a step"
    assert caplog.messages == [f"Training without CUDA graphs, one operation at a time: {why}"]


def test_a_recorded_step_that_fails_is_not_done_again() -> None:
    """The other processes have done it, and do not come back."""

    class Failing(CpuRecorder):
        def record(self, function: Callable[[], Results]) -> Recording:
            return Recording(_wrong, ())

    total = Replayed(lambda batch: (batch.inputs.sum(),), Failing())
    batch = Batch(torch.ones(2, 1, 1), torch.zeros(2, dtype=torch.long))
    total(batch)
    with pytest.raises(AssertionError, match="it holds exchanges"):
        total(batch)


@pytest.mark.cuda
@pytest.mark.skipif(torch.cuda.device_count() < PROCESSES, reason="fewer than two CUDA devices")
def test_graphs_give_the_bits_of_plain_steps_on_several_gpus(tmp_path: Path) -> None:
    train_in_processes(tmp_path, "cuda")
    for name in TRAININGS:
        assert_same_bits(tmp_path, name)
