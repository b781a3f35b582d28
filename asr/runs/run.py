"""A run: a recipe with its folder. Each stage is skipped while it is current; the results pool all folds."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from asr.config import RecipeConfig
from asr.engines.engine import Engine
from asr.errors import count
from asr.processes.tasks import do_tasks, leading
from asr.report.browser.folder import INDEX
from asr.report.report import report
from asr.runs.results import write_results
from asr.runs.stage import Stage
from asr.runs.stages import STAGES, do_task, recipe_stages, skipped
from asr.runs.watch import watched
from asr.scoring.results import ScoreResult
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import LIVE, REPORT_FOLDER, RESULTS, SCORE, SUMMARY

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A recipe with the folder and the device that it runs in; `name` is the recipe's, such as timit_sample/dnn.

    The features are computed on the `engine`, where one is given; it is open only then. With `watch` there is a live
    page while it runs; a page that is already there is always updated, so that it never shows a run that has ended.
    """

    config: RecipeConfig
    name: str
    folder: Path
    device: torch.device
    engine: AbstractContextManager[Engine | None] = field(default_factory=nullcontext)
    watch: bool = False


def default_folder(recipe: Path) -> Path:
    """runs/<corpus>/<recipe>, after the recipe file's folder and name."""
    return Path("runs") / recipe.resolve().parent.name / recipe.stem


def execute(run: Run, only: str | None = None, first: str | None = None) -> ScoreResult | None:
    """Runs the recipe's stages, skipping those that are current; returns the pooled scores.

    `only` reruns that stage and no other, from scratch; `first` reruns that stage and all later ones from scratch.
    Returns None where `only` is a stage before score. Raises InputError for a user's mistake, and where another process
    is using the folder.

    Where this is process 0 of several, the others `follow`.
    """
    forced = STAGES[STAGES.index(first) :] if first else (only,) if only else ()
    with leading() as others:
        stages = recipe_stages(run.config, run.folder, run.device, others, run.engine)
        return _execute(run, stages, only, forced)


def follow(run: Run) -> None:
    """In a process other than 0: does what process 0 gives it to do."""
    do_tasks(partial(do_task, run.config, run.folder, run.device))


def _execute(run: Run, stages: Sequence[Stage], only: str | None, forced: Sequence[str]) -> ScoreResult | None:
    watch = run.watch or (run.folder / LIVE).is_file()
    live = watched(run.config, run.name, run.folder) if watch else nullcontext(_ignored)
    with output_folder(run.folder, "run", "--out"), live as begin:
        for stage in stages:
            if only == stage.name:
                for source in stage.inputs:
                    source.require_current()
            if only in (None, stage.name):
                begin(_name(stage, run))
                _advance(stage, run, stage.name in forced)
        if only not in (None, *STAGES[STAGES.index(SCORE) :]):
            return None
        for stage in stages:
            if stage.name == SCORE:
                stage.require_current()
        result = write_results(run.config, run.name, run.folder, run.device, stages)
        report(run.folder)
        _warn_of_earlier_browser(run.folder)
        return result


def _warn_of_earlier_browser(folder: Path) -> None:
    browser = folder / REPORT_FOLDER / INDEX
    if browser.is_file() and browser.stat().st_mtime_ns < (folder / RESULTS).stat().st_mtime_ns:
        log.warning("%s shows earlier results; write it again with asr report --audio", browser)


def _ignored(stage: str) -> None:
    """Nobody watches."""


def _name(stage: Stage, run: Run) -> str:
    return str(stage.folder.relative_to(run.folder))


def _advance(stage: Stage, run: Run, forced: bool) -> None:
    name = _name(stage, run)
    if not forced and stage.is_current():
        log.info("%s: up to date", name)
    else:
        log.info("%s: running", name)
        stage.run(from_scratch=forced)
    if left_out := skipped(stage):
        log.warning("%s: %s skipped, see %s", name, count(len(left_out), "utterance"), stage.folder / SUMMARY)
