"""Encoders' folders, with Hugging Face's or torchaudio's names: the same scores as torchaudio's own model."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.models.encoder_folder import (
    ARCHITECTURES,
    torchaudio_encoder,
    write_hugging_face_folder,
    write_torchaudio_folder,
)
from torch import Tensor
from torch.nn import functional

from asr.config import DnnConfig, Wav2Vec2Config
from asr.errors import InputError
from asr.models import build
from asr.models.encoder_weights import encoder_files, load_encoder
from asr.models.self_supervised import SelfSupervisedEncoder

FRAMES = 9
each_encoder = pytest.mark.parametrize(
    ("family", "large"), [(family, large) for family in ("wav2vec2", "hubert", "wavlm") for large in (False, True)]
)


def samples() -> Tensor:
    return torch.randn(1, (FRAMES - 1) * 320 + 400, generator=torch.Generator().manual_seed(1))


def encoder_of(folder: Path, **settings: object) -> SelfSupervisedEncoder:
    config = Wav2Vec2Config.model_validate({"encoder": folder, **settings})
    model = build(config, 160, 5).eval()
    load_encoder(model, config)
    return model.encoder


def output(encoder: SelfSupervisedEncoder) -> Tensor:
    with torch.no_grad():
        return encoder(samples(), torch.tensor([FRAMES]))


def torchaudio_output(family: str, large: bool) -> Tensor:
    with torch.no_grad():
        hidden = torchaudio_encoder(family, large)(samples())[0]
    return functional.layer_norm(hidden, hidden.shape[-1:])


@each_encoder
@pytest.mark.parametrize("task", ["none", "ctc", "pretraining"])
@pytest.mark.parametrize("old_weight_norm", [False, True])
def test_reads_hugging_faces_folders(
    tmp_path: Path, family: str, large: bool, task: str, old_weight_norm: bool
) -> None:
    write_hugging_face_folder(tmp_path, family, large, task, old_weight_norm)
    encoder = encoder_of(tmp_path)
    assert encoder.architecture.normalize == large
    torch.testing.assert_close(output(encoder), torchaudio_output(family, large), rtol=0, atol=1e-5)


@each_encoder
@pytest.mark.parametrize("inside", ["", "model.", "wav2vec2."])
def test_reads_torchaudios_names(tmp_path: Path, family: str, large: bool, inside: str) -> None:
    write_torchaudio_folder(tmp_path, family, large)
    weights = tmp_path / "model.safetensors"
    save_file({inside + name: tensor for name, tensor in load_file(weights).items()}, weights)
    encoder = encoder_of(tmp_path)
    assert encoder.architecture.normalize == large, "as in all of torchaudio's pipelines"
    torch.testing.assert_close(output(encoder), torchaudio_output(family, large), rtol=0, atol=1e-5)


def test_the_architecture_is_that_of_the_folder(tmp_path: Path) -> None:
    for name, family, large in (("base", "wav2vec2", False), ("wavlm_large", "wavlm", True)):
        read = Wav2Vec2Config(encoder=write_hugging_face_folder(tmp_path, family, large)).architecture
        expected = ARCHITECTURES[name].model_copy(update={"normalize": large})
        if family != "wavlm":
            update = {"position_buckets": 320, "position_distance": 800}
            expected = expected.model_copy(update=update)
        assert read == expected


def test_a_recipe_that_was_written_needs_the_folder_no_more(tmp_path: Path) -> None:
    folder = write_hugging_face_folder(tmp_path / "encoder")
    written = Wav2Vec2Config(encoder=folder).model_dump(mode="json")
    folder.rename(tmp_path / "elsewhere")
    assert (
        Wav2Vec2Config.model_validate(written).architecture
        == Wav2Vec2Config(encoder=tmp_path / "elsewhere").architecture
    )
    assert Wav2Vec2Config.model_validate(written).portable().encoder is None  # type: ignore[attr-defined]


def test_reads_the_first_blocks_alone(tmp_path: Path) -> None:
    write_hugging_face_folder(tmp_path, large=True)
    assert len(encoder_of(tmp_path, layer=1).transformer.layers) == 1


def test_reads_weights_in_several_files_and_in_half_precision(tmp_path: Path) -> None:
    write_hugging_face_folder(tmp_path)
    whole = output(encoder_of(tmp_path))
    weights = tmp_path / "model.safetensors"
    tensors = {name: tensor.bfloat16() for name, tensor in load_file(weights).items()}
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    weights.unlink()
    for file, members in parts.items():
        save_file({name: tensors[name] for name in members}, tmp_path / file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file, each in parts.items() for name in each}}))
    assert encoder_files(Wav2Vec2Config(encoder=tmp_path)) == [tmp_path / name for name in parts]
    assert (output(encoder_of(tmp_path)) - whole).abs().max() < 0.1
    index.write_text(json.dumps({"weight_map": {"a": "../model-1.safetensors"}}))
    with pytest.raises(InputError, match=r"index\.json: is damaged"):
        encoder_of(tmp_path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    write_hugging_face_folder(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError) as error:
        encoder_of(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'pytorch_model.bin'}: model.encoder: is a pickle, which asr never")
    command = re.search(r"in its folder: (.*)$", str(error.value))
    assert command is not None
    tensors = {name: tensor.clone() for name, tensor in load_file(tmp_path / "pytorch_model.bin").items()}
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    names = {"torch.load('": f"torch.load('{tmp_path}/", "'model.safetensors'": f"'{tmp_path}/model.safetensors'"}
    code = command[1]
    for old, new in names.items():
        code = code.replace(old, new)
    exec(code)  # what the message says does what it says
    torch.testing.assert_close(output(encoder_of(tmp_path)), torchaudio_output("wav2vec2", False), rtol=0, atol=1e-5)


def test_a_folder_without_weights_or_of_other_sizes(tmp_path: Path) -> None:
    write_hugging_face_folder(tmp_path)
    config = Wav2Vec2Config(encoder=tmp_path)
    weights = tmp_path / "model.safetensors"
    tensors = load_file(weights)

    def error_of(changed: dict[str, Tensor]) -> str:
        save_file(changed, weights)
        with pytest.raises(InputError) as error:
            encoder_of(tmp_path)
        return str(error.value)

    bias = "feature_projection.projection.bias"
    without = {name: tensor for name, tensor in tensors.items() if name != bias}
    assert f"its weights lack {bias}" in error_of(without)
    assert f"its {bias} is [3], not [16] as in model.architecture" in error_of(tensors | {bias: torch.zeros(3)})
    more = "feature_extractor.conv_layers.0.conv.bias"
    assert f"its weights have {more}, which its config.json does not" in error_of(tensors | {more: torch.zeros(8)})
    assert "weights that are not finite numbers" in error_of(tensors | {bias: torch.full((16,), float("nan"))})
    weights.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InputError, match="missing or damaged"):
        load_encoder(build(config, 160, 5), config)
    weights.unlink()
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        load_encoder(build(config, 160, 5), config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "wav2vec2-conformer"}, "family does not describe an encoder"),
        ({"hidden_act": "relu"}, "hidden_act: 'relu' is not supported, only 'gelu'"),
        ({"add_adapter": True}, "add_adapter: True is not supported"),
        ({"conv_kernel": [10, 3]}, "does not describe an encoder: zip"),
        ({"hidden_size": 10**9}, "width does not describe an encoder"),
        ({"num_attention_heads": 5}, r"width \(16\) must be a multiple of heads \(5\)"),
        ({"model_type": None}, "family does not describe an encoder"),
    ],
)
def test_an_encoder_that_cannot_be_built(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    write_hugging_face_folder(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ValueError, match=rf"config\.json: .*{message}"):
        Wav2Vec2Config(encoder=tmp_path)


def test_a_folder_without_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"encoder: .*: holds no config\.json"):
        Wav2Vec2Config(encoder=tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ValueError, match="describes no encoder"):
        Wav2Vec2Config(encoder=tmp_path)


def test_training_from_nothing_is_refused() -> None:
    config = Wav2Vec2Config(architecture=ARCHITECTURES["base"])
    with pytest.raises(InputError, match=r"^model\.encoder: is missing; give the folder of a trained encoder"):
        load_encoder(build(config, 160, 5), config)
    load_encoder(build(DnnConfig(layers=0), 4, 5), DnnConfig(layers=0))  # other models have none


@each_encoder
def test_as_transformers_computes_it(tmp_path: Path, family: str, large: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    kinds = {"wav2vec2": "Wav2Vec2Model", "hubert": "HubertModel", "wavlm": "WavLMModel"}
    theirs = getattr(transformers, kinds[family]).from_pretrained(write_hugging_face_folder(tmp_path, family, large))
    with torch.no_grad():
        hidden = theirs.eval()(samples()).last_hidden_state
    expected = functional.layer_norm(hidden, hidden.shape[-1:])
    torch.testing.assert_close(output(encoder_of(tmp_path)), expected, rtol=0, atol=1e-5)
