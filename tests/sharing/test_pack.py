"""A packed model is small, and recognises as its run does."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.commands.asr_command import Command, snapshot

from asr.acoustics.bundle import Bundle, inherit, read_bundle, write_manifest
from asr.errors import InputError
from asr.lm.arpa import read_arpa
from asr.recognizer import load
from asr.sharing.card import CardChoices, write_card
from asr.sharing.facts import read_facts
from asr.sharing.pack import Packing, pack
from asr.storage.weights import read_weights, save_weights

CHOICES = CardChoices(license="cc-by-4.0")


@pytest.fixture
def packed(tiny_run: Path, tmp_path: Path) -> Path:
    pack(tiny_run, tmp_path / "packed", Packing(half=True), CHOICES)
    return tmp_path / "packed"


def test_half_the_size_and_the_same_phones(tiny_run: Path, packed: Path, tiny_corpus: Path) -> None:
    whole = tiny_run / "decode" / "bundle"
    assert (packed / "model.safetensors").stat().st_size < 0.6 * (whole / "model.safetensors").stat().st_size
    assert (packed / "lm.arpa.gz").stat().st_size < 0.5 * (whole / "lm.arpa").stat().st_size
    audio = sorted(tiny_corpus.rglob("*.flac"))
    found, expected = (load(folder, "cpu").transcribe(audio) for folder in (packed, tiny_run))
    assert [each.symbols for each in found] == [each.symbols for each in expected]


def test_weights_are_read_in_single_precision(tiny_run: Path, packed: Path) -> None:
    model, original = (read_bundle(folder).model.state_dict() for folder in (packed, tiny_run))
    assert {tensor.dtype for tensor in model.values() if tensor.is_floating_point()} == {torch.float32}
    for name, tensor in original.items():
        torch.testing.assert_close(model[name], tensor, rtol=1e-3, atol=1e-6)


def test_as_it_is_without_half(tiny_run: Path, tmp_path: Path) -> None:
    pack(tiny_run, tmp_path / "packed", Packing(), CHOICES)
    model, original = (read_bundle(folder).model.state_dict() for folder in (tmp_path / "packed", tiny_run))
    assert all(torch.equal(model[name], tensor) for name, tensor in original.items())
    assert '"weights": "float32"' in (tmp_path / "packed" / "bundle.json").read_text()


def test_a_language_model_is_pruned(tiny_run: Path, tmp_path: Path) -> None:
    for threshold in (0.0, 0.01):
        pack(tiny_run, tmp_path / "packed", Packing(prune=threshold), CHOICES)
        ngrams = read_arpa(tmp_path / "packed" / "lm.arpa.gz").unpacked()
        original = read_arpa(tiny_run / "decode" / "bundle" / "lm.arpa").unpacked()
        assert (len(ngrams.probabilities) < len(original.probabilities)) == (threshold > 0)


def test_packed_again_it_has_the_same_bytes(tiny_run: Path, packed: Path, tmp_path: Path) -> None:
    first = snapshot(packed)
    pack(tiny_run, packed, Packing(half=True), CHOICES)
    pack(packed, tmp_path / "twice" / "packed", Packing(half=True), CardChoices())
    for again in (snapshot(packed), snapshot(tmp_path / "twice" / "packed")):
        assert {name: again[name] for name in first if not name.startswith(".")} == {
            name: content for name, content in first.items() if not name.startswith(".")
        }


def test_an_ensemble(own_run: Path, tmp_path: Path, tiny_corpus: Path) -> None:
    bundle = own_run / "decode" / "bundle"
    shutil.copytree(bundle, bundle / "ensemble" / "01")
    write_manifest(bundle)
    pack(own_run, tmp_path / "packed", Packing(half=True), CHOICES)
    assert len(read_bundle(tmp_path / "packed").ensemble) == 1
    assert load(tmp_path / "packed", "cpu").transcribe(next(tiny_corpus.rglob("*.flac"))).phones


def test_a_packed_model_goes_through_the_other_commands(
    packed: Path, tiny_run: Path, tmp_path: Path, asr_command: Command
) -> None:
    assert asr_command("doctor", packed).status == 0
    decoded = tmp_path / "decoded"
    assert asr_command("decode", packed, tiny_run / "prepare", tiny_run / "features", decoded, "--no-tune").status == 0
    assert (decoded / "bundle" / "lm.arpa.gz").read_bytes() == (packed / "lm.arpa.gz").read_bytes()
    assert not (decoded / "bundle" / "lm.arpa").exists()


def test_the_exported_model_of_a_packed_one(traced_once: None, packed: Path, tmp_path: Path, tiny_corpus: Path) -> None:
    from asr.export.export import export

    export(packed, tmp_path / "onnx")
    audio = next(tiny_corpus.rglob("*.flac"))
    assert load(tmp_path / "onnx").transcribe(audio).symbols == load(packed, "cpu").transcribe(audio).symbols


def test_with_its_graph_it_runs_without_pytorch(
    traced_once: None, tiny_run: Path, tmp_path: Path, tiny_corpus: Path
) -> None:
    pack(tiny_run, tmp_path / "packed", Packing(half=True, onnx="fp32"), CHOICES)
    audio = next(tiny_corpus.rglob("*.flac"))
    here = load(tmp_path / "packed", "cpu")
    assert isinstance(here.bundle, Bundle)
    code = "import sys; sys.modules['torch'] = None; import asr; print(asr.load(sys.argv[1]).transcribe(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(tmp_path / "packed"), str(audio)]
    elsewhere = subprocess.run(command, capture_output=True, text=True, check=True)
    assert elsewhere.stdout == f"{here.transcribe(audio)}\n"


@pytest.mark.parametrize("name", ["lm.arpa.gz", "model.safetensors"])
def test_a_damaged_file_is_named(packed: Path, name: str) -> None:
    content = bytearray((packed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (packed / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: is not the file that bundle.json lists"):
        load(packed, "cpu")


def test_a_language_model_that_is_cut_off_is_named(packed: Path) -> None:
    path = packed / "lm.arpa.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:500]))
    write_manifest(packed, weights="float16")
    with pytest.raises(InputError, match="cut off"):
        load(packed, "cpu")


def test_weights_that_float16_cannot_hold(own_run: Path, tmp_path: Path) -> None:
    bundle = own_run / "decode" / "bundle"
    tensors = read_weights(bundle / "model.safetensors")
    name = next(iter(tensors))
    tensors[name].flatten()[0] = 1e5
    save_weights(bundle / "model.safetensors", tensors)
    write_manifest(bundle)
    with pytest.raises(InputError, match=f"{name} has weights beyond the range of float16; leave --half out"):
        pack(own_run, tmp_path / "packed", Packing(half=True), CHOICES)


def test_a_folder_of_the_user_s_is_left_alone(tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds files that asr model pack did not write"):
        pack(tiny_run, tmp_path / "mine", Packing(), CHOICES)


def test_an_edited_card_stops_it_before_anything_is_replaced(tiny_run: Path, packed: Path) -> None:
    (packed / "README.md").write_text("# My own words\n")
    before = snapshot(packed)
    with pytest.raises(InputError, match=r"README\.md: was changed since asr model pack wrote it; move it away"):
        pack(tiny_run, packed, Packing(), CHOICES)
    assert snapshot(packed) == before


def test_into_itself(packed: Path) -> None:
    with pytest.raises(InputError, match="is the model itself; choose another OUT"):
        pack(packed, packed, Packing(), CHOICES)


def test_a_model_that_is_not_decoded_yet(tiny_run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no lm\.arpa"):
        pack(tiny_run / "train" / "bundle", tmp_path / "packed", Packing(), CHOICES)


def test_a_model_that_recognises_as_the_one_it_comes_from_has_its_facts(own_run: Path, tmp_path: Path) -> None:
    write_card(own_run, CHOICES)
    timed = Path(shutil.copytree(own_run / "train" / "bundle", tmp_path / "timed"))
    inherit(own_run / "decode" / "bundle", timed)
    pack(timed, tmp_path / "packed", Packing(), CardChoices())
    facts, expected = (read_facts(folder / "card.json") for folder in (tmp_path / "packed", own_run / "decode/bundle"))
    assert (facts.run, facts.license) == (expected.run, "cc-by-4.0")


def test_a_bundle_without_facts(tiny_run: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(tiny_run / "decode" / "bundle", tmp_path / "bundle"))
    with pytest.raises(InputError, match=r"has no card\.json and is not in a finished run"):
        pack(bundle, tmp_path / "packed", Packing(), CHOICES)
