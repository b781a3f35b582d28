"""A self-supervised encoder (wav2vec 2.0, HuBERT, WavLM) as an acoustic model on waveforms."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import Wav2Vec2Config
from asr.errors import InputError
from asr.models.acoustic_model import AcousticModel, subsampled, valid_frames
from asr.models.fully_connected import fully_connected
from asr.models.self_supervised import SelfSupervisedEncoder, normalized_samples


class LayerWeights(nn.Module):
    """Weights [layers] that are learned, above 0 and with a sum of 1; equal at first."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(layers))

    def forward(self) -> Tensor:
        return self.logits.softmax(dim=0)


class Wav2Vec2(AcousticModel):
    """The encoder, then fully connected layers, from the frames of `features.type: waveform`.

    Of a step of N samples, the encoder's stride (320) is s = stride / N frames: 2 for steps of 10 ms. As of every
    model, the output of T frames has ceil(T / s) frames, and output frame t covers the input frames s t to s t + s - 1.
    Its receptive field (400 samples) is centred on these: there are (400 - 320) / 2 = 40 zeros before the first sample,
    and as many as the last frame needs after the last. Without them, as the encoder was trained, there would be one
    frame fewer, and all of them would be 2.5 ms later than the times that they stand for.

    What the layers on top read has mean 0 and variance 1 in each frame, whichever blocks it is from.

    Raises InputError when the encoder's stride is not a multiple of a frame.
    """

    def __init__(self, config: Wav2Vec2Config, input_dim: int, output_dim: int) -> None:
        super().__init__()
        architecture = config.architecture
        self.stride, self.receptive_samples = architecture.stride, architecture.receptive_field
        if self.stride % input_dim:
            raise InputError(
                f"features.frame_shift: the encoder's step of {self.stride} samples is not a multiple of {input_dim}; "
                f"set it to {1000 * self.stride / architecture.sample_rate:g} ms, or a whole part of that"
            )
        self.subsampling, self.normalizes = self.stride // input_dim, architecture.normalize
        drop = architecture.layer_drop if config.layer_drop is None else config.layer_drop
        self.encoder = SelfSupervisedEncoder(architecture, config.blocks, drop)
        self.encoder.feature_extractor.requires_grad_(config.train_extractor)
        self.layers = LayerWeights(config.blocks + 1) if config.layer == "weighted" else None
        self.network = fully_connected(config, architecture.width, output_dim)

    @property
    def output_layer(self) -> nn.Linear:
        return self.network.output

    @property
    def output_layers(self) -> list[nn.Module]:
        """All layers after the encoder, and the weights of its blocks."""
        weights = [] if self.layers is None else [self.layers]
        return [*super().output_layers, *list(self.network)[:-1], *weights]

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        if features.shape[1] == 0:
            return features.new_zeros(*features.shape[:2], self.network.output.in_features), lengths
        frames = subsampled(lengths, self.subsampling)
        weights = None if self.layers is None else self.layers()
        hidden = self.encoder(self._samples(features, lengths), frames, weights)
        return self.network.hidden(hidden, valid_frames(frames, hidden)), frames

    def _samples(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Frames [B, T, N] -> samples [B, S], zero around each utterance, as `SelfSupervisedEncoder` takes them."""
        inside = valid_frames(lengths, features)[:, :, None].expand_as(features).flatten(1)
        samples = features.flatten(1)
        samples = normalized_samples(samples, inside) if self.normalizes else samples.masked_fill(~inside, 0.0)
        before = (self.receptive_samples - self.stride) // 2
        # Of no negative number: ONNX would round its quotient the other way.
        frames = (features.shape[1] + self.subsampling - 1) // self.subsampling
        size = (frames - 1) * self.stride + self.receptive_samples
        return functional.pad(samples, (before, size - before - samples.shape[1]))
