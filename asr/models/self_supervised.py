"""Encoders of the wav2vec 2.0 family, made of torchaudio's layers, so that padding changes no output."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrize import remove_parametrizations
from torchaudio import models as torchaudio_models

from asr.config import EncoderArchitecture
from asr.models.acoustic_model import valid_frames
from asr.models.kernels.gpu import repeatable_attention

EPSILON = 1e-7
"""Added to the variance of samples, as by Hugging Face's Wav2Vec2FeatureExtractor."""


class SelfSupervisedEncoder(nn.Module):
    """Convolutions over samples, then blocks of self-attention (Baevski et al. 2020; HuBERT: Hsu et al. 2021; WavLM:
    Chen et al. 2022).

    The layers and their names are torchaudio's; only the way through them is ours, as torchaudio's would let padding
    into the group normalisation, takes no lengths for WavLM, and skips blocks by a number that the host draws. The
    weight normalisation of the positions' convolution is multiplied out, which changes no output.
    """

    feature_extractor: Any
    feature_projection: Any
    transformer: Any

    def __init__(self, architecture: EncoderArchitecture, blocks: int, layer_drop: float) -> None:
        """Keeps the first `blocks` blocks only."""
        super().__init__()
        self.architecture, self.layer_drop = architecture, layer_drop
        model = _build(architecture, blocks)
        self.feature_extractor = model.feature_extractor
        self.feature_projection = model.encoder.feature_projection
        self.transformer = model.encoder.transformer
        remove_parametrizations(self.transformer.pos_conv_embed.conv, "weight")
        self.normalizes_last = architecture.layer_norm_first and blocks == architecture.layers
        if architecture.layer_norm_first and not self.normalizes_last:
            self.transformer.layer_norm = nn.Identity()  # it follows a block that is left out

    def forward(self, samples: Tensor, lengths: Tensor, weights: Tensor | None = None) -> Tensor:
        """Samples [B, S] of utterances with `lengths` [B] output frames, zero after each utterance -> the last block's
        output [B, T, width], each frame with mean 0 and variance 1.

        S is (T - 1) strides and a receptive field. With `weights` [blocks + 1], the sum, by these weights, of the first
        block's input and all blocks' outputs, which are normalised so.
        """
        x = self.extract(samples, lengths)
        x = self.feature_projection(x).to(samples.dtype)  # sums over blocks are in full precision
        valid = valid_frames(lengths, x)
        x = x.masked_fill(~valid[..., None], 0.0)
        x = x + self.transformer.pos_conv_embed(x)
        if self.transformer.layer_norm_first:  # torchaudio's name for the opposite of the architecture's
            x = self.transformer.layer_norm(x)
        x = self.transformer.dropout(x)
        total = None if weights is None else weights[0] * _normalized(x)
        masks, bias = self._masks(valid, x.dtype), None
        for number, block in enumerate(self.transformer.layers, 1):
            with repeatable_attention(x):
                output, bias = block(x, position_bias=bias, **masks)
            x = self._unless_dropped(output.to(x.dtype), x)
            if number == len(self.transformer.layers) and self.normalizes_last:
                x = self.transformer.layer_norm(x)
            if total is not None and weights is not None:
                total = total + weights[number] * _normalized(x)
        return _normalized(x) if total is None else total

    def extract(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """The output of the convolutions: samples [B, S] -> [B, T, maps]."""
        architecture = self.architecture
        used = (lengths - 1) * architecture.stride + architecture.receptive_field
        x = samples[:, None]
        for block in self.feature_extractor.conv_layers:
            x = block.conv(x)
            used = torch.div(used - block.kernel_size, block.stride, rounding_mode="floor") + 1
            if isinstance(block.layer_norm, nn.GroupNorm):
                x = normalized_over_time(x, used, block.layer_norm)
            elif block.layer_norm is not None:
                x = block.layer_norm(x)
            x = functional.gelu(x)
        return x.transpose(1, 2)

    def _masks(self, valid: Tensor, dtype: torch.dtype) -> dict[str, Tensor]:
        """What keeps a block's attention inside the utterances, from `valid` [B, T]."""
        if self.architecture.family == "wavlm":
            return {"key_padding_mask": torch.zeros_like(valid, dtype=dtype).masked_fill(~valid, -torch.inf)}
        return {"attention_mask": valid[:, None, None, :].expand(-1, 1, valid.shape[1], -1)}

    def _unless_dropped(self, output: Tensor, x: Tensor) -> Tensor:
        """A block's output, or in training sometimes its input x.

        The block is computed in either case: so a CUDA graph can be replayed, and every weight has a gradient.
        """
        if not (self.training and self.layer_drop):
            return output
        return torch.where(torch.rand((), device=x.device) < self.layer_drop, x, output)


def normalized_samples(samples: Tensor, inside: Tensor) -> Tensor:
    """Samples [B, S] with mean 0 and variance 1 over those that are `inside` [B, S]; all others are zero."""
    count = inside.sum(dim=1, keepdim=True)
    mean = samples.masked_fill(~inside, 0.0).sum(dim=1, keepdim=True) / count
    centred = (samples - mean).masked_fill(~inside, 0.0)
    return centred * (centred.square().sum(dim=1, keepdim=True) / count + EPSILON).rsqrt()


def normalized_over_time(x: Tensor, lengths: Tensor, layer: nn.GroupNorm) -> Tensor:
    """Group normalisation with a group for each map of x [B, maps, T], by the statistics of the first `lengths` [B]
    frames of each utterance; frames after them are the layer's bias."""
    x, count = x.float() if x.dtype == torch.bfloat16 else x, lengths[:, None, None]
    outside = ~valid_frames(lengths, x.transpose(1, 2))[:, None]
    mean = x.masked_fill(outside, 0.0).sum(dim=2, keepdim=True) / count
    centred = (x - mean).masked_fill(outside, 0.0)
    variance = centred.square().sum(dim=2, keepdim=True) / count
    return centred * ((variance + layer.eps).rsqrt() * layer.weight[:, None]) + layer.bias[:, None]


def _normalized(x: Tensor) -> Tensor:
    """Each frame of x [..., D] with mean 0 and variance 1."""
    return functional.layer_norm(x, x.shape[-1:])


def _build(architecture: EncoderArchitecture, blocks: int) -> Any:
    """torchaudio's model."""
    settings = {
        "extractor_mode": f"{architecture.extractor_normalization}_norm",
        "extractor_conv_layer_config": architecture.convolutions,
        "extractor_conv_bias": architecture.convolution_bias,
        "encoder_embed_dim": architecture.width,
        "encoder_projection_dropout": architecture.projection_dropout,
        "encoder_pos_conv_kernel": architecture.position_kernel,
        "encoder_pos_conv_groups": architecture.position_groups,
        "encoder_num_layers": blocks,
        "encoder_num_heads": architecture.heads,
        "encoder_attention_dropout": architecture.attention_dropout,
        "encoder_ff_interm_features": architecture.feed_forward,
        "encoder_ff_interm_dropout": architecture.activation_dropout,
        "encoder_dropout": architecture.dropout,
        "encoder_layer_norm_first": architecture.layer_norm_first,
        "encoder_layer_drop": 0.0,
        "aux_num_out": None,
    }
    if architecture.family == "wavlm":
        positions = {
            "encoder_num_buckets": architecture.position_buckets,
            "encoder_max_distance": architecture.position_distance,
        }
        return torchaudio_models.wavlm_model(**settings, **positions)
    return torchaudio_models.wav2vec2_model(**settings)
