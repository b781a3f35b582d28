"""Opens a trained model, as a bundle or as the graph exported from one, and what scores audio with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from asr.acoustics.audio_scorer import AudioScorer
from asr.acoustics.onnx_model import OnnxModel, OnnxScorer, read_onnx_model
from asr.acoustics.tables import TrainedModel
from asr.errors import InputError
from asr.named_models.model_folder import model_folder
from asr.storage.run_layout import ONNX_MODEL, WEIGHTS

if TYPE_CHECKING:
    import torch


def read_model(path: Path | str, device: "torch.device | str" = "cpu") -> TrainedModel:
    """The bundle, the bundle of the run, or the exported model that `path` is (see `model_folder`); an exported one
    needs no PyTorch.

    Raises InputError when it is missing or damaged.
    """
    path = model_folder(path)
    if _runs_as_onnx(path):
        return read_onnx_model(path)
    with _pytorch(path):
        from asr.acoustics.bundle import read_bundle

    return read_bundle(path, device)


def device_for(path: Path | str, name: str) -> "torch.device | str":
    """The device of a name (see `asr.device.choose_device`) for a MODEL; the CPU for an exported one.

    Raises InputError for a model or a device that is not there.
    """
    path = model_folder(path)
    if _runs_as_onnx(path):
        return "cpu"
    with _pytorch(path):
        from asr.device import choose_device

    return choose_device(name)


def _runs_as_onnx(path: Path) -> bool:
    """Whether a model is an exported one, or has a graph too and PyTorch is not installed."""
    return (path / ONNX_MODEL).is_file() and not ((path / WEIGHTS).is_file() and find_spec("torch"))


@contextmanager
def _pytorch(path: Path) -> Iterator[None]:
    """Raises InputError where PyTorch is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        message = "needs PyTorch: pip install torch; or export it where PyTorch is, with asr export"
        raise InputError(message, path) from error


def first_alone(model: TrainedModel) -> TrainedModel:
    """A bundle without the further models of its ensemble. An exported model stays as it is."""
    if isinstance(model, OnnxModel):
        return model
    from asr.acoustics.bundle import Bundle

    assert isinstance(model, Bundle)
    return replace(model, ensemble=())


def audio_scorer(model: TrainedModel, device: "torch.device | str" = "cpu") -> AudioScorer:
    """What scores audio with a model: an exported one on the CPU, a bundle on the device."""
    if isinstance(model, OnnxModel):
        return OnnxScorer(model)
    from asr.acoustics.bundle import Bundle
    from asr.acoustics.waveform_scorer import WaveformScorer

    assert isinstance(model, Bundle)
    return WaveformScorer(model, device)
