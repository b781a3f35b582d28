"""The second output of a CTC model: a frame of features for each, blind to padding, and nothing else changes."""

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from asr.config import (
    CnnConfig,
    ConformerConfig,
    CrdnnConfig,
    DnnConfig,
    GruConfig,
    ModelConfig,
    TdnnConfig,
    TimingConfig,
)
from asr.models import AcousticModel, build, timing_network

pytestmark = pytest.mark.usefixtures("double_precision")

CRDNN = {"filters": [2], "recurrent_layers": 1, "recurrent_width": 4, "layers": 1, "width": 5}
MODELS: list[ModelConfig] = [
    DnnConfig(layers=1, width=6, context=2),
    CnnConfig.model_validate(
        {"context": 2, "layers": 1, "width": 6, "convolutions": [{"filters": 2, "kernel": [3, 2]}]}
    ),
    GruConfig(layers=1, width=4),
    *(CrdnnConfig.model_validate(CRDNN | {"subsampling": factor}) for factor in (1, 2, 3, 4)),
    ConformerConfig(filters=2, layers=1, width=8, heads=2, feed_forward=6, kernel=3, subsampling=3),
    TdnnConfig(dilations=[1], width=6, subsampling=4),
]


def timed(config: ModelConfig) -> AcousticModel:
    model = build(config, 8, 5)
    model.timing = build(timing_network(TimingConfig(width=6)), 8, 7)
    return model.eval()


@pytest.mark.parametrize("config", MODELS, ids=lambda config: f"{config.type}{getattr(config, 'subsampling', 1)}")
def test_each_frame_of_features_is_classified_whatever_is_in_the_padding(config: ModelConfig) -> None:
    model = timed(config)
    sizes = [20, 7, 1, 18]
    utterances = [torch.randn(size, 8) for size in sizes]
    padded = pad_sequence([*utterances, torch.empty(23, 8)], batch_first=True, padding_value=float("nan"))[:-1]
    logits, lengths, timing = model.forward_timed(padded, torch.tensor(sizes))
    plain, plain_lengths = model(padded, torch.tensor(sizes))
    assert timing.shape == (4, 23, 7)
    assert torch.equal(lengths, plain_lengths)
    for row, same, of_time, utterance, length in zip(logits, plain, timing, utterances, lengths, strict=True):
        torch.testing.assert_close(row[:length], same[:length], rtol=0, atol=1e-12)
        alone, _, timing_alone = model.forward_timed(utterance[None], torch.tensor([len(utterance)]))
        torch.testing.assert_close(row[:length], alone[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(of_time[: len(utterance)], timing_alone[0], rtol=1e-10, atol=1e-10)


def test_no_frames_have_no_scores() -> None:
    model = timed(TdnnConfig(dilations=[1], width=6, subsampling=3))
    assert model.forward_timed(torch.zeros(2, 0, 8), torch.zeros(2, dtype=torch.long))[2].shape == (2, 0, 7)


def test_without_a_second_output_a_model_has_the_layers_and_weights_of_before() -> None:
    config = GruConfig(layers=1, width=4)
    torch.manual_seed(3)
    plain = build(config, 8, 5)
    torch.manual_seed(3)
    second = timed(config)
    assert all(torch.equal(second.state_dict()[name], tensor) for name, tensor in plain.state_dict().items())
    assert {name.split(".")[0] for name in second.state_dict().keys() - plain.state_dict().keys()} == {"timing"}
    assert plain.output_layers == [plain.output_layer]
    assert second.output_layers == [second.output_layer, second.timing]


def test_it_reads_four_frames_of_features_on_each_side_and_no_encoder() -> None:
    model = timed(GruConfig(layers=1, width=4))
    features, lengths = torch.randn(1, 19, 8), torch.tensor([19])
    changed = features.clone()
    changed[0, 9] += 1
    differs = (model.forward_timed(features, lengths)[2] != model.forward_timed(changed, lengths)[2]).any(dim=2)
    assert differs[0].nonzero()[:, 0].tolist() == list(range(5, 14))
