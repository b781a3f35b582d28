"""Folders of small random encoders, with the file names, settings and weights of Hugging Face or torchaudio."""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor
from torchaudio.models import wav2vec2_model, wavlm_model

from asr.config import EncoderArchitecture

WIDTH, BLOCKS, HEADS, FEED_FORWARD = 16, 2, 4, 24
CONVOLUTIONS = [(8, 10, 5), (8, 3, 2), (8, 3, 2), (8, 3, 2), (8, 3, 2), (8, 2, 2), (8, 2, 2)]
BUCKETS, DISTANCE = 8, 12
POSITIONS = {"encoder_pos_conv_kernel": 8, "encoder_pos_conv_groups": 4}

Family = Literal["wav2vec2", "hubert", "wavlm"]
Tensors = dict[str, Tensor]


def torchaudio_settings(family: Family = "wav2vec2", large: bool = False) -> dict[str, Any]:
    """The arguments of torchaudio's factory: built like Base, or (`large`) like the Large encoders."""
    settings = {
        "extractor_mode": "layer_norm" if large else "group_norm",
        "extractor_conv_layer_config": CONVOLUTIONS,
        "extractor_conv_bias": large,
        "encoder_embed_dim": WIDTH,
        "encoder_projection_dropout": 0.1,
        **POSITIONS,
        "encoder_num_layers": BLOCKS,
        "encoder_num_heads": HEADS,
        "encoder_attention_dropout": 0.1,
        "encoder_ff_interm_features": FEED_FORWARD,
        "encoder_ff_interm_dropout": 0.1,
        "encoder_dropout": 0.1,
        "encoder_layer_norm_first": large,
        "encoder_layer_drop": 0.1,
        "aux_num_out": None,
    }
    positions = {"encoder_num_buckets": BUCKETS, "encoder_max_distance": DISTANCE}
    return settings | (positions if family == "wavlm" else {})


def torchaudio_encoder(family: Family = "wav2vec2", large: bool = False, seed: int = 0) -> torch.nn.Module:
    """torchaudio's model with random weights, none of them at its usual start."""
    torch.manual_seed(seed)
    build = wavlm_model if family == "wavlm" else wav2vec2_model
    model: torch.nn.Module = build(**torchaudio_settings(family, large)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def write_torchaudio_folder(folder: Path, family: Family = "wav2vec2", large: bool = False, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(torchaudio_settings(family, large)))
    save_file(torchaudio_encoder(family, large, seed).state_dict(), folder / "model.safetensors")
    return folder


def write_hugging_face_folder(
    folder: Path,
    family: Family = "wav2vec2",
    large: bool = False,
    task: Literal["none", "ctc", "pretraining"] = "none",
    old_weight_norm: bool = False,
    seed: int = 0,
) -> Path:
    """The same encoder as torchaudio's of this seed, alone or in a model with parts for a `task`."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = hugging_face_names(torchaudio_encoder(family, large, seed).state_dict(), old_weight_norm)
    tensors["masked_spec_embed"] = torch.rand(WIDTH)
    if task != "none":
        tensors = {f"{family}.{name}": tensor for name, tensor in tensors.items()}
    if task == "ctc":
        tensors |= {"lm_head.weight": torch.rand(9, WIDTH), "lm_head.bias": torch.rand(9)}
    elif task == "pretraining":
        tensors |= {"quantizer.codevectors": torch.rand(1, 4, 6), "project_hid.weight": torch.rand(6, WIDTH)}
    save_file(tensors, folder / "model.safetensors")
    config = {
        "model_type": family,
        "conv_dim": [dim for dim, _, _ in CONVOLUTIONS],
        "conv_kernel": [kernel for _, kernel, _ in CONVOLUTIONS],
        "conv_stride": [stride for _, _, stride in CONVOLUTIONS],
        "conv_bias": large,
        "feat_extract_norm": "layer" if large else "group",
        "feat_extract_activation": "gelu",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": HEADS,
        "intermediate_size": FEED_FORWARD,
        "do_stable_layer_norm": large,
        "num_conv_pos_embeddings": POSITIONS["encoder_pos_conv_kernel"],
        "num_conv_pos_embedding_groups": POSITIONS["encoder_pos_conv_groups"],
        "layer_norm_eps": 1e-5,
        "vocab_size": 9,
    }
    if family == "wavlm":
        config |= {"num_buckets": BUCKETS, "max_bucket_distance": DISTANCE}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": large, "sampling_rate": 16000}))
    return folder


def hugging_face_names(tensors: Tensors, old_weight_norm: bool = False) -> Tensors:
    """torchaudio's tensors under Hugging Face's names."""
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        name = name.replace("encoder.feature_projection.", "feature_projection.")
        name = name.replace("encoder.transformer.", "encoder.")
        if old_weight_norm:
            name = name.replace("parametrizations.weight.original0", "weight_g")
            name = name.replace("parametrizations.weight.original1", "weight_v")
        start, joined, kind = name.partition("attention.attention.in_proj_")
        if joined:
            renamed |= {
                f"{start}attention.{q}_proj.{kind}": part for q, part in zip("qkv", tensor.chunk(3), strict=True)
            }
        else:
            renamed[name.replace("attention.attention.out_proj", "attention.out_proj")] = tensor
    return {name: tensor.contiguous().clone() for name, tensor in renamed.items()}


SMALL = {"width": WIDTH, "layers": BLOCKS, "heads": HEADS, "feed_forward": FEED_FORWARD, "convolutions": CONVOLUTIONS}
SMALL |= {"position_kernel": 8, "position_groups": 4, "position_buckets": BUCKETS, "position_distance": DISTANCE}
LARGE = {"extractor_normalization": "layer", "convolution_bias": True, "layer_norm_first": True}
ARCHITECTURES = {
    "base": EncoderArchitecture.model_validate(SMALL),
    "large": EncoderArchitecture.model_validate(SMALL | LARGE),
    "wavlm_base": EncoderArchitecture.model_validate(SMALL | {"family": "wavlm"}),
    "wavlm_large": EncoderArchitecture.model_validate(SMALL | LARGE | {"family": "wavlm"}),
}
"""Architectures as of the folders, with all that differs between Base and Large encoders."""
