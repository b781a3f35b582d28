"""Self-supervised encoders as acoustic models: lengths, times, padding, the choice of layers, what is trained."""

import pytest
import torch
from support.models.encoder_folder import ARCHITECTURES
from torch import Tensor

from asr.config import EncoderArchitecture, Wav2Vec2Config
from asr.errors import InputError
from asr.models import AcousticModel, build

pytestmark = pytest.mark.usefixtures("double_precision")
STEP = 160
each_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)


def small(
    architecture: EncoderArchitecture = ARCHITECTURES["base"], input_dim: int = STEP, **settings: object
) -> AcousticModel:
    torch.manual_seed(0)
    sizes = {"layers": 1, "width": 6, "architecture": architecture}
    return build(Wav2Vec2Config.model_validate(sizes | settings), input_dim, 5)


def scores_of(model: AcousticModel, *utterances: Tensor) -> list[Tensor]:
    """The scores of utterances [T, D] in one batch, with padding that is not a number."""
    sizes = torch.tensor([len(each) for each in utterances])
    batch = torch.full((len(utterances), int(sizes.max()) + 3, utterances[0].shape[1]), float("nan"))
    for row, each in zip(batch, utterances, strict=True):
        row[: len(each)] = each
    scores, lengths = model(batch, sizes)
    assert lengths.tolist() == [-(-size // model.subsampling) for size in sizes.tolist()]
    return [row[:length] for row, length in zip(scores, lengths.tolist(), strict=True)]


@each_architecture
@pytest.mark.parametrize("layer", ["last", 1, "weighted"])
def test_padding_changes_no_score(architecture: EncoderArchitecture, layer: str | int) -> None:
    """Group normalisation over time and attention included."""
    model = small(architecture, layer=layer).eval()
    utterances = [torch.randn(size, STEP) for size in (20, 7, 1, 18)]
    for together, utterance in zip(scores_of(model, *utterances), utterances, strict=True):
        (alone,) = scores_of(model, utterance)
        torch.testing.assert_close(together, alone, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("step", "subsampling"), [(320, 1), (160, 2), (80, 4)])
def test_any_step_that_divides_the_stride_gives_the_same_scores(step: int, subsampling: int) -> None:
    samples = torch.randn(12 * 320)
    model = small(input_dim=step).eval()
    assert model.subsampling == subsampling
    (scores,) = scores_of(model, samples.view(-1, step))
    torch.testing.assert_close(scores, scores_of(small().eval(), samples.view(-1, STEP))[0])
    with pytest.raises(InputError, match=r"step of 320 samples is not a multiple of 200; set it to 20 ms, or a whole"):
        small(input_dim=200)


def test_an_output_frame_is_centred_on_the_samples_that_it_stands_for() -> None:
    model = small(ARCHITECTURES["large"].model_copy(update={"normalize": False})).eval()
    samples = torch.randn(1, 20, STEP, requires_grad=True)
    inputs: list[Tensor] = []
    model.encoder.feature_projection.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0]))
    model(samples, torch.tensor([20]))
    inputs[0][0, 4].square().sum().backward()
    assert samples.grad is not None
    read = samples.grad.flatten().nonzero().flatten()
    assert (int(read[0]), int(read[-1])) == (4 * 320 - 40, 5 * 320 + 40 - 1)


@each_architecture
def test_level_and_offset_change_nothing_where_waveforms_are_normalised(architecture: EncoderArchitecture) -> None:
    waveform = torch.randn(9, STEP)
    for normalize in (True, False):
        model = small(architecture.model_copy(update={"normalize": normalize})).eval()
        plain, other = scores_of(model, waveform, 30 * waveform + 4)
        assert torch.allclose(plain, other, atol=1e-4) == normalize
        (silent,) = scores_of(model, torch.zeros(9, STEP))
        assert silent.isfinite().all()


def names_with_gradients(model: AcousticModel) -> set[str]:
    model.zero_grad(set_to_none=True)
    sum(scores.sum() for scores in scores_of(model, torch.randn(9, STEP), torch.randn(4, STEP))).backward()  # type: ignore[union-attr]
    return {name for name, parameter in model.named_parameters() if parameter.grad is not None}


@each_architecture
@pytest.mark.parametrize("layer", ["last", 1, "weighted"])
@pytest.mark.parametrize("train_extractor", [True, False])
def test_every_weight_but_the_convolutions_is_trained(
    architecture: EncoderArchitecture, layer: str | int, train_extractor: bool
) -> None:
    """Whatever blocks are skipped, so that processes can exchange gradients."""
    model = small(architecture, layer=layer, layer_drop=0.9, train_extractor=train_extractor).train()
    names = {name for name, _ in model.named_parameters()}
    convolutions = {name for name in names if name.startswith("encoder.feature_extractor.")}
    assert names_with_gradients(model) == (names if train_extractor else names - convolutions)


@each_architecture
def test_gradients_are_exact(architecture: EncoderArchitecture) -> None:
    model = small(architecture, layer="weighted", train_extractor=True).eval()
    features = torch.randn(2, 4, STEP, requires_grad=True)

    def scores(features: Tensor, *_: Tensor) -> Tensor:
        logits, lengths = model(features, torch.tensor([4, 2]))
        return logits * (torch.arange(2) < lengths[:, None])[..., None]

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


def test_blocks_after_the_chosen_one_are_left_out() -> None:
    whole, first = small(layer="weighted"), small(layer=1)
    assert len(first.encoder.transformer.layers) == 1
    assert sum(each.numel() for each in first.parameters()) < sum(each.numel() for each in whole.parameters())
    with pytest.raises(ValueError, match=r"layer: 3 is more than the encoder's 2 blocks"):
        Wav2Vec2Config(architecture=ARCHITECTURES["base"], layer=3)


def test_one_layer_with_all_the_weight_is_that_layer() -> None:
    waveform = torch.randn(9, STEP)
    for layer, number in (("last", 2), (1, 1)):
        model, weighted = small(layer=layer).eval(), small(layer="weighted").eval()
        state = weighted.state_dict()
        state |= {name: tensor for name, tensor in model.state_dict().items() if name.startswith("network.")}
        state |= {name: tensor for name, tensor in model.state_dict().items() if name.startswith("encoder.")}
        state["layers.logits"] = torch.full((3,), -1e9).index_fill(0, torch.tensor([number]), 0.0)
        weighted.load_state_dict(state)
        torch.testing.assert_close(scores_of(weighted, waveform)[0], scores_of(model, waveform)[0])


def test_blocks_are_skipped_in_training_alone() -> None:
    architecture = ARCHITECTURES["base"].model_copy(
        update=dict.fromkeys(("projection_dropout", "attention_dropout", "activation_dropout", "dropout"), 0.0)
    )
    model, waveform = small(architecture, layer_drop=0.5, dropout=0.0), torch.randn(9, STEP)
    different = {tuple(scores_of(model.train(), waveform)[0].flatten().tolist()) for _ in range(40)}
    assert len(different) == 4, "each of two blocks is there or not"
    assert tuple(scores_of(model.eval(), waveform)[0].flatten().tolist()) in different


def test_no_frames() -> None:
    assert small()(torch.zeros(1, 0, STEP), torch.tensor([0]))[0].shape == (1, 0, 5)


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"width \(18\) must be a multiple of heads \(12\)"):
        EncoderArchitecture(width=18)
    with pytest.raises(ValueError, match=r"a stride \(4\) must not be more than its kernel \(3\)"):
        EncoderArchitecture(convolutions=[(8, 3, 4)])
