"""The folder of a model from what a user gives as MODEL."""

import logging
from functools import cache
from pathlib import Path

from asr.errors import InputError
from asr.named_models.box import box_models
from asr.named_models.hub import PREFIX, hub_folder
from asr.storage.output_record import kind_of
from asr.storage.run_layout import ONNX_MODEL, WEIGHTS, bundle_places

log = logging.getLogger(__name__)

MODEL_KINDS = frozenset({"run", "train", "decode", "export", "model pack"})
"""The commands whose output folders hold a model, or will when they are finished."""


def model_folder(model: Path | str) -> Path:
    """The folder of a run, a bundle or an exported model.

    `model` is such a folder, the name of a model in the box, or `hf:org/name@revision`. A folder with the name of a
    model in the box goes first if it is a run or a model; one with other files, such as transcripts, does not. Raises
    InputError where there is none, and as `hub_folder` does.
    """
    name = model if isinstance(model, str) else model.as_posix()
    if name.startswith(PREFIX):
        return hub_folder(name)
    path, box = Path(model), box_models()
    if name in box:
        if not _is_run_or_model(path):
            return box[name]
        _say_hidden(path.absolute(), name)
    if path.is_dir():
        return path
    raise InputError(
        "no such folder; give the folder of a run or a model, hf:org/name, or the name of a model in the box "
        f"({', '.join(box) or 'it is empty'})",
        path,
    )


def _is_run_or_model(path: Path) -> bool:
    if not path.is_dir():
        return False
    files = [*(place / WEIGHTS for place in bundle_places(path)), path / ONNX_MODEL]
    return any(file.is_file() for file in files) or kind_of(path) in MODEL_KINDS


@cache
def _say_hidden(path: Path, name: str) -> None:
    log.info("%s: using this folder, not the model in the box called %s", path, name)
