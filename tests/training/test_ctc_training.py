"""A recipe trained by CTC: without phone times, with speech too short for its phones, stopped and gone on with."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from lhotse import MonoCut
from support.commands.asr_command import Command

from asr.config import RecipeConfig
from asr.corpora.cuts import phone_segments, phone_sequence, read_cuts, write_cuts
from asr.decoding.search.greedy import GreedySearch
from asr.decoding.search.prefix_beam import PrefixBeamSearch
from asr.decoding.stage import decode
from asr.errors import InputError
from asr.features.dataset import Dataset, Split
from asr.formats.transcript import read_transcripts
from asr.phones.classes import UNLABELLED
from asr.phones.folding import fold
from asr.recognizer import Recognizer
from asr.scoring.score import score_files
from asr.storage.json_files import read_json, read_jsonl
from asr.training.data.augmented import EpochSpeech
from asr.training.data.batching import UtteranceBatching
from asr.training.data.speech import load_speech
from asr.training.train import sweep_learning_rates, train

CPU = torch.device("cpu")
MODEL = {"type": "gru", "layers": 1, "width": 8, "normalization": "layer", "dropout": 0.2}


def split_of(config: RecipeConfig, prepared: Path, features: Path, name: str) -> Split:
    return Dataset(prepared, features).split(name, config.features)


def recipe(**sections: object) -> RecipeConfig:
    training = {"loss": "ctc", "epochs": 2, "patience": 9, "batch_size": 600, "schedule": {"type": "constant"}}
    training |= sections.pop("training", {})  # type: ignore[arg-type]
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "targets": {"phone_set": "timit48", "states": 1},
            "model": MODEL,
            "training": training,
            **sections,
        }
    )


def without_times(cut: MonoCut, phones: Iterable[str] | None = None) -> MonoCut:
    """The cut with its own phones, or others, and no time of any."""
    spoken = cut.supervisions[0]
    spoken.custom = {"phones": " ".join(phone_sequence(cut) if phones is None else phones)}
    spoken.alignment = None
    return cut


def change(prepared: Path, change: Callable[[int, MonoCut], MonoCut], splits: Iterable[str] = ("train", "dev")) -> None:
    for split in splits:
        path = prepared / f"{split}.cuts.jsonl.gz"
        write_cuts(path, [change(number, cut) for number, cut in enumerate(list(read_cuts(path)))])


def test_minibatches_have_the_phones_of_their_utterances(prepared: Path, features: Path) -> None:
    config = recipe()
    speech = load_speech(config, split_of(config, prepared, features, "train"), 0, CPU)
    batching = UtteranceBatching(speech)
    names = config.class_names
    cuts = {cut.id: cut for cut in read_cuts(prepared / "train.cuts.jsonl.gz")}
    seen = []
    for members in batching.plan(2000, shuffled=True):
        for name, row in zip(batching.utterances(members), batching.batch(members).labels.tolist(), strict=True):
            expected = fold(phone_sequence(cuts[name]), "timit48")
            assert [names[label] for label in row[: len(expected)]] == expected
            assert set(row[len(expected) :]) <= {UNLABELLED}
            seen.append(name)
    assert sorted(seen) == sorted(cuts)


def test_phone_times_change_nothing(prepared: Path, features: Path, tmp_path: Path) -> None:
    config = recipe(decoding={"acoustic_scales": [2.0], "insertion_penalties": [-5.0]}, scoring={"bootstrap": 10})
    errors = []
    for name in ("timed", "untimed"):
        out = tmp_path / name
        train(config, prepared, features, out, CPU)
        decode(config, out / "bundle", prepared, features, out / "decode", CPU)
        test = out / "decode/test"
        errors.append(
            score_files(test / "references.jsonl", test / "hypotheses.jsonl", out / "score", config.scoring, 0)
        )
        change(prepared, lambda _, cut: without_times(cut), ["train", "dev", "test"])
    with pytest.raises(InputError, match="has no phones with times"):
        phone_segments(next(read_cuts(prepared / "train.cuts.jsonl.gz")))
    same = "bundle/model.safetensors", "bundle/classes.tsv", "decode/bundle/lm.arpa", "decode/test/hypotheses.jsonl"
    for name in same:
        assert (tmp_path / "timed" / name).read_bytes() == (tmp_path / "untimed" / name).read_bytes()
    assert errors[0].to_json() == errors[1].to_json()


@pytest.mark.parametrize("search", ["greedy", "prefix_beam"])
def test_decoding_without_a_graph(prepared: Path, features: Path, tmp_path: Path, search: str) -> None:
    decoding = {"search": search, "acoustic_scales": [2.0, 3.0], "insertion_penalties": [-5.0, -4.0], "prefixes": 4}
    config = recipe(decoding=decoding)
    train(config, prepared, features, tmp_path, CPU)
    decode(config, tmp_path / "bundle", prepared, features, tmp_path / "decode", CPU)
    trials = read_json(tmp_path / "decode/tuning.json")["trials"]
    assert len(trials) == (1 if search == "greedy" else 4)
    hypotheses = list(read_transcripts(tmp_path / "decode/test/hypotheses.jsonl"))
    assert any(hypothesis.phones for hypothesis in hypotheses)
    recognizer = Recognizer(tmp_path / "decode/bundle")
    assert isinstance(recognizer.decoder.search, GreedySearch if search == "greedy" else PrefixBeamSearch)
    for phone in recognizer.transcribe(str(hypotheses[0].audio)).phones:
        assert phone.score is not None
        assert 0 <= phone.score <= 1


def test_frames_are_decoded_in_a_graph_alone() -> None:
    with pytest.raises(ValueError, match=r"decoding\.search: greedy needs training\.loss: ctc"):
        recipe(training={"loss": "cross_entropy"}, decoding={"search": "greedy"})


def test_figures_of_an_epoch_have_their_right_names(prepared: Path, features: Path, tmp_path: Path) -> None:
    train(recipe(), prepared, features, tmp_path, CPU)
    for row in read_jsonl(tmp_path / "metrics.jsonl"):
        assert {"train_loss", "dev_loss", "dev_phone_error"} < set(row)
        assert not [name for name in row if "frame_error" in name or name == "train_phone_error"]


@pytest.mark.parametrize("augmentation", [{}, {"speed": [0.9, 1.1], "spec_augment": {}}], ids=["plain", "augmented"])
def test_stopped_training_goes_on_to_the_same_bits(
    prepared: Path, features: Path, tmp_path: Path, augmentation: dict[str, object]
) -> None:
    def weights(out: Path, epochs: int, resident: bool) -> bytes:
        training = {"epochs": epochs, "moving_average": 0.9, "clip_gradient": 1.0, "resident": resident}
        train(recipe(training=training, augmentation=augmentation), prepared, features, out, CPU)
        return (out / "bundle/model.safetensors").read_bytes()

    whole = weights(tmp_path / "whole", 3, resident=True)
    weights(tmp_path / "parts", 1, resident=False)
    assert weights(tmp_path / "parts", 3, resident=False) == whole


def test_utterances_too_short_for_their_phones_are_named_and_left_out(
    prepared: Path, features: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At half the frame rate n phones need 2 n - 1 frames, and 4 n - 3 where all are the same."""
    frames = load_speech(recipe(), split_of(recipe(), prepared, features, "train"), 0, CPU).lengths.tolist()
    different, equal = ["aa", "b"] * (frames[0] // 4 + 2), ["aa"] * (frames[1] // 4 + 2)
    fits = ["aa", "b"] * (frames[2] // 4)
    spoken = {0: different, 1: equal, 2: fits}
    change(prepared, lambda number, cut: without_times(cut, spoken.get(number)), ["train"])
    model = {"type": "crdnn", "filters": [2], "recurrent_layers": 1, "recurrent_width": 4, "width": 4, "subsampling": 2}
    train(recipe(model=model, training={"epochs": 1}), prepared, features, tmp_path / "out", CPU)
    names = [cut.id for cut in read_cuts(prepared / "train.cuts.jsonl.gz")]
    assert f"train: 2 of {len(names)} utterances are too short for CTC: {names[0]}, {names[1]}" in caplog.messages
    left_out = read_json(tmp_path / "out/summary.json")["skipped"]
    assert [(row["split"], row["utterance"]) for row in left_out] == [("train", names[0]), ("train", names[1])]
    (row,) = read_jsonl(tmp_path / "out/metrics.jsonl")
    assert row["train_loss"] < 1e3


def test_no_utterance_long_enough_is_an_error(prepared: Path, features: Path, tmp_path: Path) -> None:
    change(prepared, lambda _, cut: without_times(cut, ["aa"] * 5000), ["train"])
    with pytest.raises(InputError, match="train has no utterance with as many frames as CTC needs"):
        train(recipe(), prepared, features, tmp_path / "out", CPU)


def test_utterances_too_short_at_a_speed_keep_theirs(prepared: Path, features: Path) -> None:
    config = recipe(augmentation={"speed": [2.0]})
    frames = load_speech(config, split_of(config, prepared, features, "train"), 0, CPU).lengths.tolist()
    change(prepared, lambda n, cut: without_times(cut, ["aa", "b"] * (frames[n] // 3) if n == 0 else None), ["train"])
    speech = load_speech(config, split_of(config, prepared, features, "train"), 0, CPU)
    faster = EpochSpeech(config, speech, split_of(config, prepared, features, "train"), CPU)(0)
    assert faster.lengths[0] == frames[0]
    assert all(length < 0.6 * before for length, before in zip(faster.lengths.tolist()[1:], frames[1:], strict=True))
    batch = UtteranceBatching(faster).batch(torch.arange(len(frames)))
    assert torch.equal(batch.labels, UtteranceBatching(speech).batch(torch.arange(len(frames))).labels)


def test_a_model_of_a_fixed_window_and_the_learning_rate_sweep(prepared: Path, features: Path, tmp_path: Path) -> None:
    config = recipe(model={"type": "dnn", "layers": 1, "width": 16, "context": 2})
    sweep = sweep_learning_rates(config, prepared, features, tmp_path, CPU)
    assert sweep.rates[0] < sweep.suggested < sweep.rates[-1]


def test_a_run_from_the_corpus_to_the_report_and_a_recording(
    tiny_recipe: Path, tiny_corpus: Path, tmp_path: Path, asr_command: Command
) -> None:
    settings = {"loss": "ctc", "epochs": 2, "batch_size": 600}
    run = tmp_path / "run"
    outcome = asr_command(
        "run", tiny_recipe, "--out", run, "--set", f"training={json.dumps(settings)}", "--set",
        f"model={json.dumps(MODEL)}", "--set", "decoding.insertion_penalties=[-2.0]",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert "dev phone error, %" in (run / "report.md").read_text()
    assert read_json(run / "results.json")["skipped"] == 0
    audio = next(tiny_corpus.rglob("*.flac"))
    assert asr_command("transcribe", run, audio, "-o", tmp_path / "out").status == 0
    for transcript in (
        *read_transcripts(run / "decode/test/hypotheses.jsonl"),
        *read_transcripts(tmp_path / "out/transcripts.jsonl"),
    ):
        times = [time for phone in transcript.phones for time in (phone.start, phone.end)]
        assert times == sorted(times)
        assert all(0 <= time <= transcript.duration for time in times)
