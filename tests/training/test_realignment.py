"""Rounds of training: on labels from a flat start, from another model, and from the previous round."""

import json
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lhotse import MonoCut
from lhotse.supervision import AlignmentItem
from numpy.testing import assert_allclose
from pydantic import ValidationError
from support.models.small_bundle import peaked, small_bundle

from asr.acoustics.bundle import read_bundle, write_bundle
from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.scored_split import scored_split
from asr.alignment.aligner import AligningModel
from asr.alignment.snapping import snap, spectral_change
from asr.alignment.spoken_cut import spoken_in
from asr.config import RecipeConfig, TargetsConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import phone_segments, phone_sequence, read_cuts, utterance_cut, write_cuts
from asr.decoding.stage import decode
from asr.errors import InputError
from asr.features.dataset import Dataset, Split
from asr.features.stage import extract_folder
from asr.phones.classes import UNLABELLED
from asr.phones.folding import fold, fold_segments
from asr.phones.phone_set import load_phone_set
from asr.runs.run import Run, execute
from asr.scoring.score import score_files
from asr.storage.json_files import read_json, read_jsonl
from asr.training import loop, realignment
from asr.training.data.augmented import EpochSpeech
from asr.training.data.speech import load_speech
from asr.training.realignment import align_cut, read_splits
from asr.training.train import train

CPU = torch.device("cpu")
MODEL = {"type": "dnn", "layers": 1, "width": 32, "context": 2}


def split_of(config: RecipeConfig, prepared: Path, features: Path, name: str) -> Split:
    return Dataset(prepared, features).split(name, config.features)


def recipe(states: int = 3, model: dict[str, object] = MODEL, **training: object) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "targets": {"phone_set": "timit48", "states": states},
            "model": model,
            "training": {"epochs": 2, "batch_size": 128, "schedule": {"type": "constant"}, **training},
            "decoding": {"acoustic_scales": [0.6], "insertion_penalties": [0.0]},
            "scoring": {"bootstrap": 10},
        }
    )


def cuts_of(prepared: Path, split: str) -> list[MonoCut]:
    return list(read_cuts(prepared / f"{split}.cuts.jsonl.gz"))


def forget_times(prepared: Path, *splits: str) -> None:
    for split in splits:
        cuts = cuts_of(prepared, split)
        for cut in cuts:
            cut.supervisions[0].custom = {"phones": " ".join(phone_sequence(cut))}
            cut.supervisions[0].alignment = None
        write_cuts(prepared / f"{split}.cuts.jsonl.gz", cuts)


