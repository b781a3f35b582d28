"""Reads and writes a recipe's YAML. A mistake in it is one line with the key and what is allowed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from asr.config import RecipeConfig
from asr.errors import MOST_NAMED, InputError
from asr.storage.files import write_text
from asr.storage.yaml_text import Yaml, parse_yaml, read_yaml


def read_recipe(path: Path | str, overrides: Sequence[str] = ()) -> RecipeConfig:
    """Reads a recipe and applies overrides such as `model.dropout=0.3` (values are YAML).

    Raises InputError for a missing file, broken YAML, and a wrong key, type or value.

    >>> read_recipe("runs/demo/dnn/recipe.yaml", ["decoding.beam=20"]).decoding.beam
    20.0
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("is a folder; give the recipe's YAML file", path)
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        raise InputError("a recipe is a mapping of sections (corpus, features, model, ...)", path)
    for override in overrides:
        _apply(document, override)
    try:
        return RecipeConfig.model_validate(document.value)
    except ValidationError as error:
        details = error.errors()
        line, *others = (_line(detail, document, overrides) for detail in details)
        first, *more = (_given(detail, overrides) + _describe(detail) for detail in details[:MOST_NAMED])
        places = (f"line {number}: " if number else "" for number in others)
        message = "; ".join([first, *(place + each for place, each in zip(places, more, strict=False))])
        raise InputError(message, path, line) from error


def write_recipe(path: Path | str, config: RecipeConfig) -> None:
    """Writes the whole recipe, defaults included, so that a run says everything that it was run with."""
    write_text(path, recipe_text(config))


def recipe_text(config: RecipeConfig) -> str:
    """The whole recipe as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _apply(document: Yaml, override: str) -> None:
    """Sets one value; what it replaces has no line in the file any more."""
    name, separator, text = override.partition("=")
    keys = tuple(name.split("."))
    if not separator or not all(keys):
        raise InputError(f"--set {override}: write it as key.key=value, such as model.dropout=0.3")
    value = parse_yaml(text, lambda message, _: InputError(f"--set {override}: the value is {message}")).value
    section = document.value
    for key in keys[:-1]:
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            raise InputError(f"--set {override}: {key} is a value, not a section")
    section[keys[-1]] = value
    for known in [known for known in document.lines if known[: len(keys)] == keys]:
        del document.lines[known]


def _line(detail: ErrorDetails, document: Yaml, overrides: Sequence[str]) -> int | None:
    """The line of the key that a mistake is in; None where an override has it."""
    return None if _given(detail, overrides) else document.lines.get(_keys(detail))


def _given(detail: ErrorDetails, overrides: Sequence[str]) -> str:
    """What a mistake's description begins with where an override has it, and not the file."""
    keys = _keys(detail)
    if detail["type"] == "union_tag_invalid":
        keys += ("type",)
    names = [tuple(override.partition("=")[0].split(".")) for override in overrides]
    if detail["type"] == "extra_forbidden":  # also where the override has a key below the unknown one
        names = [name[: len(keys)] for name in names]
    return "--set " if any(keys[: len(name)] == name for name in names) else ""


def _keys(detail: ErrorDetails) -> tuple[str, ...]:
    return tuple(_walk([str(part) for part in detail["loc"]])[0])


def _describe(detail: ErrorDetails) -> str:
    location = [str(part) for part in detail["loc"]]
    keys, below = _walk(location)
    name = ".".join(keys) or "recipe"
    if detail["type"] == "union_tag_invalid":
        return f"{name}.type: {detail['input'].get('type')!r} is not allowed; use {_types(below)}"
    if detail["type"] in ("model_type", "model_attributes_type"):
        kind = f"its type is {_types(below)}" if len(below) > 1 else f"such as {next(iter(below[0].model_fields))}"
        return f"{name}: {detail['input']!r} is not allowed: it is a section of keys; {kind}"
    if detail["type"] == "extra_forbidden":
        _, sections = _walk(location[:-1])
        return (
            f"{name}: unknown key; allowed here: {', '.join(sorted({key for s in sections for key in s.model_fields}))}"
        )
    if detail["type"] == "missing":
        return f"{name}: is missing; give it in the recipe or with --set {name}=..."
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(detail["input"], dict):  # its keys do not fit together; for the whole recipe, the message has them
        return f"{name}: {message}" if keys else message
    return f"{name}: {detail['input']!r} is not allowed: {message}"


def _walk(location: Sequence[str]) -> tuple[list[str], list[type[BaseModel]]]:
    """Follows pydantic's location of a mistake: its keys in the recipe, and the sections it may be in.

    Where a section or value may be of several types, pydantic's location also has the type's name, which is not a key.
    """
    keys: list[str] = []
    sections: list[type[BaseModel]] = [RecipeConfig]
    for part in location:
        fields = [section.model_fields[part].annotation for section in sections if part in section.model_fields]
        if fields:
            sections = [section for annotation in fields for section in _models(annotation)]
        elif len(sections) > 1:
            sections = [section for section in sections if section.model_fields["type"].default == part]
            continue
        elif not sections and not part.isdecimal():
            continue
        keys.append(part)
    return keys, sections


def _types(sections: Sequence[type[BaseModel]]) -> str:
    return ", ".join(sorted(section.model_fields["type"].default for section in sections))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
