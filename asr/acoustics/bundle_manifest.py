"""bundle.json: the version of a bundle's layout, and the SHA-256 of each of its files that nobody edits.

    {"schema": 2, "files": {"model.safetensors": "9f86d08...", ..., "ensemble/01/bundle.json": "e3b0c44..."}}

A bundle that `asr model pack` wrote has schema 3: its language model is lm.arpa.gz, and `weights` is the type in which
the weights are stored, float32 or float16 (they are read as float32 in any case).

recipe.yaml and decoding.yaml are not listed: people edit them, and reading them checks their values. Bundles of schema
1, of version 0.1, list no files and are read unchecked.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.storage.files import file_digest
from asr.storage.json_files import read_json, write_json
from asr.storage.run_layout import (
    BUNDLE_MANIFEST,
    CLASSES,
    CMVN,
    ENSEMBLE,
    LM,
    MODEL_PHONES,
    PACKED_LM,
    TIMING_CLASSES,
    WEIGHTS,
)

SCHEMA = 2
PACKED_SCHEMA = 3

_UNCHECKED_SCHEMA = 1
_TRAINED = (WEIGHTS, MODEL_PHONES, CLASSES, CMVN)
_LATER = re.compile(rf"{re.escape(LM)}(\.gz)?|{ENSEMBLE}/[^/]+/{re.escape(BUNDLE_MANIFEST)}")


def lm_path(folder: Path) -> Path:
    """The language model of a bundle or an exported model."""
    packed = folder / PACKED_LM
    return packed if packed.is_file() else folder / LM


def write_manifest(folder: Path, known: Mapping[str, str] | None = None, weights: str | None = None) -> None:
    """Lists the files that are in a bundle; those in `known` keep the SHA-256 that they have there.

    `weights` is the stored type of a packed bundle's weights.
    """
    names = [name for name in (*_TRAINED, TIMING_CLASSES, LM, PACKED_LM) if (folder / name).is_file()]
    names += [
        str(path.relative_to(folder).as_posix()) for path in sorted(folder.glob(f"{ENSEMBLE}/*/{BUNDLE_MANIFEST}"))
    ]
    known = known or {}
    files = {name: known.get(name) or file_digest(folder / name) for name in names}
    head: dict[str, Any] = {"schema": PACKED_SCHEMA, "weights": weights} if weights else {"schema": SCHEMA}
    write_json(folder / BUNDLE_MANIFEST, {**head, "files": files})


def read_manifest(folder: Path) -> dict[str, str]:
    """The listed files with their SHA-256. Raises InputError for a bundle of another layout, or a damaged list."""
    return _read(folder)[1]


def stored_weights(folder: Path) -> str | None:
    """The type in which a packed bundle's weights are stored; None for another bundle. Raises InputError as
    `read_manifest`."""
    return _read(folder)[0]


def _read(folder: Path) -> tuple[str | None, dict[str, str]]:
    path = folder / BUNDLE_MANIFEST
    if not path.is_file():
        raise InputError(
            "missing: the bundle is incomplete, or older than this version of asr; train the model again", path
        )
    values = read_json(path)
    schema = values.get("schema") if isinstance(values, dict) else None
    if schema == _UNCHECKED_SCHEMA and "files" not in values:
        return None, {}
    if schema not in (SCHEMA, PACKED_SCHEMA):
        raise InputError(
            f"schema {str(schema)[:40]!r} is not {SCHEMA} or {PACKED_SCHEMA}, which this version of asr reads; "
            "train the model again",
            path,
        )
    files = values.get("files")
    if not isinstance(files, dict) or not files.keys() >= set(_TRAINED):
        raise InputError("damaged; copy the bundle again, or train the model again", path)
    for name, digest in files.items():
        if not isinstance(digest, str) or not (name in (*_TRAINED, TIMING_CLASSES) or _LATER.fullmatch(name)):
            raise InputError("damaged; copy the bundle again, or train the model again", path)
    return (str(values.get("weights", "float32")) if schema == PACKED_SCHEMA else None), files


def check_files(folder: Path) -> None:
    """Raises InputError for the first listed file of a bundle that is missing or has changed."""
    for problem in differing_files(folder):
        raise problem


def differing_files(folder: Path) -> Iterator[InputError]:
    """An error for each listed file of a bundle that is missing or has changed. Raises InputError as
    `read_manifest`."""
    for name, digest in read_manifest(folder).items():
        path = folder / name
        again = "run asr decode again" if _LATER.fullmatch(name) else "train the model again"
        if not path.is_file():
            yield InputError(f"missing; copy the bundle again, or {again}", path)
        elif file_digest(path) != digest:
            yield InputError(
                f"is not the file that {BUNDLE_MANIFEST} lists (changed or damaged); copy the bundle again, or {again}",
                path,
            )


def model_folders(folder: Path) -> list[Path]:
    """A bundle's folder, and those of the further models of its ensemble."""
    return [folder, *sorted(path for path in (folder / ENSEMBLE).glob("*") if path.is_dir())]
