"""The features stage: each split's manifest becomes a feature archive."""

import logging
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import torch

from asr.config import FeaturesConfig, RecipeConfig
from asr.engines.engine import Engine
from asr.errors import InputError, count
from asr.features.archive import Archive
from asr.features.extract import ExtractSummary, extract
from asr.features.shares import SharedRows, extract_by_all, extract_share
from asr.processes.tasks import ALONE, Others, Task
from asr.storage.json_files import write_json
from asr.storage.run_layout import SPLITS, SUMMARY, cuts_path, fold_names

log = logging.getLogger(__name__)


def compute_features(
    config: RecipeConfig,
    prepared: Path,
    out: Path,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    others: Others = ALONE,
) -> dict[str, ExtractSummary]:
    """Writes the archives of the splits that `prepared` holds, in its folder and in each `fold-k` below it, into `out`.

    Threads compute on `device`, and where the `others` are on several machines they do so on each (`help_features`); or
    the workers of an `engine` on its own. `out`/summary.json says what the archives
    contain and what was left out. Returns the summary of each, by name: `train` or `fold-1/train`. Raises InputError
    when there is no manifest.
    """
    return extract_folder(prepared, out, config.features, device, config.corpus.skip_bad, engine, others)


def help_features(
    config: RecipeConfig, prepared: Path, out: Path, device: torch.device, task: Task
) -> SharedRows | None:
    """In another process: does the share of its machine of the split that `compute_features` asked for."""
    manifest = _manifests(prepared)[task["split"]]
    return extract_share(manifest, out / task["split"], config.features, device, config.corpus.skip_bad)


def extract_folder(
    prepared: Path,
    out: Path,
    config: FeaturesConfig,
    device: torch.device | str = "cpu",
    skip_bad: bool = False,
    engine: Engine | None = None,
    others: Others = ALONE,
) -> dict[str, ExtractSummary]:
    """As `compute_features`, from the settings of the features alone; raises InputError as it does."""
    manifests = _manifests(prepared)
    if not manifests:
        raise InputError("has no {train,dev,test}.cuts.jsonl.gz; name the folder that asr prepare wrote", prepared)
    summaries = {}
    for name, path in manifests.items():
        if engine is None and others.machines > 1:
            summaries[name] = extract_by_all(path, out / name, config, device, skip_bad, others.at(split=name))
        else:
            summaries[name] = extract(path, out / name, config, device, skip_bad, engine)
    _write_summary(out / SUMMARY, summaries)
    _warn_of_shared({name: set(Archive(out / name).utterances) for name in summaries})
    return summaries


def _manifests(prepared: Path) -> dict[str, Path]:
    """The manifests that there are, by the names of their archives."""
    found = [
        (f"{fold}/{split}".removeprefix("/"), cuts_path(prepared / fold, split))
        for fold in ("", *fold_names(prepared))
        for split in SPLITS
    ]
    return {name: path for name, path in found if path.is_file()}


def _warn_of_shared(utterances: dict[str, set[str]]) -> None:
    """Warns of utterances in two splits of a fold: what is measured on them says nothing about other speech."""
    for one, other in combinations(utterances, 2):
        if Path(one).parent == Path(other).parent and (both := utterances[one] & utterances[other]):
            shared = count(len(both), "utterance")
            log.warning(
                "%s and %s share %s, such as %s: error rates are not those of new speech", one, other, shared, min(both)
            )


def _write_summary(path: Path, summaries: dict[str, ExtractSummary]) -> None:
    """In the form of the prepare stage's summary: counts of each split, then the utterances left out."""
    splits = {name: asdict(summary) for name, summary in summaries.items()}
    skipped = [{"split": name, **utterance} for name, split in splits.items() for utterance in split.pop("skipped")]
    for split in splits.values():
        split["seconds"] = round(split["seconds"], 3)
    write_json(path, {"splits": splits, "skipped": skipped})
