"""The config.json of a self-supervised encoder's folder, as Hugging Face or torchaudio describe an encoder.

Hugging Face's is the one that its models come with; preprocessor_config.json, where it is there, says whether waveforms
are normalised. torchaudio has no file of its own: here it is the arguments of `torchaudio.models.wav2vec2_model` or
`wavlm_model` by their names, such as a pipeline's `_params`, and `normalize_waveform`, a pipeline's
`_normalize_waveform` (by default true for an extractor with layer normalisation, as in all of torchaudio's).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from asr.config.models.encoder import EncoderArchitecture
from asr.errors import InputError
from asr.storage.json_files import read_json

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"

Settings = Mapping[str, Any]

HUGGING_FACE = {
    "family": "model_type",
    "convolution_bias": "conv_bias",
    "extractor_normalization": "feat_extract_norm",
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "feed_forward": "intermediate_size",
    "layer_norm_first": "do_stable_layer_norm",
    "position_kernel": "num_conv_pos_embeddings",
    "position_groups": "num_conv_pos_embedding_groups",
    "projection_dropout": "feat_proj_dropout",
    "attention_dropout": "attention_dropout",
    "activation_dropout": "activation_dropout",
    "dropout": "hidden_dropout",
    "layer_drop": "layerdrop",
    "position_buckets": "num_buckets",
    "position_distance": "max_bucket_distance",
}
"""Ours and theirs; the defaults of both are the same."""
HUGGING_FACE_WAVEFORMS = {"sample_rate": "sampling_rate", "normalize": "do_normalize"}
HUGGING_FACE_FIXED = {
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
    "feat_proj_layer_norm": True,
    "conv_pos_batch_norm": False,
    "layer_norm_eps": 1e-5,
    "adapter_attn_dim": None,
    "add_adapter": False,
}
"""What no encoder here can do otherwise; a config may leave these out."""
TORCHAUDIO = {
    "convolution_bias": "extractor_conv_bias",
    "width": "encoder_embed_dim",
    "layers": "encoder_num_layers",
    "heads": "encoder_num_heads",
    "feed_forward": "encoder_ff_interm_features",
    "layer_norm_first": "encoder_layer_norm_first",
    "position_kernel": "encoder_pos_conv_kernel",
    "position_groups": "encoder_pos_conv_groups",
    "projection_dropout": "encoder_projection_dropout",
    "attention_dropout": "encoder_attention_dropout",
    "activation_dropout": "encoder_ff_interm_dropout",
    "dropout": "encoder_dropout",
    "layer_drop": "encoder_layer_drop",
}
TORCHAUDIO_WAVLM = {"position_buckets": "encoder_num_buckets", "position_distance": "encoder_max_distance"}


def is_hugging_face(config: Settings) -> bool:
    """Whether a config.json is Hugging Face's, and not torchaudio's."""
    return "model_type" in config


def read_config(folder: Path) -> Settings:
    """An encoder's config.json. Raises InputError when it is missing or of neither kind."""
    path = folder / CONFIG
    if not path.is_file():
        raise InputError(f"holds no {CONFIG}; give a folder with an encoder's {CONFIG} and model.safetensors", folder)
    config = read_json(path)
    if not isinstance(config, dict) or not (is_hugging_face(config) or "extractor_mode" in config):
        raise InputError(
            "describes no encoder: neither Hugging Face's model_type nor torchaudio's extractor_mode is in it", path
        )
    return config


def read_architecture(folder: Path) -> EncoderArchitecture:
    """The architecture of the encoder in a folder. Raises InputError for a file that is missing or damaged, and for an
    encoder of another kind."""
    config, path = read_config(folder), folder / CONFIG
    try:
        values = _hugging_face(config, folder) if is_hugging_face(config) else _torchaudio(config)
        return EncoderArchitecture.model_validate(values)
    except KeyError as error:
        raise InputError(f"{error.args[0]} is missing; copy the encoder's folder again", path) from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "its sizes"
        raise InputError(f"{name} does not describe an encoder: {first['msg']}", path) from error
    except (TypeError, ValueError) as error:
        raise InputError(f"does not describe an encoder: {error}", path) from error


def _hugging_face(config: Settings, folder: Path) -> dict[str, Any]:
    for name, value in HUGGING_FACE_FIXED.items():
        if config.get(name, value) != value:
            raise ValueError(f"{name}: {config[name]!r} is not supported, only {value!r}")
    values = {ours: config[theirs] for ours, theirs in HUGGING_FACE.items() if theirs in config}
    if "conv_dim" in config:
        values["convolutions"] = list(
            zip(config["conv_dim"], config["conv_kernel"], config["conv_stride"], strict=True)
        )
    preprocessor = folder / PREPROCESSOR
    waveforms = read_json(preprocessor) if preprocessor.is_file() else {}
    if not isinstance(waveforms, dict):
        raise ValueError(f"{PREPROCESSOR} next to it is not a JSON object")
    values |= {ours: waveforms[theirs] for ours, theirs in HUGGING_FACE_WAVEFORMS.items() if theirs in waveforms}
    return values


def _torchaudio(config: Settings) -> dict[str, Any]:
    wavlm = "encoder_num_buckets" in config
    normalization = str(config["extractor_mode"]).removesuffix("_norm")
    names = TORCHAUDIO | (TORCHAUDIO_WAVLM if wavlm else {})
    default = EncoderArchitecture.model_fields["convolutions"].default
    return {
        "family": "wavlm" if wavlm else "wav2vec2",
        "normalize": config.get("normalize_waveform", normalization == "layer"),
        "extractor_normalization": normalization,
        "convolutions": config.get("extractor_conv_layer_config") or default,
        **{ours: config[theirs] for ours, theirs in names.items()},
    }
