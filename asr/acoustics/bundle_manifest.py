"""bundle.json: the version of a bundle's layout, and the SHA-256 of each of its files that nobody edits.

    {"schema": 2, "files": {"model.safetensors": "9f86d08...", ..., "ensemble/01/bundle.json": "e3b0c44..."}}

recipe.yaml and decoding.yaml are not listed: people edit them, and reading them checks their values. Bundles of schema
1, of version 0.1, list no files and are read unchecked.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from asr.errors import InputError
from asr.storage.files import file_digest, read_json, write_json

MANIFEST = "bundle.json"
SCHEMA = 2
LM, ENSEMBLE = "lm.arpa", "ensemble"
"""The file and the folder that decoding adds."""

_UNCHECKED_SCHEMA = 1
_TRAINED = ("model.safetensors", "phones.txt", "classes.tsv", "cmvn.safetensors")
_LATER = re.compile(rf"{re.escape(LM)}|{ENSEMBLE}/[^/]+/{re.escape(MANIFEST)}")


def write_manifest(folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Lists the files that are in a bundle; those in `known` keep the SHA-256 that they have there."""
    names = [name for name in (*_TRAINED, LM) if (folder / name).is_file()]
    names += [str(path.relative_to(folder).as_posix()) for path in sorted(folder.glob(f"{ENSEMBLE}/*/{MANIFEST}"))]
    known = known or {}
    files = {name: known.get(name) or file_digest(folder / name) for name in names}
    write_json(folder / MANIFEST, {"schema": SCHEMA, "files": files})


def read_manifest(folder: Path) -> dict[str, str]:
    """The listed files with their SHA-256. Raises InputError for a bundle of another layout, or a damaged list."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(
            "missing: the bundle is incomplete, or older than this version of asr; train the model again", path
        )
    values = read_json(path)
    schema = values.get("schema") if isinstance(values, dict) else None
    if schema == _UNCHECKED_SCHEMA and "files" not in values:
        return {}
    if schema != SCHEMA:
        raise InputError(
            f"schema {str(schema)[:40]!r} is not {SCHEMA}, which this version of asr reads; train the model again", path
        )
    files = values.get("files")
    if not isinstance(files, dict) or not files.keys() >= set(_TRAINED):
        raise InputError("damaged; copy the bundle again, or train the model again", path)
    for name, digest in files.items():
        if not isinstance(digest, str) or not (name in _TRAINED or _LATER.fullmatch(name)):
            raise InputError("damaged; copy the bundle again, or train the model again", path)
    return files


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
                f"is not the file that {MANIFEST} lists (changed or damaged); copy the bundle again, or {again}", path
            )


def model_folders(folder: Path) -> list[Path]:
    """A bundle's folder, and those of the further models of its ensemble."""
    return [folder, *sorted(path for path in (folder / ENSEMBLE).glob("*") if path.is_dir())]
