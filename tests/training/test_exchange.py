"""Several processes train one model by recorded steps, in which they exchange sums."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.commands.forked import context
from support.models.each_model import make_recipe
from support.models.recorded_steps import CpuRecorder
from support.models.separable import CPU, built, separable_frames, separable_phones, separable_utterances
from torch import Tensor
from torch.distributed import HashStore, TCPStore, all_reduce, destroy_process_group, init_process_group

from asr.config import RecipeConfig
from asr.training.data.batching import Batching, UtteranceBatching
from asr.training.data.minibatch import Batch
from asr.training.graphs import CudaRecorder, Replayed
from asr.training.loop import fit
from asr.training.trainer import make_fabric

CUDA = torch.device("cuda", 0)
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


def train(name: str, out: Path, recorder: CpuRecorder | None = None) -> dict[str, Tensor]:
    config, fabric = TRAININGS[name], make_fabric(TRAININGS[name].training, CPU)
    model = built(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += fabric.global_rank  # as another machine's random numbers may differ
    fit(config, fabric, model, sets(config, 0), sets(config, 1), out, "one", recorder)
    return {key: tensor.contiguous() for key, tensor in model.state_dict().items()}


def train_shares(rank: int, port: int, out: Path) -> None:
    """In one of several processes: every training, by plain steps and by recorded ones."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(PROCESSES))
    os.environ |= {"TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    torch.set_num_threads(1)
    for name in TRAININGS:
        recorder = CpuRecorder()
        for steps, given in (("plain", None), ("replayed", recorder)):
            save_file(train(name, out / f"{name} {steps}", given), out / f"{name} {steps} {rank}")
        save_file({"calls": torch.tensor([recorder.calls, recorder.replays])}, out / f"{name} calls {rank}")
        assert not recorder.failed


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `train_shares` left in two processes."""
    out = tmp_path_factory.mktemp("shares")
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    shares = [context().Process(target=train_shares, args=(rank, store.port, out)) for rank in range(PROCESSES)]
    for each in shares:
        each.start()
    for each in shares:
        each.join(120)
    assert [each.exitcode for each in shares] == [0] * PROCESSES
    return out


@pytest.mark.parametrize("name", TRAININGS)
def test_replayed_steps_give_the_bits_of_plain_ones_in_all_processes(trained: Path, name: str) -> None:
    first, *others = (
        load_file(trained / f"{name} {steps} {rank}") for steps in ("plain", "replayed") for rank in range(PROCESSES)
    )
    for other in others:
        assert all(torch.equal(first[key], other[key]) for key in first)
    calls, *same = (load_file(trained / f"{name} calls {rank}")["calls"].tolist() for rank in range(PROCESSES))
    assert same == [calls]
    assert calls[1] > calls[0] > 0


@pytest.mark.parametrize("name", sorted(TRAININGS.keys() - {"dropout"}))
def test_they_train_the_model_of_one(trained: Path, name: str, tmp_path: Path) -> None:
    alone = train(name, tmp_path)
    for key, tensor in load_file(trained / f"{name} plain 0").items():
        torch.testing.assert_close(tensor, alone[key], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("own_fails", [False, True])
def test_a_step_that_one_process_cannot_record_runs_plainly_in_all(
    own_fails: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Graph:
        def replay(self) -> None:
            raise AssertionError("it holds exchanges that the other process does not make")

    def capture(*_: object, **__: object) -> AbstractContextManager[None]:
        if own_fails:
            raise RuntimeError("no memory")
        return nullcontext()

    fakes = {"Stream": lambda device: None, "graph_pool_handle": lambda: 0, "CUDAGraph": Graph, "graph": capture}
    for name, fake in fakes.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    monkeypatch.setattr(CudaRecorder, "_end_capture", lambda self: None)
    said: list[bool] = []

    def all_could(this_one: bool) -> bool:
        said.append(this_one)
        return False

    total = Replayed(lambda batch: (batch.inputs.sum(),), CudaRecorder(CUDA, all_could))
    batch = Batch(torch.ones(2, 1, 1), torch.zeros(2, dtype=torch.long))
    assert [total(batch)[0].item() for _ in range(4)] == [2.0] * 4
    assert said == [not own_fails], "asked once"
    why = "no memory" if own_fails else "another process could not record it"
    assert caplog.messages == [f"Training without CUDA graphs, one operation at a time: {why}"]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_graph_holds_exchanges_until_it_is_closed() -> None:
    """NCCL, by a single process; it ends only after the graphs that hold its calls."""
    init_process_group("nccl", store=HashStore(), rank=0, world_size=1, device_id=CUDA)

    def step(batch: Batch) -> tuple[Tensor, ...]:
        total = batch.inputs.sum()
        all_reduce(total)
        return (total,)

    recorder = CudaRecorder(CUDA)
    total = Replayed(step, recorder)
    with recorder.steps():
        batches = [Batch(torch.full((2, 1, 1), value), torch.zeros(2)).to(CUDA) for value in (1.0, 2.0, 3.0, 4.0)]
        assert [total(batch)[0].item() for batch in batches] == [2.0, 4.0, 6.0, 8.0]
    assert not recorder.failed
    recorder.close()
    destroy_process_group()
