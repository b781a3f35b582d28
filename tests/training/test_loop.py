"""The loop learns, resumes to the same bits, and says what is wrong when it diverges."""

from pathlib import Path

import pytest
import torch
from support.models.separable import CPU, recipe, separable_frames, separable_phones
from torch import Tensor, nn

from asr import models
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.storage.json_files import read_jsonl
from asr.training import loop, trainer
from asr.training.checkpoint import Progress, Trained, load_checkpoint, save_checkpoint
from asr.training.exchange import summed
from asr.training.loop import fit
from asr.training.optimizers import make_optimizer
from asr.training.trainer import make_fabric, make_trainer, train_step


def test_too_large_a_minibatch_names_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config, data = recipe(), separable_frames(0)

    def too_large(members: Tensor) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(data, "batch", too_large)
    model = models.build(config.model, 4, 4)
    with pytest.raises(InputError, match=r"training\.batch_size: a minibatch does not fit .* lower it from 32"):
        fit(config, make_fabric(config.training, CPU), model, data, separable_frames(1), tmp_path, "same")


def train(config: RecipeConfig, out: Path, fingerprint: str = "one") -> dict[str, Tensor]:
    torch.manual_seed(config.seed)
    model = models.build(config.model, 4, 4)
    fit(config, make_fabric(config.training, CPU), model, separable_frames(0), separable_frames(1), out, fingerprint)
    return model.state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_learns_and_logs_each_epoch(tmp_path: Path) -> None:
    train(recipe(epochs=6, patience=6, optimizer={"type": "adam", "learning_rate": 0.03}), tmp_path)
    rows = list(read_jsonl(tmp_path / "metrics.jsonl"))
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[-1]["dev_frame_error"] < 30  # chance is 75
    assert list((tmp_path / "tensorboard").iterdir())


def test_losses_are_in_single_precision_whatever_the_model_s() -> None:
    config = recipe(precision="bf16")
    model = models.build(config.model, 4, 4)
    optimizer = make_optimizer(config.training.optimizer, model.parameters())
    trainer = make_trainer(config.training, make_fabric(config.training, CPU), model, optimizer)
    data = separable_frames(0)
    logits, *_ = trainer.scores(data.batch(data.plan(8, shuffled=False)[0]))
    assert logits.dtype == torch.float32
    assert torch.equal(logits, logits.bfloat16().float()), "the model's own are in half precision"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_learns_phones_by_ctc(tmp_path: Path, precision: str) -> None:
    optimizer = {"type": "adam", "learning_rate": 0.03}
    config = recipe(loss="ctc", epochs=10, patience=10, optimizer=optimizer, precision=precision)
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4)
    sets = separable_phones(0), separable_phones(1)
    progress = fit(config, make_fabric(config.training, CPU), model, *sets, tmp_path, "one")
    rows = list(read_jsonl(tmp_path / "metrics.jsonl"))
    assert [row["dev_phone_error"] for row in rows] == progress.dev_errors
    assert progress.dev_errors[-1] < 20  # all blanks: 100


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": {"type": "adam"}},
        {"optimizer": {"type": "adamw"}},
        {"optimizer": {"type": "adagrad"}},
        {"optimizer": {"type": "rmsprop", "momentum": 0.5}},
        {"optimizer": {"type": "sgd", "learning_rate": 0.05}, "clip_gradient": 0.5},
        {"moving_average": 0.9},
        {"average": {"of": "last", "count": 3}},
        {"average": {"of": "best", "count": 2}, "moving_average": 0.5, "schedule": {"type": "step", "every": 1}},
    ],
)
def test_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, training: dict[str, object]) -> None:
    whole = train(recipe(**training, patience=9), tmp_path / "whole")
    train(recipe(**training, patience=9, epochs=2), tmp_path / "parts")
    parts = train(recipe(**training, patience=9), tmp_path / "parts")
    assert same(whole, parts)
    assert [row["epoch"] for row in read_jsonl(tmp_path / "parts/metrics.jsonl")] == [1, 2, 3, 4]


