"""Parsing YAML that may come from anyone: mappings, lists, text, numbers, true, false and null, all with bounds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from asr.errors import InputError
from asr.storage.text import read_text

MOST_CHARACTERS = 1_000_000
MOST_NODES = 10_000
"""Keys, values and items; one that aliases repeat counts each time, as do its characters."""

MOST_NESTED = 50
"""Levels of lists and mappings inside each other."""

LONGEST_NUMBER = 40
"""Characters."""

Keys = tuple[str, ...]
"""Where a value is: the keys of mappings and the indices of lists that lead to it."""

_TAG = "tag:yaml.org,2002:"
_NUMBERS = ("int", "float")


@dataclass(frozen=True)
class Yaml:
    """A document: its value, and the line of each key and item."""

    value: Any
    lines: dict[Keys, int] = field(default_factory=dict)


def read_yaml(path: Path) -> Yaml:
    """Reads a file of one document. Raises InputError that names the line and the key."""
    text = read_text(path, most=MOST_CHARACTERS + 1)
    return parse_yaml(text, lambda message, line: InputError(message, path, line))


def parse_yaml(text: str, error: Callable[[str, int | None], InputError]) -> Yaml:
    """Parses one document; `error` makes the exception of a message and its line, if there is one."""
    if len(text) > MOST_CHARACTERS:
        raise error(f"has more than {MOST_CHARACTERS:,} characters", None)
    try:
        loader = _Loader(text)
        return loader.read()
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None) or getattr(broken, "context_mark", None)
        problem = getattr(broken, "problem", None) or getattr(broken, "reason", None) or str(broken)
        raise error(f"not valid YAML: {problem}", mark.line + 1 if mark else None) from broken


class _Loader(yaml.SafeLoader):
    """Makes plain values of the nodes that PyYAML parses, each checked and counted."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.composed = self.built = self.characters = 0
        self.lines: dict[Keys, int] = {}

    def read(self) -> Yaml:
        node = self.get_single_node()
        return Yaml(None if node is None else self._value(node, ()), self.lines)

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.composed += 1
        self.depth += 1
        mark = self.peek_event().start_mark
        if self.depth > MOST_NESTED:
            raise _problem(f"nested more than {MOST_NESTED} deep", mark)
        if self.composed > MOST_NODES:
            raise _problem(f"more than {MOST_NODES:,} keys, values and items", mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _value(self, node: yaml.Node, keys: Keys) -> Any:
        self._count(node)
        if len(keys) > MOST_NESTED:
            raise _problem(f"{_name(keys[:3])}...: an alias repeats itself", node.start_mark)
        tag = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and tag == "map":
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode) and tag == "seq":
            items = []
            for number, each in enumerate(node.value):
                self.lines[(*keys, str(number))] = each.start_mark.line + 1
                items.append(self._value(each, (*keys, str(number))))
            return items
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, tag, keys)
        raise _problem(f"{_name(keys)}: the tag {node.tag!r} is not allowed here; remove it", node.start_mark)

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, each in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                raise _problem(f"{_name(keys)}: a key must be text, not a list or mapping", mark)
            self._count(key_node)
            key = key_node.value
            if key_node.tag != f"{_TAG}str":
                raise _problem(f"{_name(keys)}: key {key!r} is not text in YAML; put it in quotes", mark)
            if key in mapping:
                raise _problem(f"key {key!r} occurs twice", mark)
            self.lines[(*keys, key)] = mark.line + 1
            mapping[key] = self._value(each, (*keys, key))
        return mapping

    def _scalar(self, node: yaml.ScalarNode, tag: str, keys: Keys) -> Any:
        text, name = node.value, _name(keys)
        if tag == "str":
            return text
        if tag == "timestamp":
            raise _problem(f"{name}: {text!r} is a date in YAML; put it in quotes", node.start_mark)
        if tag not in ("null", "bool", *_NUMBERS):
            raise _problem(
                f"{name}: the tag {node.tag!r} is not allowed; remove it, or quote {text!r}", node.start_mark
            )
        if tag in _NUMBERS and len(text) > LONGEST_NUMBER:
            raise _problem(f"{name}: the number {text!r} has more than {LONGEST_NUMBER} digits", node.start_mark)
        try:
            return self.construct_object(node)
        except (ArithmeticError, LookupError, ValueError) as error:
            kind = {"bool": "true or false", "int": "a whole number", "float": "a number", "null": "null"}[tag]
            raise _problem(f"{name}: {text!r} is not {kind}", node.start_mark) from error

    def _count(self, node: yaml.Node) -> None:
        self.built += 1
        self.characters += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if self.built > MOST_NODES or self.characters > MOST_CHARACTERS:
            raise _problem(f"more than {MOST_NODES:,} keys, values and items, as aliases repeat them", node.start_mark)


def _name(keys: Keys) -> str:
    return ".".join(keys) or "the document"


def _problem(message: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=mark)
