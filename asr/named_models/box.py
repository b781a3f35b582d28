"""The models in the box: those that ship with the package, each a bundle in a folder of its name in data/models."""

from pathlib import Path

from asr.data_files import data_path
from asr.storage.run_layout import WEIGHTS


def box_folder() -> Path:
    """The folder with the models in the box."""
    return data_path("models")


def box_models() -> dict[str, Path]:
    """The folder of each model in the box by its name, sorted."""
    return {path.parent.name: path.parent for path in sorted(box_folder().glob(f"*/{WEIGHTS}"))}
