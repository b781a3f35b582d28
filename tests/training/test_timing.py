"""A second output is trained beside CTC, or alone on a network that keeps every bit; stopped, recorded or neither."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from support.models.recorded_steps import CpuRecorder, NoHostAccess
from support.models.separable import CPU, built, recipe, separable_phones
from torch import Tensor

from asr import models
from asr.acoustics.bundle import read_bundle
from asr.config import RecipeConfig
from asr.corpora.cuts import phone_segments, read_cuts, write_cuts
from asr.decoding.stage import decode
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.phones.classes import UNLABELLED
from asr.phones.folding import fold
from asr.recognizer import Recognizer
from asr.storage.json_files import read_jsonl
from asr.storage.weights import read_weights
from asr.training.data.augmented import EpochSpeech
from asr.training.data.batching import UtteranceBatching
from asr.training.data.speech import load_speech
from asr.training.loop import fit
from asr.training.optimizers import make_optimizer
from asr.training.train import train
from asr.training.trainer import make_fabric, make_trainer, train_step

ADAM = {"type": "adam", "learning_rate": 0.03}
GRU = {"type": "gru", "layers": 1, "width": 12, "normalization": "layer"}
NETWORK = {"dilations": [1], "width": 64}
"""Of the second output."""
ALONE: dict[str, Any] = {"timing": {"weight": 1, **NETWORK}, "freeze_encoder": "all"}


def make_recipe(model: dict[str, object] | None = None, **training: object) -> RecipeConfig:
    config = recipe(loss="ctc", optimizer=ADAM, patience=20, **training)
    plain = config.model_dump(mode="json", exclude_unset=True)
    return RecipeConfig.model_validate(plain | ({} if model is None else {"model": model}))


def learn(
    config: RecipeConfig, out: Path, recorder: CpuRecorder | None = None, start: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    model = built(config)
    if start is not None:
        model.load_state_dict(start, strict=False)
    timed = config.training.timing is not None
    sets = (separable_phones(seed, timed, [12, 20, 28] if recorder else []) for seed in (0, 1))
    fit(config, make_fabric(config.training, CPU), model, *sets, out, "one", recorder)
    return model.state_dict()


def rows(out: Path) -> list[dict[str, Any]]:
    return list(read_jsonl(out / "metrics.jsonl"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", [None, GRU])
def test_both_outputs_learn(tmp_path: Path, precision: str, model: dict[str, object] | None) -> None:
    learn(make_recipe(model, epochs=15, timing=NETWORK, precision=precision), tmp_path)
    first, *_, last = rows(tmp_path)
    assert last["dev_phone_error"] < 20
    assert last["dev_frame_error"] < 10
    assert last["train_frame_error"] < first["train_frame_error"]
    assert last["train_timing_loss"] < first["train_timing_loss"]


def test_its_weight_is_its_share_of_the_gradient() -> None:
    gradients: list[dict[str, Tensor]] = []
    for weight in (None, 0.25, 0.5):
        config = make_recipe(GRU, timing=None if weight is None else {"weight": weight, **NETWORK})
        model = built(make_recipe(GRU, timing=NETWORK))
        fabric, optimizer = make_fabric(config.training, CPU), optimizer_of(config, model)
        trainer = make_trainer(config.training, fabric, model.eval(), optimizer)
        data = separable_phones(0, timed=weight is not None)
        batch = data.batch(data.plan(999, shuffled=False)[0])
        trainer.loss(trainer.criterion(trainer.scores(batch), batch)).backward()
        named = model.named_parameters()
        gradients.append({name: torch.zeros_like(each) if each.grad is None else each.grad for name, each in named})
    ctc, quarter, half = gradients
    for name, own in ctc.items():
        timing = 4 * (quarter[name] - 0.75 * own)
        torch.testing.assert_close(half[name], 0.5 * own + 0.5 * timing, rtol=1e-3, atol=1e-5)
        if name.startswith("output."):
            torch.testing.assert_close(quarter[name], 0.75 * own, rtol=1e-4, atol=1e-6)
            assert own.any()


def optimizer_of(config: RecipeConfig, model: models.AcousticModel, capturable: bool | None = None) -> Any:
    return make_optimizer(config.training.optimizer, model.parameters(), capturable=capturable)


def test_alone_it_learns_and_changes_nothing_else(tmp_path: Path) -> None:
    start = learn(make_recipe(GRU, epochs=10), tmp_path / "ctc")
    config = make_recipe(GRU, epochs=6, **ALONE, moving_average=0.9, average={"count": 2})
    trained = learn(config, tmp_path / "timed", start=start)
    assert all(torch.equal(trained[name], tensor) for name, tensor in start.items())
    metrics = rows(tmp_path / "timed")
    assert {row["dev_phone_error"] for row in metrics} == {
        min(row["dev_phone_error"] for row in rows(tmp_path / "ctc"))
    }
    assert metrics[-1]["dev_frame_error"] < 15


def test_alone_its_own_error_chooses_the_epoch(tmp_path: Path) -> None:
    config = make_recipe(GRU, epochs=4, **ALONE)
    model = built(config)
    sets = separable_phones(0, timed=True), separable_phones(1, timed=True)
    progress = fit(config, make_fabric(config.training, CPU), model, *sets, tmp_path, "one")
    assert progress.dev_errors == [row["dev_frame_error"] for row in rows(tmp_path)]


@pytest.mark.parametrize(
    "training", [{"timing": {"weight": 0.4, **NETWORK}, "moving_average": 0.5, "clip_gradient": 1.0}, ALONE]
)
def test_replayed_and_resumed_steps_give_the_bits_of_plain_ones(tmp_path: Path, training: dict[str, object]) -> None:
    recorder, whole = CpuRecorder(), make_recipe(GRU | {"normalization": "batch"}, epochs=4, **training)
    replayed = learn(whole, tmp_path / "replayed", recorder)
    assert not recorder.failed
    assert recorder.replays > recorder.calls > 0
    plain = CpuRecorder()
    plain.failed = True
    learn(
        whole.model_copy(update={"training": whole.training.model_copy(update={"epochs": 2})}),
        tmp_path / "plain",
        plain,
    )
    resumed = learn(whole, tmp_path / "plain", plain)
    assert all(torch.equal(resumed[name], replayed[name]) for name in replayed)


@pytest.mark.parametrize("training", [{"timing": NETWORK}, ALONE])
def test_no_step_needs_the_host(training: dict[str, object]) -> None:
    config = make_recipe(GRU, clip_gradient=1.0, **training)
    model = built(config)
    trainer = make_trainer(config.training, make_fabric(config.training, CPU), model, optimizer_of(config, model, True))
    data = separable_phones(0, timed=True)
    batch = data.batch(data.plan(60, shuffled=False)[0])
    train_step(trainer, batch)
    with NoHostAccess():
        train_step(trainer, batch)


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"timing": {}}, "timing is for loss: ctc"),
        ({"timing": {"weight": 1}, "loss": "ctc"}, "needs freeze_encoder: all"),
        ({"timing": {"weight": 0}, "loss": "ctc"}, "greater than 0"),
    ],
)
def test_settings_that_do_not_fit(training: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recipe(**training)


MODEL = {"type": "tdnn", "dilations": [1], "width": 12, "subsampling": 3, "normalization": "layer"}


def demo(states: int = 1, augmentation: dict[str, object] | None = None, **training: object) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "augmentation": augmentation or {},
            "targets": {"phone_set": "timit48", "states": 1},
            "model": MODEL,
            "training": {
                "loss": "ctc",
                "epochs": 2,
                "batch_size": 600,
                "timing": {"states": states, **NETWORK},
                **training,
            },
        }
    )


@pytest.mark.parametrize("states", [1, 3])
@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_frames_have_the_phones_at_their_centres(prepared: Path, features: Path, states: int, speed: float) -> None:
    config = demo(states, {"speed": [speed]})
    split = Dataset(prepared, features).split("train", config.features)
    speech = load_speech(config, split, 0, CPU, subsampling=3)
    if speed != 1:
        speech = EpochSpeech(config, speech, split, CPU)(0)
    batching = UtteranceBatching(speech)
    cuts = {cut.id: cut for cut in read_cuts(prepared / "train.cuts.jsonl.gz")}
    (members, *_) = batching.plan(3000, shuffled=True)
    batch = batching.batch(members)
    assert batch.timing is not None
    assert batch.lengths is not None
    assert batch.timing.shape == batch.inputs.shape[:2]
    for name, labels, length in zip(batching.utterances(members), batch.timing, batch.lengths.tolist(), strict=True):
        assert (labels[length:] == UNLABELLED).all()
        segments = phone_segments(cuts[name])
        for frame in range(5, length - 5):
            centre = (config.features.frame_offset + (frame + 0.5) * 0.01) * speed + 1e-7
            said = next(each.phone for each in segments if each.start <= centre < each.end)  # type: ignore[operator]
            assert config.timing_names[labels[frame]].rpartition("_")[0] == fold([said], "timit48")[0]


def test_pauses_come_into_silences_inside(prepared: Path, features: Path) -> None:
    pauses = {"pauses": {"probability": 1.0, "length": [0.3, 0.3]}}
    config = demo(augmentation=pauses)
    split = Dataset(prepared, features).split("train", config.features)
    clean = load_speech(config, split, 0, CPU, subsampling=3)
    longer = EpochSpeech(config, clean, split, CPU)(0)
    assert clean.timing is not None
    assert longer.timing is not None
    silent = torch.tensor([name.startswith("sil") for name in config.timing_names])
    added = len(longer.timing) - len(clean.timing)
    assert added > 0
    assert silent[longer.timing].sum() - silent[clean.timing].sum() == added


def test_the_bundle_keeps_both_outputs_and_their_statistics(prepared: Path, features: Path, tmp_path: Path) -> None:
    train(demo(), prepared, features, tmp_path, CPU)
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.model.timing is not None
    assert bundle.timing is not None
    assert len(bundle.timing.priors) == 48
    assert bundle.timing.priors.sum() == pytest.approx(1)
    assert bundle.timing.self_loops.max() > 0.5
    (tmp_path / "bundle/timing.tsv").write_text("class\tprior\tself_loop\n")
    with pytest.raises(InputError, match=r"timing\.tsv"):
        read_bundle(tmp_path / "bundle")


def test_a_trained_model_gets_it_afterwards(prepared: Path, features: Path, tmp_path: Path) -> None:
    before = demo().model_copy(update={"training": demo().training.model_copy(update={"timing": None})})
    train(before, prepared, features, tmp_path / "ctc", CPU)
    decode(before, tmp_path / "ctc/bundle", prepared, features, tmp_path / "ctc/decode", CPU)
    trained, timed = tmp_path / "ctc/decode/bundle", tmp_path / "timed/bundle"
    config = RecipeConfig.model_validate(
        demo(**ALONE).model_dump(mode="json", exclude_unset=True) | {"model": MODEL | {"pretrained": str(trained)}}
    )
    train(config, prepared, features, tmp_path / "timed", CPU)
    old, new = (read_weights(folder / "model.safetensors") for folder in (trained, timed))
    assert all(torch.equal(new[name], tensor) for name, tensor in old.items())
    for name in ("lm.arpa", "decoding.yaml", "cmvn.safetensors", "classes.tsv"):
        assert (timed / name).read_bytes() == (trained / name).read_bytes()
    assert read_bundle(trained).timing is None
    audio = next(read_cuts(prepared / "test.cuts.jsonl.gz")).recording.sources[0].source
    plain, with_times = (Recognizer(folder).transcribe(audio) for folder in (trained, timed))
    assert with_times.symbols == plain.symbols
    assert [each.score for each in with_times.phones] == [each.score for each in plain.phones]


THREE_STATES = {"states": 3, **NETWORK}
STILL: dict[str, Any] = {"optimizer": {"type": "sgd", "learning_rate": 1e-9}, "epochs": 1}


@pytest.fixture
def aligner(prepared: Path, features: Path, tmp_path: Path) -> Path:
    """An HMM whose network is that of a second output."""
    hmm = demo().model_dump(mode="json", exclude_unset=True) | {
        "model": {"type": "tdnn", "normalization": "layer"} | NETWORK,
        "targets": {"phone_set": "timit48", "states": 3},
        "training": {"epochs": 1, "batch_size": 600},
    }
    train(RecipeConfig.model_validate(hmm), prepared, features, tmp_path / "hmm", CPU)
    return tmp_path / "hmm/bundle"


def test_it_begins_as_the_model_that_aligns_for_it(
    prepared: Path, features: Path, tmp_path: Path, aligner: Path
) -> None:
    train(demo(timing=THREE_STATES, align_with=aligner, **STILL), prepared, features, tmp_path / "ctc", CPU)
    teacher, both = (read_weights(folder / "model.safetensors") for folder in (aligner, tmp_path / "ctc/bundle"))
    for name, tensor in teacher.items():
        torch.testing.assert_close(both[f"timing.{name}"], tensor, rtol=0, atol=1e-6)


def test_what_a_pretrained_model_has_of_it_stays(prepared: Path, features: Path, tmp_path: Path, aligner: Path) -> None:
    train(demo(timing=THREE_STATES, **STILL), prepared, features, tmp_path / "timed", CPU)
    config = demo(timing=THREE_STATES, align_with=aligner, **STILL).model_dump(mode="json", exclude_unset=True)
    config["model"] = MODEL | {"pretrained": str(tmp_path / "timed/bundle")}
    train(RecipeConfig.model_validate(config), prepared, features, tmp_path / "again", CPU)
    before, after = (read_weights(tmp_path / name / "bundle/model.safetensors") for name in ("timed", "again"))
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-6)


def test_it_is_not_for_samples() -> None:
    plain = demo().model_dump(mode="json", exclude_unset=True) | {"features": {"type": "waveform"}}
    with pytest.raises(ValidationError, match=r"training\.timing .* features\.type must be fbank or mfcc"):
        RecipeConfig.model_validate(plain)


def test_a_frozen_encoder_must_fit_what_it_comes_from(prepared: Path, features: Path, tmp_path: Path) -> None:
    train(demo(epochs=1), prepared, features, tmp_path / "ctc", CPU)
    model = MODEL | {"width": 13, "pretrained": str(tmp_path / "ctc/bundle")}
    for weight in ({"weight": 1}, {}):
        config = demo(timing=weight | NETWORK, freeze_encoder="all").model_dump(mode="json", exclude_unset=True)
        with pytest.raises(InputError, match=r"its front does not fit this model, .* would leave that random"):
            train(RecipeConfig.model_validate(config | {"model": model}), prepared, features, tmp_path / "other", CPU)


def test_without_times_it_needs_an_alignment(prepared: Path, features: Path, tmp_path: Path) -> None:
    for split in ("train", "dev"):
        cuts = list(read_cuts(prepared / f"{split}.cuts.jsonl.gz"))
        for cut in cuts:
            spoken = cut.supervisions[0]
            spoken.custom = {"phones": " ".join(each.phone for each in phone_segments(cut))}
            spoken.alignment = None
        write_cuts(prepared / f"{split}.cuts.jsonl.gz", cuts)
    with pytest.raises(InputError, match=r"training\.timing: .* has no phones with times; set training\.align_with"):
        train(demo(), prepared, features, tmp_path / "alone", CPU)
    hmm = {"targets": {"phone_set": "timit48", "states": 3}, "training": {"epochs": 1, "flat_start": True}}
    aligner = RecipeConfig.model_validate({"corpus": {"name": "demo"}, "model": {"layers": 1, "width": 16}} | hmm)
    train(aligner, prepared, features, tmp_path / "hmm", CPU)
    train(demo(align_with=str(tmp_path / "hmm/bundle")), prepared, features, tmp_path / "aligned", CPU)
    found = rows(tmp_path / "aligned")
    assert found[-1]["dev_timing_loss"] < found[0]["dev_timing_loss"]
    (line, *_) = (row for row in read_jsonl(tmp_path / "aligned/alignments/train.jsonl") if "phones" in row)
    assert all("states" not in phone for phone in line["phones"])
