"""Files of JSON, and of JSON Lines, an object a line."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.storage.files import complete_file, write_text
from asr.storage.json_text import parse_json
from asr.storage.text import read_lines, read_text


def write_json(path: Path | str, value: Any) -> None:
    """Writes indented JSON with a final newline, complete or not at all."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Indented JSON with a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write_jsonl(path: Path | str, rows: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON object a line as the rows come; returns how many."""
    count = 0
    with complete_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_json(path: Path | str) -> Any:
    """Reads a JSON file. Raises InputError when it is missing or is not JSON, or beyond the bounds of `parse_json`."""
    path = Path(path)
    try:
        return parse_json(read_text(path))
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", path) from error


def read_jsonl(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yields the objects of `numbered_jsonl` without their lines."""
    return (row for _, row in numbered_jsonl(path))


def numbered_jsonl(path: Path | str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the line number and the object of each line that is not blank, as the file is read.

    Raises InputError that names the line where a line is not a JSON object, or beyond the bounds of `parse_json`.
    """
    return json_objects(read_lines(path), Path(path))


def json_objects(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `numbered_jsonl`, from the numbered lines of a file."""
    for number, row in json_rows(lines, path):
        if isinstance(row, InputError):
            raise row
        yield number, row


def json_rows(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[tuple[int, dict[str, Any] | InputError]]:
    """As `json_objects`, with the error in the place of a line that is not a JSON object."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            array = "; write JSON Lines, an object a line" if line.lstrip().startswith("[") else ""
            yield number, InputError(f"not valid JSON: {error}{array}", path, number)
        else:
            message = "expected a JSON object on each line (JSON Lines)"
            yield number, row if isinstance(row, dict) else InputError(message, path, number)
