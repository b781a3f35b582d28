"""Checks that nothing in a folder that asr wrote is damaged: every file whole, where opening it checks only a part."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asr.acoustics.bundle import read_bundle
from asr.acoustics.bundle_manifest import differing_files, lm_path
from asr.corpora.cuts import read_cuts
from asr.errors import InputError
from asr.features.archive import Archive
from asr.features.cmvn import load_cmvn
from asr.lm.arpa import read_arpa
from asr.progress import track
from asr.runs import stage
from asr.storage.output_record import RECORD, check_record
from asr.storage.run_layout import BUNDLE_MANIFEST, WEIGHTS

Problems = Iterator[InputError]


@dataclass(frozen=True)
class Health:
    """How many of each kind of thing were checked, and what is wrong: a line for each problem."""

    checked: dict[str, int]
    problems: list[str]


def examine(folder: Path) -> Health:
    """Checks archives, CMVN statistics, manifests, bundles, stages' records and output folders' records at or below
    `folder`.

    Raises InputError for a folder with none of these.
    """
    if not folder.is_dir():
        raise InputError("no such folder; give a run's folder or a bundle's", folder)
    checked: dict[str, int] = {}
    problems: dict[str, str] = {}
    for kind, find, check in _CHECKS:
        found = sorted(find(folder))
        for path in found:
            for problem in map(str, _problems(check, path)):
                # One line for each file: what its content shows says more than that a hash differs.
                file = re.split(r"(:\d+)?: ", problem, maxsplit=1)[0]
                problems.setdefault(file, problem)
        if found:
            checked[kind] = len(found)
    if not checked:
        raise InputError("holds nothing that asr wrote; give a run's folder or a bundle's", folder)
    return Health(checked, list(problems.values()))


def _problems(check: Callable[[Path], Problems], path: Path) -> Problems:
    try:
        yield from check(path)
    except InputError as error:
        yield error


def _below(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.rglob(pattern):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1]):
            yield path


def _stems(folder: Path) -> set[Path]:
    arrays = (path.with_suffix("") for path in _below(folder, "*.npy"))
    indices = (path.with_name(path.name.removesuffix(".index.jsonl")) for path in _below(folder, "*.index.jsonl"))
    return {*arrays, *indices}


def _check_archive(stem: Path) -> Problems:
    archive = Archive(stem)
    for number in track(range(len(archive)), f"checking {stem}", len(archive)):
        archive.check(number)
    yield from ()


def _cmvn(folder: Path) -> Iterable[Path]:
    return _below(folder, "*.cmvn.safetensors")


def _check_cmvn(path: Path) -> Problems:
    load_cmvn(path)
    yield from ()


def _manifests(folder: Path) -> Iterable[Path]:
    return _below(folder, "*.cuts.jsonl.gz")


def _check_cuts(path: Path) -> Problems:
    for _ in track(read_cuts(path), f"checking {path}"):
        pass
    yield from ()


def _bundles(folder: Path) -> set[Path]:
    return {path.parent for name in (BUNDLE_MANIFEST, WEIGHTS) for path in _below(folder, name)}


def _check_bundle(folder: Path) -> Problems:
    if differing := list(differing_files(folder)):
        yield from differing
        return
    read_bundle(folder)
    if (lm := lm_path(folder)).is_file():
        read_arpa(lm)


def _stages(folder: Path) -> Iterable[Path]:
    return (path.parent for path in _below(folder, stage.RECORD))


def _records(folder: Path) -> Iterable[Path]:
    return (path.parent for path in _below(folder, RECORD))


def _check_record(folder: Path) -> Problems:
    for path, problem in track(check_record(folder), f"checking {folder}"):
        if problem is not None:
            yield InputError(problem, path)


_CHECKS: tuple[tuple[str, Callable[[Path], Iterable[Path]], Callable[[Path], Problems]], ...] = (
    ("archive", _stems, _check_archive),
    ("CMVN file", _cmvn, _check_cmvn),
    ("manifest", _manifests, _check_cuts),
    ("bundle", _bundles, _check_bundle),
    ("stage", _stages, stage.differing_outputs),
    ("output folder", _records, _check_record),
)
