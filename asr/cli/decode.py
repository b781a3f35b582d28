"""`asr decode`: the decoding stage alone."""

from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device, Features, Prepared, Settings


def decode_command(
    bundle: Annotated[Path, typer.Argument(help="A run without folds, or a model, as in asr transcribe.")],
    prepared: Prepared,
    features: Features,
    out: Annotated[Path, typer.Argument(help="Folder for hypotheses, references and the tuned model bundle.")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    tune: Annotated[
        bool, typer.Option("--tune/--no-tune", help="Tune on dev, or use the weights that the bundle was tuned to.")
    ] = True,
    nbest: Annotated[
        int | None,
        typer.Option("--nbest", min=1, help="Write up to N phone sequences per utterance.", metavar="N"),
    ] = None,
    lattices: Annotated[
        bool, typer.Option("--lattices", help="Write lattices, as JSON and in Kaldi's text format.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Decode dev and test, with weights (acoustic and prior scale, insertion penalty, LM weight) tuned on dev."""
    from asr.acoustics.bundle import find_bundle, of_one_fold
    from asr.config.recipe_file import read_recipe
    from asr.decoding.stage import OUTPUTS, decode
    from asr.device import choose_device
    from asr.storage.output_folder import output_folder
    from asr.storage.outputs import restore_outputs
    from asr.storage.run_layout import HYPOTHESES, RECIPE, TEST

    asked = [f"decoding.nbest={nbest}"] * (nbest is not None) + ["decoding.lattices=true"] * lattices
    with output_folder(out, "decode", "OUT"):
        restore_outputs(out, OUTPUTS)  # the bundle may be one of them
        folder = find_bundle(of_one_fold(bundle))
        config = read_recipe(folder / RECIPE, [*settings, *asked])
        decode(config, folder, prepared, features, out, choose_device(device), tuned=tune)
    print(out / TEST / HYPOTHESES)
