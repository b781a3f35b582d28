"""Weights of a network in a safetensors file."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from asr.errors import InputError
from asr.storage.files import complete_file


def save_weights(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Writes tensors from any device; the file is complete or absent."""
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with complete_file(path, "wb") as file:
        file.write(save(stored, metadata))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file. Raises InputError when it is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError("missing or damaged; copy it again, or train the model again", path) from error


def load_weights(path: Path, model: nn.Module) -> None:
    """Loads a network's weights. Raises InputError when the file is missing, damaged, or belongs to another network."""
    try:
        model.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise InputError("not the weights of the model in recipe.yaml beside it", path) from error
