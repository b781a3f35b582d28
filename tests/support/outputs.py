"""A command that replaces its outputs together, to be killed in the middle."""

from pathlib import Path

from asr.storage.outputs import complete_outputs

NAMES = ("bundle", "test", "speed.json", "tuning.json")


def write_new(folder: Path) -> None:
    with complete_outputs(folder, NAMES, "speed.json") as out:
        (out / "bundle").mkdir()
        (out / "bundle" / "model").write_text("new")
        (out / "speed.json").write_text("new")