def test_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    fresh = train(recipe(epochs=2), tmp_path / "fresh")
    train(recipe(epochs=2, optimizer={"type": "adam", "learning_rate": 0.1}), tmp_path / "used", "other")
    assert same(fresh, train(recipe(epochs=2), tmp_path / "used"))


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes(b"not a checkpoint")
    model = nn.Linear(1, 1)
    optimizer = make_optimizer(recipe().training.optimizer, model.parameters())
    with pytest.raises(InputError, match=r"last\.safetensors: the checkpoint is damaged; delete it"):
        load_checkpoint(path, Trained(model, optimizer), "one", recipe().training)
    trained = Trained(model, optimizer)
    save_checkpoint(path, trained, Progress(0.1), "one")
    assert load_checkpoint(path, trained, "one", recipe().training) == Progress(0.1)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"last\.safetensors: the checkpoint is damaged; delete it"):
        load_checkpoint(path, trained, "one", recipe().training)


@pytest.mark.parametrize("of", ["best", "last"])
def test_a_crash_before_the_checkpoint_leaves_what_the_last_one_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    settings = {"average": {"of": of, "count": 2}, "optimizer": {"type": "adam", "learning_rate": 0.03}, "patience": 9}
    whole = train(recipe(**settings, epochs=3), tmp_path / "whole")

    def crash(path: Path, trained: Trained, progress: Progress, fingerprint: str) -> None:
        if progress.epoch == 4:
            raise KeyboardInterrupt
        save_checkpoint(path, trained, progress, fingerprint)

    monkeypatch.setattr(loop, "save_checkpoint", crash)
    with pytest.raises(KeyboardInterrupt):
        train(recipe(**settings, epochs=5), tmp_path / "parts")
    monkeypatch.undo()
    assert same(whole, train(recipe(**settings, epochs=3), tmp_path / "parts"))
    train(recipe(**settings, epochs=5), tmp_path / "parts")
    assert len(list((tmp_path / "parts/checkpoints").glob("epoch-*"))) == 2


def test_best_epoch_is_kept(tmp_path: Path) -> None:
    config = recipe(epochs=12, patience=12, optimizer={"type": "adam", "learning_rate": 0.3})
    torch.manual_seed(0)
    model = models.build(config.model, 4, 4)
    dev = separable_frames(1)
    progress = fit(config, make_fabric(config.training, CPU), model, separable_frames(0), dev, tmp_path, "one")
    errors = [row["dev_frame_error"] for row in read_jsonl(tmp_path / "metrics.jsonl")]
    batch = dev.batch(dev.rows)
    error = 100 * (model.eval().forward_windows(batch.inputs).argmax(1) != batch.labels).float().mean().item()
    assert progress.best_epoch == 1 + errors.index(min(errors))
    assert error == pytest.approx(min(errors), abs=1e-4)


