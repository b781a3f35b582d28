"""Every recipe that ships is valid, and its model learns from one minibatch."""

from pathlib import Path

import pytest
import torch
from support.models.encoder_folder import ARCHITECTURES
from torch import nn

from asr import models
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.models import AcousticModel

FOLDER = Path(__file__).resolve().parents[1] / "recipes"
RECIPES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml"))
ENCODERS = ["wav2vec2"]
"""Those of full TIMIT whose size is that of an encoder that the user brings."""
FULL_TIMIT = ["bigru", "bilstm", "cnn", "crdnn", "deep_cnn", "dnn", "dnn_no_dropout", "gru", "ligru", "lstm", "rnn"]
RESULTS = (FOLDER / "timit" / "RESULTS.md").read_text()
UTTERANCE = 40  # frames


def read(recipe: str) -> RecipeConfig:
    """A recipe with a small encoder, where it has none of its own."""
    small = f"model.architecture={ARCHITECTURES['large'].model_dump_json()}"
    return read_recipe(FOLDER / recipe, [small] if Path(recipe).stem in ENCODERS else [])


def build(recipe: str) -> AcousticModel:
    config = read(recipe)
    return models.build(config.model, config.features.dim, len(config.class_names))


def parameters(recipe: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(recipe).parameters())


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_weight_has_a_gradient(recipe: str) -> None:
    config = read(recipe)
    torch.manual_seed(0)
    model = build(recipe).train()
    logits, lengths = model(torch.randn(2, UTTERANCE, config.features.dim), torch.tensor([UTTERANCE, UTTERANCE - 7]))
    classes = len(config.class_names)
    assert logits.shape == (2, -(-UTTERANCE // model.subsampling), classes)
    assert lengths.tolist() == [-(-frames // model.subsampling) for frames in (UTTERANCE, UTTERANCE - 7)]
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.randint(classes, (logits[..., 0].numel(),)))
    loss.backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
    assert any(parameter.grad.any() for parameter in model.parameters() if parameter.grad is not None)


def test_full_timit_has_a_recipe_for_each_model() -> None:
    assert sorted(path.stem for path in (FOLDER / "timit").glob("*.yaml")) == sorted([*FULL_TIMIT, *ENCODERS])


@pytest.mark.parametrize("recipe", [*FULL_TIMIT, *ENCODERS])
def test_full_timit_names_the_published_figure(recipe: str) -> None:
    comment = (FOLDER / "timit" / f"{recipe}.yaml").read_text().partition("\ncorpus:")[0]
    row = next(line for line in RESULTS.splitlines() if line.startswith(f"| `{recipe}.yaml`"))
    published = row.split("|")[4].split()[0]
    assert f"PER {published} %" in comment or (published == "none" and "no published PER" in comment)


@pytest.mark.parametrize("recipe", FULL_TIMIT)
def test_full_timit_results_give_the_parameters(recipe: str) -> None:
    count = parameters(f"timit/{recipe}.yaml")
    assert f"| {count:,} |" in next(line for line in RESULTS.splitlines() if line.startswith(f"| `{recipe}.yaml`"))


@pytest.mark.parametrize(
    ("recipe", "published"),
    [
        ("lstm", 3.8e6),  # Graves et al. 2013, of all their CTC networks of three layers
        ("crdnn", 17.5e6),  # by hand from SpeechBrain's hparams/train.yaml
    ],
)
def test_sizes_are_the_published_ones(recipe: str, published: float) -> None:
    assert parameters(f"timit/{recipe}.yaml") == pytest.approx(published, rel=0.02)
