"""Every setting of a recipe is shown with what it may be, its default and its meaning."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel
from support.commands.asr_command import Command

from asr.config import RecipeConfig
from asr.config.settings import find_settings, format_settings, recipe_settings
from asr.corpus_registry import CORPORA
from asr.errors import InputError


def sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for argument in get_args(annotation) for section in sections_in(argument)]


def every_setting(section: type[BaseModel], path: str = "") -> set[str]:
    """The paths of all settings, as the classes have them."""
    names = set()
    for name, field in section.model_fields.items():
        here = f"{path}.{name}" if path else name
        inner = sections_in(field.annotation)
        names |= {here} if not inner else set().union(*(every_setting(each, here) for each in inner))
    return names


def test_no_setting_is_left_out() -> None:
    shown = {f"{each.path}.{setting.name}".lstrip(".") for each in recipe_settings() for setting in each.settings}
    types = {"model.type", "training.optimizer.type", "training.schedule.type"}
    assert every_setting(RecipeConfig) - types <= shown


def test_every_setting_and_section_has_a_meaning() -> None:
    for section in recipe_settings():
        assert section.meaning
        for setting in section.settings:
            assert len(setting.meaning.split()) > 1, f"{section.path}.{setting.name}"


def test_types_of_a_section_are_apart() -> None:
    types = {each.type: each for each in find_settings("training.optimizer")}
    assert set(types) == {"sgd", "adagrad", "rmsprop", "adam", "adamw"}
    assert [name for name, each in types.items() if each.is_default] == ["adam"]
    (sgd,) = find_settings("training.optimizer.sgd")
    assert [setting.name for setting in sgd.settings] == ["learning_rate", "momentum", "weight_decay"]
    rate = sgd.settings[0]
    assert (rate.values, rate.default) == ("number above 0", "0.1")


@pytest.mark.parametrize(
    ("path", "name", "values", "default"),
    [
        ("corpus", "name", " | ".join(CORPORA), None),
        ("features", "sample_rate", "integer above 0", "16000"),
        ("features", "preemphasis", "number at least 0 and at most 1", "0.97"),
        ("features", "deltas", "0 | 1 | 2", "0"),
        ("targets", "phone_set", "timit61 | timit48 | cmu39 | timit39 | path", "timit48"),
        ("scoring", "phone_set", "timit61 | timit48 | cmu39 | timit39 | path", "timit39"),
        ("training", "resident", "true | false | null", "null"),
        ("augmentation.noise", "snr", "[number, number]", "[10.0, 30.0]"),
        ("decoding", "ensemble", "list of: path", "[]"),
        ("model.convolutions", "kernel", "integer above 0 | [integer above 0, integer above 0]", "3"),
    ],
)
def test_values_and_defaults(path: str, name: str, values: str, default: str | None) -> None:
    section = find_settings(path)[0]
    (found,) = [setting for setting in section.settings if setting.name == name]
    assert (found.values, found.default) == (values, default)


def test_one_setting_can_be_asked_for() -> None:
    (section,) = find_settings("lm.order")
    assert [setting.name for setting in section.settings] == ["order"]
    assert {each.type for each in find_settings("model.bidirectional")} == {"rnn", "lstm", "gru", "ligru", "crdnn"}
    with pytest.raises(
        InputError, match=r"no section or setting 'modle'; the sections are corpus, corpus.split, features, augmen"
    ):
        find_settings("modle")


def test_the_text_fits_the_width() -> None:
    for width in (60, 80):
        assert max(map(len, format_settings(recipe_settings(), width).splitlines())) <= width


def test_the_command(asr_command: Command) -> None:
    outcome = asr_command("recipe", "settings", "lm.order")
    assert outcome.status == 0
    assert outcome.out == (
        "lm\n"
        "  The phone n-gram, estimated on the training transcripts.\n"
        "  order: integer at least 1 and at most 9; default 2\n"
        "      phones in an n-gram, the predicted one included\n"
    )
    assert "model (type: cnn)" in asr_command("recipe", "settings").out
    assert asr_command("recipe", "settings", "nothing").status == 1
