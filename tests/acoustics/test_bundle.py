"""A bundle comes back as it was written, and each broken file in it is one line that names the file."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.commands.asr_command import Command

from asr.acoustics.bundle import (
    copy_bundle,
    find_bundle,
    portable,
    read_bundle,
    write_bundle,
)
from asr.acoustics.bundle_manifest import write_manifest
from asr.config import CorpusConfig, DnnConfig, RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.features.cmvn import Cmvn, Statistics, save_cmvn
from asr.recognizer import Recognizer

FILES = (
    "bundle.json",
    "recipe.yaml",
    "model.safetensors",
    "phones.txt",
    "classes.tsv",
    "cmvn.safetensors",
    "lm.arpa",
    "decoding.yaml",
)


@pytest.fixture
def bundle(own_run: Path) -> Path:
    return own_run / "decode" / "bundle"


def message(path: Path) -> str:
    """The error message for a user who recognises with this bundle."""
    with pytest.raises(InputError) as error:
        Recognizer(path)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_holds_what_it_says_and_nothing_else(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == sorted(FILES)


def test_comes_back_as_it_was_written(bundle: Path, own_run: Path, tmp_path: Path) -> None:
    first = read_bundle(bundle)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "lm.arpa").write_text("of a previous model")
    write_bundle(copy, first.config, first.model, first.statistics, first.cmvn)
    assert sorted(path.name for path in copy.iterdir()) == sorted(FILES[:6])
    for name in FILES[:6]:
        assert (copy / name).read_bytes() == (own_run / "train" / "bundle" / name).read_bytes(), name
    second = read_bundle(copy)
    assert second.config == first.config
    assert np.array_equal(second.statistics.priors, first.statistics.priors)
    assert np.array_equal(second.statistics.self_loops, first.statistics.self_loops)
    assert first.statistics.priors.sum() == pytest.approx(1)
    for name, tensor in first.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name])


def test_paths_of_the_machine_that_trained_stay_there(bundle: Path, own_run: Path, tmp_path: Path) -> None:
    for folder in (bundle, own_run / "train" / "bundle"):
        config = read_bundle(folder).config
        assert (config.corpus.dir, config.model.pretrained) == (None, None)
    assert read_recipe(own_run / "recipe.yaml").corpus.dir is not None
    config = portable(RecipeConfig(corpus=CorpusConfig(name="timit"), model=DnnConfig(pretrained=tmp_path, width=8)))
    assert config.model == DnnConfig(width=8)


def test_the_tuned_values_are_the_bundle_s(bundle: Path) -> None:
    tuned = json.loads((bundle.parent / "tuning.json").read_text())
    tuning = read_bundle(bundle).tuning
    assert (tuning.acoustic_scale, tuning.insertion_penalty) == (tuned["acoustic_scale"], tuned["insertion_penalty"])


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert name in message(bundle)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe nonsense \n\n"])
def test_a_damaged_file_is_named(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    assert name in message(bundle)


@pytest.mark.parametrize("name", [name for name in FILES if name != "recipe.yaml"])  # half a recipe may be a recipe
def test_half_a_file_is_named(bundle: Path, name: str) -> None:
    whole = (bundle / name).read_bytes()
    (bundle / name).write_bytes(whole[: len(whole) // 2])
    assert name in message(bundle)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("classes.tsv", "\t0.", "\t-0."),
        ("classes.tsv", "\t0.", "\tnan #"),
        ("classes.tsv", "aa_0", "zz_0"),
        ("phones.txt", "aa\n", ""),
        ("decoding.yaml", "1.0", "'much'"),
        ("decoding.yaml", "1.0", ".nan"),
        ("decoding.yaml", "acoustic_scale", "scale"),
        ("decoding.yaml", "acoustic_scale: 1.0", "- 1"),
        ("decoding.yaml", "acoustic_scale: 1.0", "acoustic_scale: 0.0"),
        ("decoding.yaml", "lm_weight: 1.0", f"lm_weight: 1{'0' * 400}"),
        ("decoding.yaml", "lm_weight: 1.0", "lm_weight: -1.0"),
        ("decoding.yaml", "posterior_scale: ", "posterior_scale: -"),
        ("decoding.yaml", "posterior_scale: ", "unknown: 1.0\nposterior_scale: "),
        ("lm.arpa", "aa", "zz"),
        ("recipe.yaml", "width:", "breadth:"),
        ("bundle.json", '"schema": 2', '"schema": 1'),
        ("bundle.json", '"schema": 2', '"schema": 4'),
        ("bundle.json", '"schema": 2', '"scheme": 2'),
        ("bundle.json", '"files"', '"file"'),
        ("bundle.json", '"phones.txt"', '"phonez.txt"'),
        ("bundle.json", '"lm.arpa"', '"../lm.arpa"'),
    ],
)
def test_a_wrong_value_is_named(bundle: Path, name: str, old: str, new: str) -> None:
    text = (bundle / name).read_text()
    assert old in text
    (bundle / name).write_text(text.replace(old, new))
    assert name in message(bundle)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("width: 32", "width: 33", "model.safetensors"),
        ("layers: 1", "layers: 2", "model.safetensors"),
        ("bins: 40", "bins: 30", "model.safetensors"),
        ("phone_set: timit39\n  states", "phone_set: timit48\n  states", "phones.txt"),
        ("states: 1", "states: 3", "model.safetensors"),
    ],
)
def test_the_recipe_of_another_model(bundle: Path, old: str, new: str, named: str) -> None:
    text = (bundle / "recipe.yaml").read_text()
    assert old in text
    (bundle / "recipe.yaml").write_text(text.replace(old, new, 1))
    assert named in message(bundle)


def test_statistics_of_other_features(bundle: Path) -> None:
    save_cmvn(bundle / "cmvn.safetensors", Cmvn({"": Statistics(1.0, np.zeros(3), np.ones(3))}))
    write_manifest(bundle)
    assert "cmvn.safetensors: its statistics are not of the 40 features" in message(bundle)


def test_weights_with_a_part_missing(bundle: Path) -> None:
    path = bundle / "model.safetensors"
    weights = load_file(path)
    weights.pop(sorted(weights)[0])
    save_file(weights, path)
    write_manifest(bundle)
    assert "not the weights of the model in recipe.yaml" in message(bundle)


def test_a_model_that_diverged_is_named_when_it_is_read(bundle: Path) -> None:
    path = bundle / "model.safetensors"
    save_file({name: torch.full_like(tensor, torch.nan) for name, tensor in load_file(path).items()}, path)
    write_manifest(bundle)
    assert "model.safetensors: " in message(bundle)
    assert "not finite numbers (NaN or infinity): its training has diverged; train the model again" in message(bundle)


@pytest.mark.parametrize("name", ["model.safetensors", "phones.txt", "classes.tsv", "cmvn.safetensors", "lm.arpa"])
def test_a_flipped_byte_is_named(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    assert f"{name}: is not the file that bundle.json lists (changed or damaged)" in message(bundle)


def test_recipe_and_tuning_may_be_edited(bundle: Path) -> None:
    for name in ("recipe.yaml", "decoding.yaml"):
        (bundle / name).write_text((bundle / name).read_text() + "# mine\n")
    (bundle / "notes.txt").write_text("a note")
    read_bundle(bundle)


def test_a_bundle_without_checksums_can_still_be_read(bundle: Path) -> None:
    (bundle / "bundle.json").write_text('{"schema": 1}')
    read_bundle(bundle)


def test_a_copy_keeps_the_checksums_of_its_original(bundle: Path, own_run: Path, tmp_path: Path) -> None:
    copy_bundle(bundle, tmp_path / "copy", [own_run / "train" / "bundle"])
    assert len(read_bundle(tmp_path / "copy").ensemble) == 1
    (bundle / "classes.tsv").write_text((bundle / "classes.tsv").read_text() + "\n")
    copy_bundle(bundle, tmp_path / "damaged")
    assert "classes.tsv: is not the file" in message(tmp_path / "damaged")


def test_a_lost_model_of_an_ensemble_is_named(bundle: Path, own_run: Path, tmp_path: Path) -> None:
    copy_bundle(bundle, tmp_path / "copy", [own_run / "train" / "bundle"])
    shutil.rmtree(tmp_path / "copy" / "ensemble" / "01")
    assert "ensemble/01/bundle.json: missing" in message(tmp_path / "copy")


def test_a_run_stands_for_its_bundle(own_run: Path, tmp_path: Path) -> None:
    assert find_bundle(own_run) == own_run / "decode" / "bundle"
    folds = tmp_path / "folds"
    shutil.copytree(own_run / "decode", folds / "fold-1" / "decode")
    assert find_bundle(folds) == folds / "fold-1" / "decode" / "bundle"
    with pytest.raises(InputError, match=r"holds no model bundle \(model\.safetensors\); name a bundle or"):
        find_bundle(tmp_path)
    shutil.rmtree(folds / "fold-1" / "decode")
    shutil.copytree(own_run / "train", folds / "fold-1" / "train")
    with pytest.raises(InputError, match=r"folds: is not decoded yet; finish the run, or name .*/fold-1/train/bundle"):
        find_bundle(folds)
    with pytest.raises(InputError, match=r"1: is not decoded yet; finish the run, or name .*/fold-1/train/bundle"):
        find_bundle(folds / "fold-1")


def test_a_bundle_is_decoded_with_the_settings_it_was_trained_with(
    own_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    command = ("decode", own_run / "train/bundle", own_run / "prepare", own_run / "features", tmp_path / "out")
    outcome = asr_command(*command, "--set", "decoding.beam=9")
    assert outcome.status == 0
    assert "beam: 9" in (tmp_path / "out/bundle/recipe.yaml").read_text()
    outcome = asr_command(*command, "--set", "features.bins=30")
    assert outcome.err == (
        f"asr: {own_run / 'train/bundle'}: was trained with other settings in features; train again to change them\n"
    )
