"""`asr decode`: the decoding stage alone."""

from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device, Settings


def decode_command(
    bundle: Annotated[Path, typer.Argument(help="Model bundle that asr train wrote, or a run of one.")],
    prepared: Annotated[Path, typer.Argument(help="Folder of cut manifests that asr prepare wrote.")],
    features: Annotated[Path, typer.Argument(help="Folder of feature archives that asr features wrote.")],
    out: Annotated[Path, typer.Argument(help="Folder for hypotheses, references and the tuned bundle.")],
    settings: Settings = [],  # noqa: B006 - typer copies it
    tune: Annotated[
        bool, typer.Option("--tune/--no-tune", help="Tune on dev, or decode with what the bundle was tuned to.")
    ] = True,
    nbest: Annotated[
        int | None, typer.Option("--nbest", min=1, help="Write nbest.jsonl of so many phone sequences an utterance.")
    ] = None,
    lattices: Annotated[bool, typer.Option("--lattices", help="Write lattices, as JSON and as Kaldi's text.")] = False,
    device: Device = "auto",
) -> None:
    """Decode dev and test; the scales of scores and priors, insertion penalty and language model weight are tuned."""
    from asr.acoustics.bundle import find_bundle, of_one_fold
    from asr.config.recipe_file import read_recipe
    from asr.decoding.stage import OUTPUTS, decode
    from asr.device import choose_device
    from asr.storage.lock import locked
    from asr.storage.outputs import restore_outputs
    from asr.storage.run_layout import HYPOTHESES, RECIPE

    asked = [f"decoding.nbest={nbest}"] * (nbest is not None) + ["decoding.lattices=true"] * lattices
    with locked(out, "the argument OUT"):
        restore_outputs(out, OUTPUTS)  # the bundle may be among them
        folder = find_bundle(of_one_fold(bundle))
        config = read_recipe(folder / RECIPE, [*settings, *asked])
        decode(config, folder, prepared, features, out, choose_device(device), tuned=tune)
    print(out / "test" / HYPOTHESES)
