"""Several models as one: the mean of their posteriors, in one bundle; their runs must have the same features."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands.asr_command import Command

from asr import models
from asr.acoustics.bundle import Bundle, read_bundle, write_bundle
from asr.acoustics.bundle_manifest import write_manifest
from asr.acoustics.scorer import AcousticScorer
from asr.alignment.aligner import AligningModel
from asr.config import CrdnnConfig, DecodingConfig, GruConfig
from asr.config.recipe_file import read_recipe
from asr.decoding.stage import read_ensemble
from asr.errors import InputError
from asr.features.cmvn import Cmvn
from asr.recognizer import Recognizer
from asr.report.comparison import read_compared
from asr.runs.folds import find_ensemble, of_fold
from asr.storage.json_files import read_jsonl
from asr.storage.weights import read_weights, save_weights


@pytest.fixture
def other_run(own_run: Path, tmp_path: Path) -> Path:
    """A second run, of a model with other weights."""
    run = Path(shutil.copytree(own_run, tmp_path / "other"))
    for folder in (run / "train" / "bundle", run / "decode" / "bundle"):
        weights = read_weights(folder / "model.safetensors")
        noise = torch.Generator().manual_seed(1)
        other = {name: tensor + 0.3 * torch.randn(tensor.shape, generator=noise) for name, tensor in weights.items()}
        save_weights(folder / "model.safetensors", other)
        write_manifest(folder)
    return run


def decoded(asr_command: Command, run: Path, out: Path, *others: Path) -> None:
    named = json.dumps([str(other) for other in others])
    command = ("decode", run / "train" / "bundle", run / "prepare", run / "features", out)
    outcome = asr_command(*command, "--set", f"decoding.ensemble={named}")
    assert outcome.status == 0, outcome.err


def test_a_bundle_holds_its_ensemble_and_scores_by_the_mean(
    own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    decoded(asr_command, own_run, tmp_path / "out", other_run)
    bundle = Path(shutil.move(tmp_path / "out" / "bundle", tmp_path / "moved"))
    features = np.random.default_rng(0).normal(size=(50, read_bundle(bundle).config.features.dim)).astype(np.float32)
    each = [AcousticScorer(read_bundle(run)).log_posteriors(features) for run in (own_run, other_run)]
    mean = AcousticScorer(read_bundle(bundle)).log_posteriors(features)
    assert np.abs(each[0] - each[1]).max() > 0.1
    np.testing.assert_allclose(np.exp(mean), np.exp(each).mean(axis=0), atol=1e-5)
    assert str(other_run) not in (bundle / "recipe.yaml").read_text()
    aligning, alone = AligningModel(bundle), AligningModel(own_run)
    waveform = np.random.default_rng(0).normal(size=8000).astype(np.float32)
    np.testing.assert_array_equal(
        aligning.audio_scorer.log_posteriors(waveform), alone.audio_scorer.log_posteriors(waveform)
    )


def test_a_model_that_needs_whole_utterances_with_one_that_does_not(own_run: Path) -> None:
    alone = read_bundle(own_run)
    torch.manual_seed(0)
    model = models.build(GruConfig(layers=1, width=8), alone.config.features.dim, len(alone.statistics.priors))
    scorer = AcousticScorer(replace(alone, ensemble=(replace(alone, model=model.eval()),)))
    assert alone.model.context is not None
    assert scorer.context is None
    features = np.random.default_rng(0).normal(size=(30, alone.config.features.dim)).astype(np.float32)
    each = [AcousticScorer(replace(alone, model=one)).log_posteriors(features) for one in (alone.model, model)]
    np.testing.assert_allclose(np.exp(scorer.log_posteriors(features)), np.exp(each).mean(axis=0), atol=1e-5)


def test_an_ensemble_of_ensembles_has_all_models(
    own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    decoded(asr_command, other_run, tmp_path / "two", own_run)
    decoded(asr_command, own_run, tmp_path / "three", tmp_path / "two" / "bundle")
    bundle = read_bundle(tmp_path / "three" / "bundle")
    weights = [each.model.state_dict() for each in (bundle, *bundle.ensemble)]
    name = next(name for name in weights[0] if name.endswith("weight"))
    assert [torch.equal(weights[0][name], each[name]) for each in weights] == [True, False, True]
    write_bundle(bundle.folder, bundle.config, bundle.model, bundle.statistics, bundle.cmvn)
    assert read_bundle(bundle.folder).ensemble == ()


def test_a_bundle_has_the_models_of_its_own_decoding(
    own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    for others in ([own_run, other_run], [other_run], []):
        decoded(asr_command, own_run, tmp_path / "out", *others)
        copied = [path.read_bytes() for path in sorted(tmp_path.glob("out/bundle/ensemble/*/model.safetensors"))]
        assert copied == [(other / "decode" / "bundle" / "model.safetensors").read_bytes() for other in others]


def test_a_model_with_itself_recognises_the_same(
    own_run: Path, tmp_path: Path, asr_command: Command, demo_corpus: Path
) -> None:
    decoded(asr_command, own_run, tmp_path / "out", own_run, own_run)
    audio = next(demo_corpus.rglob("*.flac"))
    alone, three = (Recognizer(path).transcribe(audio) for path in (own_run, tmp_path / "out" / "bundle"))
    assert three.symbols == alone.symbols
    symbols = [
        [[phone["phone"] for phone in row["phones"]] for row in read_jsonl(folder / "test" / "hypotheses.jsonl")]
        for folder in (own_run / "decode", tmp_path / "out")
    ]
    assert symbols[0] == symbols[1]
    decoded(asr_command, own_run, tmp_path / "out")
    assert not (tmp_path / "out" / "bundle" / "ensemble").exists()


def test_an_ensemble_decodes_into_its_own_folder(
    own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command, demo_corpus: Path
) -> None:
    out = tmp_path / "out"
    decoded(asr_command, own_run, out, other_run)
    audio, bundle = next(demo_corpus.rglob("*.flac")), out / "bundle"
    assert asr_command("transcribe", bundle, audio, "--out", tmp_path / "text").status == 0
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    again = asr_command("decode", bundle, own_run / "prepare", own_run / "features", out)
    assert again.status == 0, again.err
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before
    assert "1 already done" in asr_command("transcribe", bundle, audio, "--out", tmp_path / "text").err
    shutil.copyfile(own_run / "train/bundle/model.safetensors", bundle / "ensemble/01/model.safetensors")
    assert "already done" not in asr_command("transcribe", bundle, audio, "--out", tmp_path / "text").err


def test_an_ensemble_retrains_nothing_and_follows_its_models(
    tiny_recipe: Path, own_run: Path, other_run: Path, asr_command: Command
) -> None:
    command = ("run", tiny_recipe, "--out", own_run, "--set", f'decoding.ensemble=["{other_run}"]')
    outcome = asr_command(*command)
    assert outcome.status == 0, outcome.err
    assert "train: up to date" in outcome.err
    assert "decode: running" in outcome.err
    assert "decode: up to date" in asr_command(*command).err
    sizes = [each.parameters for each in read_compared([own_run, other_run])]
    assert sizes[1] is not None
    assert sizes[0] == 2 * sizes[1]
    shutil.copyfile(own_run / "train/bundle/model.safetensors", other_run / "decode/bundle/model.safetensors")
    assert "decode: running" in asr_command(*command).err


def test_models_that_do_not_fit_are_named(
    tiny_recipe: Path, own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    command = ("run", tiny_recipe, "--out", own_run, "--set")
    missing = asr_command(*command, f'decoding.ensemble=["{tmp_path / "nowhere"}"]')
    assert missing.status == 1
    assert missing.err.startswith("asr: decoding.ensemble: ")
    assert str(tmp_path / "nowhere") in missing.err
    itself = asr_command(*command, f'decoding.ensemble=["{own_run}"]')
    assert itself.status == 1
    assert "decoding.ensemble: belongs to this run itself; leave it out" in itself.err
    assert read_bundle(own_run).ensemble == ()
    recipe = other_run / "decode" / "bundle" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("preemphasis: 0.97", "preemphasis: 0.9"))
    foreign = asr_command(*command, f'decoding.ensemble=["{other_run}"]')
    assert foreign.status == 1
    assert "prepare: " not in foreign.err, "reported before a stage runs"
    assert "decoding.ensemble: its settings in features differ; leave it out" in foreign.err
    assert str(other_run) in foreign.err
    assert "Traceback" not in missing.err + foreign.err


@pytest.fixture
def trained(own_run: Path) -> Bundle:
    return read_bundle(own_run / "train" / "bundle")


def read_beside(trained: Bundle, other: Bundle, folder: Path) -> tuple[Bundle, ...]:
    """The ensemble that one model makes with another, which is written to the folder first."""
    write_bundle(folder, other.config, other.model, other.statistics, other.cmvn)
    named = DecodingConfig(ensemble=[folder])
    return read_ensemble(trained.config.model_copy(update={"decoding": named}), trained, torch.device("cpu"))


def test_a_model_of_other_frames_is_left_out(trained: Bundle, own_run: Path, tmp_path: Path) -> None:
    for subsampling in (1, 2):
        model = CrdnnConfig(filters=[2], recurrent_layers=1, recurrent_width=4, layers=0, subsampling=subsampling)
        built = models.build(model, trained.config.features.dim, len(trained.statistics.priors))
        other = replace(trained, config=trained.config.model_copy(update={"model": model}), model=built)
        if subsampling == 1:
            assert len(read_beside(trained, other, tmp_path)) == 1
        else:
            with pytest.raises(InputError, match=r"ensemble: its frames \(model\.subsampling\) differ; leave it out"):
                read_beside(trained, other, tmp_path)


def test_a_model_that_was_normalised_by_other_speech_is_left_out(
    trained: Bundle, own_run: Path, tmp_path: Path
) -> None:
    """The features are normalised once for all models, by the training set of the first."""
    statistics = trained.cmvn.total()
    elsewhere = Cmvn({"": replace(statistics, sum=1.1 * statistics.sum)})
    assert len(read_beside(trained, replace(trained, cmvn=elsewhere), tmp_path)) == 1
    features = trained.config.features.model_copy(update={"cmvn": "global"})
    trained = replace(trained, config=trained.config.model_copy(update={"features": features}))
    assert len(read_beside(trained, trained, tmp_path)) == 1
    with pytest.raises(InputError, match=r"its statistics of the training set .*global\) differ; leave it out"):
        read_beside(trained, replace(trained, cmvn=elsewhere), tmp_path)


def test_a_bundle_whose_models_do_not_fit_is_named(
    own_run: Path, other_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    decoded(asr_command, own_run, tmp_path / "out", other_run)
    inner = tmp_path / "out" / "bundle" / "ensemble" / "01"
    recipe = inner / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("preemphasis: 0.97", "preemphasis: 0.9"))
    with pytest.raises(InputError, match=f"{inner}: its settings in features differ from those of its bundle"):
        read_bundle(tmp_path / "out" / "bundle")


def test_a_fold_takes_the_models_of_its_own_fold(own_run: Path, tmp_path: Path) -> None:
    """One of another fold was trained on this fold's test speakers."""
    folds = tmp_path / "folds"
    named = [f"model.pretrained={folds}", f"training.align_with={own_run}", f'decoding.ensemble=["{folds}"]']
    config = read_recipe(own_run / "recipe.yaml", named)
    for fold in ("fold-1", "fold-2"):
        shutil.copytree(own_run / "decode", folds / fold / "decode")
        own = of_fold(config, fold)
        assert own.model.pretrained == folds / fold
        assert own.training.align_with == own_run
        assert find_ensemble(own, own_run) == [folds / fold / "decode" / "bundle"]
    for setting in named:
        with pytest.raises(InputError, match="has folds, each with its own model; give one fold"):
            of_fold(read_recipe(own_run / "recipe.yaml", [setting.replace(str(own_run), str(folds))]), "")
    missing = of_fold(config.model_copy(update={"decoding": DecodingConfig()}), "fold-3").model.pretrained
    assert missing == folds / "fold-3"  # reported as missing; not the one of another fold
    with pytest.raises(InputError, match="is not a run with a fold-3; its model may know the test speakers"):
        of_fold(config, "fold-3")


@pytest.mark.parametrize("setting", ["model.pretrained", "training.align_with"])
def test_one_folds_model_is_not_that_of_the_others(own_run: Path, tmp_path: Path, setting: str) -> None:
    bundle = own_run / "decode" / "bundle"
    recipe = bundle / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("folds: 1", "folds: 4"))
    config = read_recipe(own_run / "recipe.yaml", [f"{setting}={bundle}"])
    with pytest.raises(InputError, match=f"{setting}: is of one fold, and may know the test speakers"):
        of_fold(config, "fold-2")
    assert of_fold(config, "") == config
