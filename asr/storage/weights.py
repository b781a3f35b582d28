"""Weights of a network, and other tensors of a training, in safetensors files."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from asr.errors import InputError
from asr.storage.checksums import arrays_crc32
from asr.storage.files import complete_file

Tensors = dict[str, Tensor]

_HEAD = "asr"  # a single key: safetensors writes several in random order


def save_weights(path: Path, tensors: Tensors) -> None:
    """Writes tensors from any device; the file is complete or absent."""
    with complete_file(path, "wb") as file:
        file.write(save(_on_cpu(tensors)))


def read_weights(path: Path) -> Tensors:
    """The tensors of a file. Raises InputError when it is missing or damaged, or a weight is not a finite number."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError("missing or damaged; copy it again, or train the model again", path) from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            reason = f"{name} has weights that are not finite numbers (NaN or infinity): its training has diverged"
            raise InputError(f"{reason}; train the model again", path)
    return tensors


def count_weights(path: Path) -> int:
    """The number of weights in a file. Raises InputError when it is missing or damaged."""
    try:
        with safe_open(path, "pt") as file:
            return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise InputError("missing or damaged; copy it again", path) from error


def load_weights(path: Path, model: nn.Module) -> None:
    """Loads a network's weights. Raises InputError when the file is missing, damaged, or belongs to another network,
    and for weights that are not finite numbers."""
    tensors = read_weights(path)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError("not the weights of the model in recipe.yaml next to it", path) from error


def save_checked(path: Path, tensors: Tensors, head: dict[str, Any]) -> None:
    """Writes tensors from any device with a `head` of JSON, and a checksum of all; the file is complete or absent."""
    stored = _on_cpu(tensors)
    row = json.dumps({**head, "crc32": _crc32(stored, head)})
    with complete_file(path, "wb") as file:
        file.write(save(stored, {_HEAD: row}))


def read_checked(
    path: Path, wanted: Callable[[dict[str, Any]], bool] = lambda head: True
) -> tuple[dict[str, Any], Tensors]:
    """The head and the tensors that `save_checked` wrote; no tensors where the head is not `wanted`.

    Raises ValueError when the file is missing, damaged, or has changed since.
    """
    try:
        with safe_open(path, "pt") as file:
            head = json.loads((file.metadata() or {}).get(_HEAD, "{}"))
            crc = head.pop("crc32", None)
            if not wanted(head):
                return head, {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, AttributeError, LookupError, TypeError) as error:
        raise ValueError("damaged") from error
    if _crc32(tensors, head) != crc:
        raise ValueError("damaged")
    return head, tensors


def _on_cpu(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _crc32(tensors: Tensors, head: dict[str, Any]) -> int:
    return arrays_crc32(head, {name: tensor.numpy() for name, tensor in tensors.items()})