def test_early_stopping_after_patience(tmp_path: Path) -> None:
    train(recipe(epochs=50, patience=2), tmp_path)
    errors = [row["dev_frame_error"] for row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert len(errors) == errors.index(min(errors)) + 1 + 2


def test_divergence_names_the_learning_rate(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"learning_rate: the loss is not finite in epoch \d+; .*the-only-one"):
        train(recipe(optimizer={"type": "sgd", "learning_rate": 1e30}), tmp_path)


@pytest.mark.parametrize(
    ("settings", "rounds"), [({}, True), ({"precision": "fp32"}, False), ({"precision": "bf16"}, False)]
)
def test_products_are_tf32_on_cuda_unless_the_recipe_says_otherwise(
    settings: dict[str, str], rounds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[bool] = []
    monkeypatch.setattr(trainer, "use_tf32", chosen.append)
    monkeypatch.setattr(trainer, "Fabric", lambda **_: None)
    make_fabric(recipe(**settings).training, torch.device("cuda"))
    assert chosen == [rounds]


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_precision_is_that_of_the_recipe(precision: str, dtype: torch.dtype) -> None:
    config = recipe(precision=precision).training
    model = models.build(recipe().model, 4, 4)
    seen: list[torch.dtype] = []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    optimizer = make_optimizer(config.optimizer, model.parameters())
    trainer = make_trainer(config, make_fabric(config, CPU), model, optimizer)
    batching = separable_frames(0)
    train_step(trainer, batching.batch(batching.plan(32, shuffled=False)[0]))
    assert set(seen) == {dtype}


def step_length(limit: float | None) -> float:
    """How far one step of SGD with a learning rate of 1 moves all weights: the norm of the gradient."""
    torch.manual_seed(0)
    config = recipe(clip_gradient=limit, optimizer={"type": "sgd", "learning_rate": 1.0, "momentum": 0.0}).training
    model = models.build(recipe().model, 4, 4).eval()
    trainer = make_trainer(
        config, make_fabric(config, CPU), model, make_optimizer(config.optimizer, model.parameters())
    )
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    batching = separable_frames(0)
    train_step(trainer, batching.batch(batching.plan(32, shuffled=False)[0]))
    return float((nn.utils.parameters_to_vector(model.parameters()) - before).detach().norm())


def test_gradients_are_clipped_to_the_norm_of_the_recipe() -> None:
    whole = step_length(None)
    assert step_length(whole / 10) == pytest.approx(whole / 10, rel=1e-4)
    assert step_length(10 * whole) == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("limit", [None, 1e-3])
def test_a_step_returns_the_norm_of_the_gradient_before_clipping(limit: float | None) -> None:
    torch.manual_seed(0)
    config = recipe(clip_gradient=limit).training
    model = models.build(recipe().model, 4, 4).eval()
    optimizer = make_optimizer(config.optimizer, model.parameters())
    trainer = make_trainer(config, make_fabric(config, CPU), model, optimizer)
    batching = separable_frames(0)
    norm = train_step(trainer, batching.batch(batching.plan(32, shuffled=False)[0]))[1]
    assert float(norm) == pytest.approx(step_length(None), rel=1e-4)


def test_each_epoch_has_the_mean_norm_of_its_gradients(tmp_path: Path) -> None:
    train(recipe(epochs=2), tmp_path)
    norms = [row["gradient_norm"] for row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert all(0 < norm < 100 for norm in norms)
    assert norms[0] != norms[1]


def test_each_epoch_has_the_learning_rate_of_the_schedule(tmp_path: Path) -> None:
    schedule = {"type": "step", "every": 1, "factor": 0.5}
    train(recipe(epochs=3, schedule=schedule, optimizer={"type": "sgd", "learning_rate": 0.08}), tmp_path)
    assert [row["learning_rate"] for row in read_jsonl(tmp_path / "metrics.jsonl")] == pytest.approx([0.08, 0.04, 0.02])


@pytest.mark.parametrize("name", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
def test_weight_decay_shrinks_weights_without_a_gradient(name: str) -> None:
    weight = nn.Parameter(torch.ones(1))
    settings = {"type": name, "learning_rate": 0.1, "weight_decay": 0.1}
    optimizer = make_optimizer(recipe(optimizer=settings).training.optimizer, [weight])
    weight.grad = torch.zeros(1)
    optimizer.step()
    assert weight.item() < 1


def test_sums_over_processes_are_ordered_on_the_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise AssertionError("the host waits for the other processes")

    monkeypatch.setattr(torch.distributed, "barrier", refuse)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda values: values.mul_(2))
    values, two_processes = torch.ones(3), make_fabric(recipe().training, CPU)
    monkeypatch.setattr(type(two_processes), "world_size", 2)
    assert summed(two_processes, values).tolist() == [2, 2, 2]
    assert values.tolist() == [1, 1, 1]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_learns_what_the_cpu_learns(tmp_path: Path) -> None:
    config = recipe(epochs=4, patience=4)
    config = config.model_copy(update={"model": config.model.model_copy(update={"dropout": 0.0})})
    errors = []
    for device in (CPU, torch.device("cuda")):
        torch.manual_seed(0)
        model = models.build(config.model, 4, 4)
        sets = separable_frames(0, device), separable_frames(1, device)
        fabric = make_fabric(config.training, device)
        errors.append(fit(config, fabric, model, *sets, tmp_path / device.type, "one").dev_errors)
    assert errors[1] == pytest.approx(errors[0], abs=2.0)  # per cent of 300 frames
