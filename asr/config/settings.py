"""Every setting of a recipe as text, from the schema: allowed values, default and meaning."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asr.config.recipe import RecipeConfig
from asr.errors import InputError

WIDTH = 80
"""Columns of the text."""

_TYPES = {"integer": "integer", "number": "number", "boolean": "true | false", "string": "text", "null": "null"}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}


@dataclass(frozen=True)
class Setting:
    """One setting, by its name in the section; `default` is None where it has to be given."""

    name: str
    values: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class SettingsSection:
    """A section by its path, such as `training.optimizer`; `type` is the one of its types that this is, if it has any.

    `is_list` says that the recipe has a list of such sections.
    """

    path: str
    meaning: str
    settings: tuple[Setting, ...]
    type: str | None = None
    is_default: bool = False
    is_list: bool = False


def recipe_settings() -> list[SettingsSection]:
    """The sections of a recipe in order, each followed by those inside it; the first has no path."""
    schema = RecipeConfig.model_json_schema(mode="serialization")
    return list(_sections("", schema, schema["$defs"]))


def find_settings(path: str | None = None) -> list[SettingsSection]:
    """The sections at a path and inside it (model, training.optimizer), all types or one (model.cnn); None: all.

    A path may also be that of one setting. Raises InputError for one that does not exist.
    """
    sections = recipe_settings()
    if path is None:
        return sections
    if found := [each for each in sections if _is_in(each, path)]:
        return found
    inside, _, name = path.rpartition(".")
    for each in sections:
        if each.path == inside or f"{each.path}.{each.type}" == inside:
            settings = tuple(setting for setting in each.settings if setting.name == name)
            found += [SettingsSection(each.path, each.meaning, settings, each.type)] if settings else []
    if not found:
        names = dict.fromkeys(each.path for each in sections if each.path)
        raise InputError(f"there is no section or setting {path!r}; the sections are {', '.join(names)}")
    return found


def format_settings(sections: Sequence[SettingsSection], width: int = WIDTH) -> str:
    """The sections as text of at most `width` columns (except for longer words)."""
    return "\n\n".join("\n".join(_lines(section, width)) for section in sections)


def _is_in(section: SettingsSection, path: str) -> bool:
    typed = f"{section.path}.{section.type}"
    return section.path == path or typed == path or section.path.startswith(f"{path}.")


def _lines(section: SettingsSection, width: int) -> Iterator[str]:
    title = section.path or "recipe"
    if section.type is not None:
        title += f" (type: {section.type}{', the default' if section.is_default else ''})"
    if section.is_list:
        title += " (a list; each item has)"
    yield from textwrap.wrap(title, width)
    yield from _wrapped(section.meaning, width, 2, 2)
    for setting in section.settings:
        given = "must be given" if setting.default is None else f"default {setting.default}"
        yield from _wrapped(f"{setting.name}: {setting.values}; {given}", width, 2, 10)
        yield from _wrapped(setting.meaning, width, 6, 6)


def _wrapped(text: str, width: int, first: int, others: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * first,
        subsequent_indent=" " * others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _sections(
    path: str,
    schema: dict[str, Any],
    definitions: dict[str, Any],
    kind: str | None = None,
    is_default: bool = False,
    is_list: bool = False,
) -> Iterator[SettingsSection]:
    settings, inner = [], []
    for name, field in schema["properties"].items():
        below = f"{path}.{name}" if path else name
        found = _inner(field, definitions)
        is_section = found and "anyOf" not in field and field.get("type") != "array"
        if not is_section and (kind is None or name != "type"):
            required = name in schema.get("required", ()) and "default" not in field
            settings.append(_setting(name, field, definitions, required))
        for each in found:
            typed = _type(each, len(found))
            default = (field.get("default") or {}).get("type") if isinstance(field.get("default"), dict) else None
            array = field.get("type") == "array"
            inner.append((below, each, definitions, typed, typed is not None and typed == default, array))
    yield SettingsSection(path, _meaning(schema), tuple(settings), kind, is_default, is_list)
    for arguments in inner:
        yield from _sections(*arguments)


def _inner(field: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """The sections that a field may hold."""
    if "$ref" in field:
        schema = definitions[field["$ref"].rpartition("/")[2]]
        return [schema] if "properties" in schema else []
    choices = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    choices += [field["items"]] if isinstance(field.get("items"), dict) else []
    return [schema for choice in choices for schema in _inner(choice, definitions)]


def _type(schema: dict[str, Any], choices: int) -> str | None:
    return schema["properties"]["type"].get("const") if choices > 1 and "type" in schema["properties"] else None


def _meaning(schema: dict[str, Any]) -> str:
    return " ".join(schema.get("description", "").split())


def _setting(name: str, field: dict[str, Any], definitions: dict[str, Any], required: bool) -> Setting:
    default = None if required else _yaml(field.get("default"))
    return Setting(name, _values(field, definitions), default, field.get("description", ""))


def _yaml(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return f"{len(value)} of them"
    return value if isinstance(value, str) else json.dumps(value)


def _values(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The values that a setting may have."""
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    if "const" in field:
        return str(field["const"])
    if "$ref" in field:
        return "a section"
    if "anyOf" in field:
        return " | ".join(_values(each, definitions) for each in field["anyOf"])
    if "prefixItems" in field:
        return f"[{', '.join(_values(each, definitions) for each in field['prefixItems'])}]"
    if field.get("type") == "array":
        return f"list of: {_values(field['items'], definitions)}"
    if field.get("format") == "path":
        return "path"
    bounds = [text.format(field[bound]) for bound, text in _BOUNDS.items() if bound in field]
    return " ".join([_TYPES[field["type"]], " and ".join(bounds)]).strip()
