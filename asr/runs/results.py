"""results.json of a run: the scores of all folds pooled, with what they were made with."""

from collections.abc import Sequence
from pathlib import Path

import torch

from asr.config import RecipeConfig
from asr.config.recipe_file import recipe_text
from asr.runs.environment import environment
from asr.runs.stage import Stage
from asr.runs.stages import STAGES, each_round, folds, skipped
from asr.scoring.results import ScoreResult, read_utterances, summarize
from asr.storage.files import remove, write_text
from asr.storage.json_files import json_text
from asr.storage.run_layout import ENVIRONMENT, RECIPE, RESULTS, SCORE, TEST, TRAIN, UTTERANCES


def write_results(
    config: RecipeConfig, name: str, folder: Path, device: torch.device, stages: Sequence[Stage]
) -> ScoreResult:
    """Pools the folds' scores into results.json in the run's `folder`; every utterance is tested in one fold only.

    Writes recipe.yaml and environment.json at the same time, so that the settings stored with the results are
    those that the results were made with.
    """
    # For each round of training, the utterances of each fold.
    rounds = [
        [read_utterances(scored / UTTERANCES) for scored in folders]
        for folders in each_round(config, *(folder / fold / SCORE for fold in folds(config)))
    ]
    pooled = [summarize((item for fold in each for item in fold), config.scoring, config.seed) for each in rounds]
    trained_on = _trained_on(stages)
    results = {
        **pooled[-1].to_json(),
        "recipe": name,
        "corpus": config.corpus.name,
        "split": TEST,
        "seed": config.seed,
        "seconds": _seconds(stages),
        "device": trained_on,
        "skipped": len({utterance for stage in stages for utterance in skipped(stage)}),
    }
    if len(pooled) > 1:
        results["rounds"] = [{"round": number, **result.treatments_json()} for number, result in enumerate(pooled)]
    if len(rounds[-1]) > 1:
        results["folds"] = [summarize(fold, config.scoring, config.seed).to_json() for fold in rounds[-1]]
    texts = {
        RECIPE: recipe_text(config),
        ENVIRONMENT: json_text({**environment(device), "device": trained_on}),
        RESULTS: json_text(results),
    }
    if not all(_holds(folder / name, text) for name, text in texts.items()):
        remove(folder / RESULTS)  # if this process is killed from here on, the run has no results
        for name, text in texts.items():
            write_text(folder / name, text)
    return pooled[-1]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _seconds(stages: Sequence[Stage]) -> dict[str, float]:
    """How long each stage took when it last ran, summed over the folds."""
    return {name: round(sum(stage.seconds() for stage in stages if stage.name == name), 1) for name in STAGES[:-1]}


def _trained_on(stages: Sequence[Stage]) -> str:
    """The device or devices that training last ran on; this command's own may be another."""
    devices = [stage.recorded_device() or "not recorded" for stage in stages if stage.name == TRAIN]
    return "; ".join(dict.fromkeys(devices))
