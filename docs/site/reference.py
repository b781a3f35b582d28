"""The pages of the reference, made from the commands, the recipe's schema, the registries and docstrings."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer

import asr
from asr.cli.main import app
from asr.config.settings import SettingsSection, recipe_settings
from asr.corpora.public.sources import PUBLIC
from asr.corpus_registry import CORPORA
from asr.formats.registry import READERS, WRITERS
from asr.models import MODELS


def generated_pages() -> dict[str, str]:
    """The text of each page by its path in the site."""
    return {
        "reference/commands.md": "\n".join(_commands()),
        "reference/settings.md": "\n".join(_settings()),
        "reference/registries.md": "\n".join(_registries()),
        "reference/python.md": "\n".join(_python()),
    }


def _commands() -> Iterator[str]:
    yield "# Commands\n\nWhat `--help` says, from the same source.\n"
    yield from _command("asr", typer.main.get_command(app))


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([name, *(each.name.upper() + ("..." if each.nargs == -1 else "") for each in arguments)])
    if not hasattr(command, "commands"):
        yield f"```text\n{usage} [OPTIONS]\n```\n"
    rows = [[_declared(each), _cell(each.help or ""), _default(each)] for each in command.params if each.name != "help"]
    if rows:
        yield from _table(("argument or option", "meaning", "default"), rows)
    for child, inner in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {child}", inner)


def _declared(parameter: Any) -> str:
    names = [parameter.name.upper()] if parameter.param_type_name == "argument" else [*parameter.opts]
    return " ".join(f"`{name}`" for name in [*names, *parameter.secondary_opts])


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    if shown in (None, (), [], "", False) or callable(shown):
        return ""
    return f"`{', '.join(map(str, shown)) if isinstance(shown, list | tuple) else getattr(shown, 'value', shown)}`"


def _settings() -> Iterator[str]:
    yield "# Recipe settings\n\nWhat `asr recipe settings` prints, from the same schema.\n"
    for section in recipe_settings():
        yield f"## {_title(section)}\n\n{section.meaning}\n"
        rows = [
            [
                f"`{each.name}`",
                _cell(each.values),
                "must be given" if each.default is None else f"`{each.default}`",
                _cell(each.meaning),
            ]
            for each in section.settings
        ]
        if rows:
            yield from _table(("setting", "values", "default", "meaning"), rows)


def _title(section: SettingsSection) -> str:
    title = section.path or "The recipe"
    if section.type is not None:
        title += f", type {section.type}" + (" (the default)" if section.is_default else "")
    return title + (" (a list)" if section.is_list else "")


def _registries() -> Iterator[str]:
    yield "# Formats, corpora and models\n\nWhat the registries hold.\n"
    yield "## Formats that are written\n"
    rows = []
    for name, place in WRITERS.items():
        module, _, attribute = place.partition(":")
        files = ", ".join(f"`{file}`" for file in getattr(import_module(module), attribute).files("NAME"))
        rows.append([f"`{name}`", files, _cell(_first_paragraph(import_module(module)))])
    yield from _table(("`--format`", "files", "what it is"), rows)
    yield "## Transcripts that are read\n"
    rows = [
        [f"`{suffix}`", tier, _cell(_first_paragraph(import_module(module)))]
        for tier, readers in READERS.items()
        for suffix, module in readers.items()
    ]
    yield from _table(("suffix", "tier", "what it is"), rows)
    yield "## Corpora that are read\n"
    rows = [[f"`{name}`", _cell(corpus.about), corpus.phone_set or "its own"] for name, corpus in CORPORA.items()]
    yield from _table(("`corpus.name`", "what it is", "phone set"), rows)
    yield "## Corpora that `asr corpus get` downloads\n"
    yield from _table(
        ("name", "what it is", "licence"),
        [[f"`{name}`", _cell(corpus.about), _cell(corpus.licence)] for name, corpus in PUBLIC.items()],
    )
    yield "## Acoustic models\n"
    rows = []
    for name, place in MODELS.items():
        module, _, attribute = place.partition(":")
        rows.append([f"`{name}`", _cell(_first_paragraph(getattr(import_module(module), attribute))), f"`{module}`"])
    yield from _table(("`model.type`", "what it is", "module"), rows)


def _python() -> Iterator[str]:
    yield "# Python API\n\nWhat `import asr` gives. [The library](../library.md) shows how it is used.\n"
    for name in asr.__all__:
        if name.startswith("__"):
            continue
        thing = getattr(asr, name)
        yield f"## asr.{name}\n"
        yield from _documented(name, thing)
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield f"### {name}.{member}\n"
                    yield from _documented(member, value)


def _documented(name: str, thing: Any) -> Iterator[str]:
    if not isinstance(thing, property):
        yield f"```python\n{name}{_signature(thing)}\n```\n"
    yield from _docstring(inspect.getdoc(thing) or "")


def _signature(thing: Any) -> str:
    text = str(inspect.signature(thing)).replace("asr.formats.transcript.", "").replace("pathlib._local.", "")
    return text.replace("'", "")


def _docstring(text: str) -> Iterator[str]:
    """The text, with its examples as code."""
    for paragraph in text.split("\n\n"):
        yield f"```pycon\n{paragraph}\n```\n" if paragraph.startswith(">>>") else f"{paragraph}\n"


def _first_paragraph(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _table(head: tuple[str, ...], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
