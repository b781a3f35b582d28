"""The fully connected network (DNN) on spliced frames, with dropout."""

from torch import Tensor, nn

from asr.config import DnnConfig
from asr.features.splicing import splice
from asr.models.acoustic_model import AcousticModel, FrameScorer, hold_last_frame, score_valid_frames
from asr.models.fully_connected import fully_connected


class Dnn(AcousticModel):
    """`layers` hidden layers of `width` units; with none it is a softmax regression."""

    context: int

    def __init__(self, config: DnnConfig, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.context = config.context
        self.batch_normalized = config.normalization == "batch"
        spliced_dim = input_dim * (2 * config.context + 1)
        self.network = fully_connected(config, spliced_dim, output_dim, config.input_dropout)

    @property
    def output_layer(self) -> nn.Linear:
        return self.network.output

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self._apply_to_frames(self.network.hidden, features, lengths), lengths

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self._apply_to_frames(self.network, features, lengths), lengths

    def _apply_to_frames(self, score: FrameScorer, features: Tensor, lengths: Tensor) -> Tensor:
        spliced = splice(hold_last_frame(features, lengths), self.context)
        if self.batch_normalized and self.training:
            return score_valid_frames(score, spliced, lengths)
        return score(spliced)

    def forward_windows(self, windows: Tensor) -> Tensor:
        return self.network(windows.flatten(1))
