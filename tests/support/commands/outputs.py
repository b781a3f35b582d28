"""A command that replaces its outputs together, to be killed in the middle."""

from pathlib import Path

from asr.storage.files import write_text
from asr.storage.output_folder import output_folder
from asr.storage.outputs import complete_outputs

NAMES = ("bundle", "test", "speed.json", "tuning.json")


def write_new(folder: Path) -> None:
    with output_folder(folder, "decode", "OUT"), complete_outputs(folder, NAMES) as out:
        write_text(out / "bundle" / "model", "new")
        write_text(out / "speed.json", "new")
