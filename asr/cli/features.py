"""`asr features`: the features stage alone."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.engine import EngineChoice, EngineName, cluster, device_here
from asr.cli.options import Device, Prepared, Settings, SkipBad

log = logging.getLogger(__name__)


def features_command(
    prepared: Prepared,
    out: Annotated[Path, typer.Argument(help="Folder for the feature archives.")],
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="The recipe's YAML file.", show_default="40 log-mel filterbanks")
    ] = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
    device: Device = "auto",
    skip_bad: SkipBad = False,
    engine: EngineChoice = EngineName.threads,
) -> None:
    """Compute the features of every split; each becomes one memory-mapped archive."""
    from asr.config import FeaturesConfig
    from asr.config.recipe_file import read_recipe
    from asr.errors import InputError, count

    if recipe is None and settings:
        raise InputError("--set changes a recipe; give one with --recipe")
    config = FeaturesConfig() if recipe is None else read_recipe(recipe, settings).features
    from asr.device import choose_device
    from asr.features.stage import extract_folder
    from asr.storage.output_folder import output_folder

    with output_folder(out, "features", "OUT"), cluster(engine, None, device) as ray:
        summaries = extract_folder(prepared, out, config, choose_device(device_here(engine, device)), skip_bad, ray)
    for name, summary in summaries.items():
        minutes = summary.seconds / 60
        print(f"{name:>12}: {summary.utterances:6d} utterances, {summary.frames:9d} frames, {minutes:7.1f} min")
        for utterance in summary.skipped:
            log.warning("skipped: %s: %s", utterance["utterance"], utterance["reason"])
        if summary.skipped:
            log.warning("%s: %s skipped", name, count(len(summary.skipped), "utterance"))
    print(out)