@pytest.fixture(scope="module")
def two_rounds(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("two") / "train"
    train(recipe(realign=1), tiny_run / "prepare", tiny_run / "features", out, CPU)
    return out


@pytest.mark.parametrize("split", ["train", "dev"])
def test_realigned_labels_keep_the_phones_and_move_their_times(
    prepared: Path, features: Path, two_rounds: Path, split: str
) -> None:
    config, alignments = recipe(), read_splits(two_rounds)[split].alignments
    before = load_speech(config, split_of(config, prepared, features, split), 0, CPU)
    after = load_speech(config, split_of(config, prepared, features, split), 0, CPU, alignments=alignments)
    assert 0.1 < (before.labels != after.labels).float().mean() < 0.9
    assert (after.labels != UNLABELLED).all()
    names = config.class_names
    cuts = {cut.id: cut for cut in cuts_of(prepared, split)}
    assert alignments.keys() == cuts.keys()
    for name, start, length in zip(after.utterances, after.starts, after.lengths, strict=True):
        spoken = fold(phone_sequence(cuts[name]), "timit48")
        assert alignments[name].phones == spoken
        labels = after.labels[start : start + length]
        entered = [labels[0].item(), *(b for a, b in pairwise(labels.tolist()) if a != b)]
        assert [names[label] for label in entered] == [f"{phone}_{state}" for phone in spoken for state in range(3)]


def test_labels_are_the_states_of_the_aligners_best_path(prepared: Path, features: Path, two_rounds: Path) -> None:
    alignments = read_splits(two_rounds)["train"].alignments
    speech = load_speech(recipe(), split_of(recipe(), prepared, features, "train"), 0, CPU, alignments=alignments)
    model = AligningModel(read_bundle(two_rounds / "round-0" / "bundle"))
    numbers = {name: number for number, name in enumerate(speech.utterances)}
    for cut, posteriors in scored_split(model.scorer, Dataset(prepared, features), "train"):
        start, length = speech.starts[numbers[cut.id]], speech.lengths[numbers[cut.id]]
        expected = model.align(posteriors, spoken_in(cut, "timit48")).classes
        assert speech.labels[start : start + length].tolist() == expected.tolist()


def test_each_round_has_its_own_model_priors_and_metrics(two_rounds: Path) -> None:
    first, last = (read_bundle(folder / "bundle") for folder in (two_rounds / "round-0", two_rounds))
    for name in ("priors", "self_loops"):
        assert not np.array_equal(getattr(first.statistics, name), getattr(last.statistics, name))
    for folder in (two_rounds / "round-0", two_rounds):
        assert [row["epoch"] for row in read_jsonl(folder / "metrics.jsonl")] == [1, 2]
    assert read_json(two_rounds / "summary.json") == {"skipped": [], "not_aligned": []}


def test_the_first_round_is_that_of_a_training_without_realignment(
    prepared: Path, features: Path, two_rounds: Path, tmp_path: Path
) -> None:
    train(recipe(flat_start=True, epochs=1), prepared, features, tmp_path / "one", CPU)
    train(recipe(), prepared, features, tmp_path / "one", CPU)
    assert not list((tmp_path / "one/alignments").iterdir())
    for name in ("model.safetensors", "classes.tsv"):
        assert (tmp_path / "one/bundle" / name).read_bytes() == (two_rounds / "round-0/bundle" / name).read_bytes()


def test_at_other_speeds_labels_are_of_the_same_moments(prepared: Path, features: Path, two_rounds: Path) -> None:
    sections = recipe().model_dump() | {"augmentation": {"speed": [0.8]}}
    config = RecipeConfig.model_validate(sections)
    alignments = read_splits(two_rounds)["train"].alignments
    clean = load_speech(config, split_of(config, prepared, features, "train"), 0, CPU, alignments=alignments)
    slow = EpochSpeech(config, clean, split_of(config, prepared, features, "train"), CPU, alignments)(0)
    for number in range(len(clean.utterances)):
        one, other = (
            speech.labels[speech.starts[number] : speech.starts[number] + speech.lengths[number]]
            for speech in (clean, slow)
        )
        centres = (config.features.frame_offset + (torch.arange(len(other)) + 0.5) * 0.01) * 0.8
        frames = ((centres - config.features.frame_offset) / 0.01).long().clamp(0, len(one) - 1)
        assert (other == one[frames]).float().mean() > 0.97  # a moment may lie on a border
        assert other.unique_consecutive().tolist() == one.unique_consecutive().tolist()


class PowerCutError(Exception):
    """Training ends at once, as if it were killed."""


def test_stopped_in_any_round_it_goes_on_to_the_same_bytes(
    tiny_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asr")
    settings = ["training.realign=2", "training.epochs=2", "training.flat_start=true"]
    config = read_recipe(tiny_recipe, settings)
    execute(Run(config, "tiny/dnn", tmp_path / "whole", CPU))
    parts = Run(config, "tiny/dnn", tmp_path / "parts", CPU)
    save = loop.save_checkpoint
    for epoch in (1, 2, 3):  # from the last stop: in the first round, at the end of the second, in the third
        left = [epoch]

        def save_and_stop(*arguments: object, left: list[int] = left) -> None:
            save(*arguments)  # type: ignore[arg-type]
            left[0] -= 1
            if left[0] == 0:
                raise PowerCutError

        with monkeypatch.context() as patched:
            patched.setattr(loop, "save_checkpoint", save_and_stop)
            with pytest.raises(PowerCutError):
                execute(parts)
    assert "epoch 1:" in caplog.text
    caplog.clear()
    with monkeypatch.context() as patched:
        patched.setattr(realignment, "aligning_model", None)  # nothing is left to be aligned
        execute(parts)
    assert "epoch 1:" not in caplog.text
    for path in (tmp_path / "whole/train").rglob("*"):
        if path.is_file() and path.suffix in (".safetensors", ".tsv", ".arpa", ".jsonl", ".yaml"):
            other = tmp_path / "parts" / path.relative_to(tmp_path / "whole")
            if path.name == "metrics.jsonl":
                assert len(list(read_jsonl(path))) == len(list(read_jsonl(other))) == 2
            else:
                assert path.read_bytes() == other.read_bytes(), path
    results = [read_json(tmp_path / name / "results.json") for name in ("whole", "parts")]
    assert [row["round"] for row in results[0]["rounds"]] == [0, 1, 2]
    assert results[0]["rounds"] == results[1]["rounds"]
    assert results[0]["rounds"][-1]["counted"] == results[0]["counted"]
    fewer = read_recipe(tiny_recipe, [*settings, "training.realign=0"])
    execute(Run(fewer, "tiny/dnn", tmp_path / "parts", CPU))
    assert not list((tmp_path / "parts").rglob("round-*"))
    for name in ("train/bundle/model.safetensors", "decode/bundle/lm.arpa"):
        stage, *rest = Path(name).parts
        first = (tmp_path / "whole" / stage / "round-0").joinpath(*rest)
        assert (tmp_path / "parts" / name).read_bytes() == first.read_bytes()


def test_what_each_stage_says_comes_after_the_round_that_it_is_of(
    tiny_recipe: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asr")
    config = read_recipe(tiny_recipe, ["training.realign=1", "training.epochs=1", "decoding.nbest=2"])
    execute(Run(config, "tiny/dnn", tmp_path / "run", CPU))
    for first in ("epoch 1: ", "Tuned on dev: ", "PER "):
        before = [earlier for earlier, message in pairwise(caplog.messages) if message.startswith(first)]
        assert before == ["round 0 of 0 to 1", "round 1 of 0 to 1"], first


def test_an_utterance_that_cannot_be_aligned_keeps_its_labels_and_is_named(
    prepared: Path, features: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asr")
    cuts = cuts_of(prepared, "train")
    items = [AlignmentItem("aa" if number % 2 else "b", number / 1000, 0.001) for number in range(1000)]
    cuts[1].supervisions[0].alignment = {"phone": items}
    write_cuts(prepared / "train.cuts.jsonl.gz", cuts)
    train(recipe(realign=1), prepared, features, tmp_path / "out", CPU)
    assert (
        f"train: 1 of {len(cuts)} utterances cannot be aligned and keep their labels: {cuts[1].id}" in caplog.messages
    )
    assert caplog.messages.index("round 1 of 0 to 1") < next(
        place for place, message in enumerate(caplog.messages) if "cannot be aligned" in message
    )
    (row,) = read_json(tmp_path / "out/summary.json")["not_aligned"]
    assert (row["round"], row["split"], row["utterance"]) == (1, "train", cuts[1].id)
    assert "too few for its phones" in row["reason"]
    alignments = read_splits(tmp_path / "out")["train"].alignments
    before = load_speech(recipe(), split_of(recipe(), prepared, features, "train"), 0, CPU)
    after = load_speech(recipe(), split_of(recipe(), prepared, features, "train"), 0, CPU, alignments=alignments)
    same = [
        torch.equal(before.labels[start : start + length], after.labels[start : start + length])
        for start, length in zip(before.starts, before.lengths, strict=True)
    ]
    assert [name for name, kept in zip(before.utterances, same, strict=True) if kept] == [cuts[1].id]


def test_a_model_that_can_align_nothing_is_an_error(prepared: Path, features: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    train(recipe(), prepared, features, out, CPU)
    bundle = read_bundle(out / "bundle")
    with torch.no_grad():
        for parameter in bundle.model.parameters():
            parameter.fill_(1e38)
    write_bundle(out / "bundle", bundle.config, bundle.model, bundle.statistics, bundle.cmvn)
    with pytest.raises(InputError, match=r"no utterance of train can be aligned; the last: .* not finite"):
        train(recipe(align_with=out / "bundle"), prepared, features, tmp_path / "other", CPU)
    assert not list((tmp_path / "other/alignments").iterdir())


def boundary_errors(folder: Path, cuts: list[MonoCut], phone_set: str) -> float:
    """Mean distance (s) of the boundaries of a round's labels from the corpus's."""
    alignments, errors = read_splits(folder)["train"].alignments, []
    for cut in cuts:
        reference = fold_segments(phone_segments(cut), phone_set)  # type: ignore[arg-type]
        found = alignments[cut.id].segments
        assert [segment.phone for segment in found] == [segment.phone for segment in reference]
        errors += [abs(ours.end - theirs.end) for ours, theirs in zip(found[:-1], reference[:-1], strict=True)]  # type: ignore[operator]
    return float(np.mean(errors))


def test_a_flat_start_without_times_learns_where_the_phones_are(demo_corpus: Path, tmp_path: Path) -> None:
    from asr.corpora.prepare import prepare

    config = RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo", "dir": demo_corpus},
            "targets": {"phone_set": "timit39", "states": 1},
            "model": {"type": "dnn", "layers": 1, "width": 64, "context": 4},
            "training": {
                "epochs": 4, "batch_size": 128, "optimizer": {"learning_rate": 0.003}, "flat_start": True, "realign": 3,
                "schedule": {"type": "cosine", "warmup": 0},
            },
            "decoding": {"acoustic_scales": [0.6], "insertion_penalties": [0.0]},
            "scoring": {"bootstrap": 10},
        }
    )  # fmt: skip
    prepared, features, out = tmp_path / "prepare", tmp_path / "features", tmp_path / "train"
    prepare(config.corpus, prepared)
    timed = cuts_of(prepared, "train")[::8]
    write_cuts(prepared / "train.cuts.jsonl.gz", timed)
    for split in ("dev", "test"):
        write_cuts(prepared / f"{split}.cuts.jsonl.gz", cuts_of(prepared, split)[::8])
    extract_folder(prepared, features, config.features)
    forget_times(prepared, "train", "dev", "test")
    train(config, prepared, features, out, CPU)
    rounds = [out / "round-0", out / "round-1", out]
    errors = [boundary_errors(folder, timed, "timit39") for folder in rounds]
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.6 * errors[0]
    rates = []
    for folder in (out / "round-0", out):
        decode(config, folder / "bundle", prepared, features, folder / "decode", CPU)
        test = folder / "decode/test"
        result = score_files(test / "references.jsonl", test / "hypotheses.jsonl", None, config.scoring)
        rates.append(result.treatments["counted"].counts.per)
    assert rates[1] < rates[0]
    assert rates[1] < 65  # at random it is about 95


def test_first_labels_from_a_model_by_ctc(prepared: Path, features: Path, tmp_path: Path) -> None:
    gru = {"type": "gru", "layers": 1, "width": 8}
    forget_times(prepared, "train", "dev")
    train(recipe(states=1, model=gru, loss="ctc", batch_size=600), prepared, features, tmp_path / "ctc", CPU)
    train(recipe(align_with=tmp_path / "ctc/bundle", realign=1), prepared, features, tmp_path / "out", CPU)
    for folder in (tmp_path / "out/round-0", tmp_path / "out"):
        alignments = read_splits(folder)["train"].alignments
        for cut in cuts_of(prepared, "train"):
            aligned = alignments[cut.id]
            assert aligned.phones == fold(phone_sequence(cut), "timit48")
            assert (aligned.times[0], aligned.times[-1]) == (0, pytest.approx(cut.duration, abs=1e-6))
            assert (np.diff(aligned.times) >= 0).all()
    assert read_bundle(tmp_path / "out/bundle").config.training.align_with is None


@pytest.mark.parametrize("said", [{"custom": {"phones": "aa b"}}, {"untimed_words": [("ob", ["aa", "b"])]}])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(20, 20, "sil aa b sil"), (20, 0, "sil aa b"), (0, 20, "aa b sil"), (0, 0, "aa b")],
)
def test_what_ctc_leaves_blank_at_the_ends_is_silence(
    tmp_path: Path, said: dict[str, Any], before: int, after: int, expected: str
) -> None:
    """Blanks of a fifth of a second, where there is no silence, do not belong to the phone beside them."""
    targets = TargetsConfig(phone_set="timit39", states=3)
    ctc = {"targets": {"phone_set": "timit39", "states": 1}, "training": {"loss": "ctc"}}
    model = AligningModel(small_bundle(tmp_path, features={"snip_edges": False}, **ctc))
    phones = load_phone_set("timit39")
    spoken = [1 + phones.index(phone) for phone in ("aa", "b") for _ in range(10)]
    labels = [0] * before + spoken + [0] * after
    cut = utterance_cut("u", tmp_path / "u.flac", 16000, 160 * len(labels), speaker="s", **said)
    aligned = align_cut(model, peaked(labels, 1 + len(phones), peak=1 - 1e-6), cut, targets)
    assert aligned.phones == expected.split()
    assert (aligned.times[0], aligned.times[-1]) == (0, pytest.approx(cut.duration))
    spans = {segment.phone: (segment.start, segment.end) for segment in aligned.segments}
    assert spans["aa"] == pytest.approx((before / 100, before / 100 + 0.1), abs=0.011)
    assert spans["b"] == pytest.approx((before / 100 + 0.1, before / 100 + 0.2), abs=0.011)


def test_the_model_that_aligns_must_fit(tiny_run: Path, prepared: Path, features: Path, tmp_path: Path) -> None:
    """The tiny run has the phones of timit39."""
    for config, message in [
        (recipe(align_with=tiny_run), r"training\.align_with: has the phones of timit39, not .*timit48"),
        (recipe(align_with=tmp_path), r"training\.align_with: .*holds no model bundle"),
    ]:
        with pytest.raises(InputError, match=message):
            train(config, prepared, features, tmp_path / "out", CPU)
    sections = json.loads(recipe(align_with=tiny_run).model_dump_json())
    sections |= {"features": {"preemphasis": 0.9}, "targets": {"phone_set": "timit39"}}
    with pytest.raises(InputError, match=r"training\.align_with: was trained with a different features\.preemphasis"):
        train(RecipeConfig.model_validate(sections), prepared, features, tmp_path / "out", CPU)


def test_ctc_has_no_labels_to_start_from() -> None:
    with pytest.raises(ValidationError, match="which loss: ctc does not have"):
        recipe(states=1, loss="ctc", flat_start=True)


def test_there_is_one_source_of_first_labels() -> None:
    with pytest.raises(ValidationError, match="flat_start and align_with exclude each other"):
        recipe(flat_start=True, align_with="runs/x")


def test_snapped_labels_change_where_the_features_change(
    prepared: Path, features: Path, two_rounds: Path, tmp_path: Path
) -> None:
    """States keep their shares of their phones."""
    config = recipe(align_with=two_rounds / "bundle", snap=50, epochs=1)
    train(config, prepared, features, tmp_path, CPU)
    train(recipe(align_with=two_rounds / "bundle", epochs=1), prepared, features, tmp_path / "stay", CPU)
    snapped, stayed = (read_splits(folder)["dev"].alignments for folder in (tmp_path, tmp_path / "stay"))
    moved = 0
    for utterance in split_of(config, prepared, features, "dev"):
        after, before = snapped[utterance.cut.id], stayed[utterance.cut.id]
        times = FrameTimes.of(config.features)
        expected = snap(before.edges, spectral_change(utterance.static), times, 0.05)
        assert after.phones == before.phones
        assert_allclose(after.edges, expected, atol=1e-6)
        assert_allclose(after.times, np.interp(before.times, before.edges, expected), atol=1e-6)
        moved += int((abs(after.edges - before.edges) > 0.005).sum())
    assert moved


def test_snapping_needs_alignments_and_spectra(prepared: Path, features: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"set training\.align_with or training\.realign"):
        train(recipe(snap=50), prepared, features, tmp_path, CPU)
    waveform = recipe(realign=1, snap=50).model_dump(exclude_defaults=True) | {"features": {"type": "waveform"}}
    with pytest.raises(ValidationError, match="must be fbank or mfcc"):
        RecipeConfig.model_validate(waveform)
