"""The weights of a self-supervised encoder, from safetensors with Hugging Face's or torchaudio's names.

Nothing is unpickled. Parts that only pretraining or another task needs (quantizer, output layer, mask) are left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from asr.config import ModelConfig, Wav2Vec2Config
from asr.config.models.encoder_folder import CONFIG, is_hugging_face, read_config
from asr.errors import InputError
from asr.models.acoustic_model import AcousticModel
from asr.models.self_supervised import SelfSupervisedEncoder
from asr.models.wav2vec2 import Wav2Vec2
from asr.storage.json_files import read_json
from asr.storage.weights import Tensors, read_weights

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
WHOLE_MODELS = ("model.", "wav2vec2.", "hubert.", "wavlm.")
"""What a name begins with where the encoder is a part of a model: one with an output layer, or one in pretraining."""
HUGGING_FACE = {"encoder.": "transformer."}
TORCHAUDIO = {"encoder.transformer.": "transformer.", "encoder.feature_projection.": "feature_projection."}
"""How the names of both begin, and ours."""
POSITIONS = "transformer.pos_conv_embed.conv."
WEIGHT_NORM = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
"""Magnitude and direction: PyTorch's names before 2.0, and since."""


def load_encoder(model: AcousticModel, config: ModelConfig) -> None:
    """Loads the weights in the folder that `model.encoder` names into a self-supervised encoder; other models stay.

    Raises InputError without a folder (unless `model.pretrained` brings the weights), for weights that are missing,
    pickled, damaged or of another architecture.
    """
    if not isinstance(model, Wav2Vec2) or not isinstance(config, Wav2Vec2Config):
        return
    if files := encoder_files(config):
        assert config.encoder is not None
        _copy(_our_names(config.encoder, files), model.encoder, config.encoder)


def encoder_files(config: ModelConfig) -> list[Path]:
    """The files of the weights that `load_encoder` reads; none for another model.

    Raises InputError where a self-supervised encoder has no weights, or only pickled ones.
    """
    if not isinstance(config, Wav2Vec2Config):
        return []
    if config.encoder is not None:
        return _files(config.encoder)
    if config.pretrained is None:
        raise InputError("model.encoder: is missing; give the folder of a trained encoder: --set model.encoder=FOLDER")
    return []


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return _shards(folder)
    pickled = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if not pickled:
        raise InputError(f"model.encoder: holds no {WEIGHTS}; copy the encoder's folder again", folder)
    raise InputError(
        "model.encoder: is a pickle, which asr never opens; convert it in Python, in its folder: import torch; from "
        f"safetensors.torch import save_file; save_file(torch.load('{pickled[0]}', weights_only=True), '{WEIGHTS}')",
        folder / pickled[0],
    )


def _shards(folder: Path) -> list[Path]:
    """The files among which the weights are divided."""
    index = read_json(folder / INDEX)
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not all(_is_plain(name) for name in places.values()):
        raise InputError("is damaged; copy the encoder's folder again", folder / INDEX)
    return [folder / name for name in sorted(set(places.values()))]


def _is_plain(name: object) -> bool:
    return isinstance(name, str) and PurePosixPath(name).name == name and name.endswith(".safetensors")


def _our_names(folder: Path, files: Sequence[Path]) -> Tensors:
    """The tensors of an encoder's folder, under the names of `SelfSupervisedEncoder`."""
    hugging_face = is_hugging_face(read_config(folder))
    renamed = HUGGING_FACE if hugging_face else TORCHAUDIO
    tensors: Tensors = {}
    for path in files:
        for name, tensor in read_weights(path).items():
            name = _without(WHOLE_MODELS, name)
            start = next((each for each in renamed if name.startswith(each)), "")
            tensors[renamed.get(start, "") + name.removeprefix(start)] = tensor
    _multiply_weight_norm(tensors)
    if hugging_face and any(name.endswith(".gru_rel_pos_const") for name in tensors):
        _join_products(tensors)
    return tensors


def _without(starts: tuple[str, ...], name: str) -> str:
    for start in starts:
        name = name.removeprefix(start)
    return name


def _multiply_weight_norm(tensors: Tensors) -> None:
    """One weight for magnitude and direction (Salimans & Kingma 2016), of which each tap of the kernel has its own."""
    for magnitude, direction in WEIGHT_NORM:
        if POSITIONS + magnitude in tensors and POSITIONS + direction in tensors:
            size, towards = tensors.pop(POSITIONS + magnitude).float(), tensors.pop(POSITIONS + direction).float()
            norm = torch.linalg.vector_norm(towards, dim=(0, 1), keepdim=True)
            tensors[POSITIONS + "weight"] = towards * (size / norm)


def _join_products(tensors: Tensors) -> None:
    """WavLM's queries, keys and values in one product, as torchaudio has them."""
    for name in [name for name in tensors if name.endswith(".attention.q_proj.weight")]:
        start = name.removesuffix("q_proj.weight")
        for kind in ("weight", "bias"):
            parts = [tensors.pop(f"{start}{each}_proj.{kind}", None) for each in "qkv"]
            present = [part for part in parts if part is not None]
            if len(present) == len(parts):
                tensors[f"{start}attention.in_proj_{kind}"] = torch.cat(present)
            if (output := tensors.pop(f"{start}out_proj.{kind}", None)) is not None:
                tensors[f"{start}attention.out_proj.{kind}"] = output


@torch.no_grad()
def _copy(tensors: Mapping[str, Tensor], encoder: SelfSupervisedEncoder, folder: Path) -> None:
    own = encoder.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            raise InputError(f"model.encoder: its weights lack {name}, which its {CONFIG} asks for", folder)
        if tensors[name].shape != tensor.shape:
            shapes = f"{list(tensors[name].shape)}, not {list(tensor.shape)}"
            raise InputError(f"model.encoder: its {name} is {shapes} as in model.architecture", folder)
        tensor.copy_(tensors[name])
    blocks = {f"transformer.layers.{number}." for number in range(len(encoder.transformer.layers))}
    others = [name for name in tensors if name not in own and name.startswith(("feature_", *blocks))]
    if others:
        raise InputError(f"model.encoder: its weights have {others[0]}, which its {CONFIG} does not mention", folder)
