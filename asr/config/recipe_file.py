"""Reads and writes a recipe's YAML. A mistake in it is one line with the key and what is allowed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from asr.config import RecipeConfig
from asr.errors import InputError
from asr.storage.files import write_text


def read_recipe(path: Path | str, overrides: Sequence[str] = ()) -> RecipeConfig:
    """Reads a recipe and applies overrides such as `model.dropout=0.3` (values are YAML).

    Raises InputError for a missing file, broken YAML, and a wrong key, type or value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError as error:
        raise InputError("is a folder; give the recipe's YAML file", path) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text file"
        raise InputError(f"cannot read the recipe: {reason}", path) from error
    tree = _parse(text, path)
    for override in overrides:
        _apply(tree, override)
    try:
        return RecipeConfig.model_validate(tree)
    except ValidationError as error:
        raise InputError("; ".join(_describe(detail) for detail in error.errors()), path) from error


def write_recipe(path: Path | str, config: RecipeConfig) -> None:
    """Writes the whole recipe, defaults included, so that a run says everything that it was run with."""
    write_text(path, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML silently keeps the last of two equal keys; a recipe must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} occurs twice", problem_mark=key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep)


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        tree = yaml.load(text, _UniqueKeyLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise InputError(f"not valid YAML: {getattr(error, 'problem', None) or error}", path, line) from error
    if not isinstance(tree, dict):
        raise InputError("a recipe is a mapping of sections (corpus, features, model, ...)", path)
    return tree


def _apply(tree: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    keys = name.split(".")
    if not separator or not all(keys):
        raise InputError(f"--set {override}: write it as key.key=value, such as model.dropout=0.3")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"--set {override}: the value is not valid YAML") from error
    section = tree
    for key in keys[:-1]:
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            raise InputError(f"--set {override}: {key} is a value, not a section")
    section[keys[-1]] = value


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
