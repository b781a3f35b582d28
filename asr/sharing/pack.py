"""`asr model pack`: a run's bundle as a small folder that can be shared, with its card."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from asr.acoustics.bundle import Bundle, read_bundle
from asr.acoustics.bundle_manifest import lm_path, model_folders, write_manifest
from asr.acoustics.onnx_model import write_onnx_manifest
from asr.errors import InputError
from asr.lm.arpa import read_arpa, write_arpa
from asr.lm.pruning import prune
from asr.sharing.card import CardChoices, card_facts, write_facts
from asr.storage.files import write_bytes
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import (
    CLASSES,
    CMVN,
    DECODING_WEIGHTS,
    LM,
    MODEL_PHONES,
    ONNX_MODEL,
    PACKED_LM,
    RECIPE,
    TIMING_CLASSES,
    WEIGHTS,
)
from asr.storage.weights import Tensors, read_weights, save_weights

if TYPE_CHECKING:
    from asr.export.precision import Precision

log = logging.getLogger(__name__)

DECIMALS = 4
"""Of the logarithms of the n-gram."""

_COPIED = (RECIPE, MODEL_PHONES, CLASSES, TIMING_CLASSES, CMVN, DECODING_WEIGHTS)


@dataclass(frozen=True)
class Packing:
    """`half`: weights are stored as float16. `prune` is the threshold of `asr.lm.pruning.prune`. `onnx`: with the graph
    too, which runs where PyTorch is not installed, in this precision."""

    half: bool = False
    prune: float = 0.0
    onnx: "Precision | None" = None


def pack(model: Path, out: Path, packing: Packing, choices: CardChoices) -> int:
    """Writes the bundle of a run, or of another model with a card.json, to a folder of its own with its card; returns
    the size of all files in bytes.

    The files of an earlier pack into `out` are replaced. Raises InputError for a model that is damaged or not tuned
    yet, for one whose facts or licence are not known, for weights that float16 cannot hold, and for an `out` that holds
    other files.
    """
    bundle = read_bundle(model)
    if not bundle.lm_path.is_file():
        raise InputError(f"has no {LM}, which decoding adds; give the bundle that asr decode wrote", bundle.folder)
    if out.resolve() == bundle.folder.resolve():
        raise InputError("is the model itself; choose another OUT", out)
    facts = card_facts(model, bundle.folder, replace(choices, name=choices.name or out.resolve().name))
    graph = _graph(bundle, packing.onnx) if packing.onnx else b""
    with output_folder(out, "model pack", "OUT") as owner:
        owner.clear()
        for source in reversed(model_folders(bundle.folder)):  # its own list of files has those of its ensemble
            _pack_files(source, out / source.relative_to(bundle.folder), packing)
        if packing.onnx:
            write_bytes(out / ONNX_MODEL, graph)
            write_onnx_manifest(out, packing.onnx, bundle.subsampling)
        write_facts(out, facts)
        return sum(path.stat().st_size for path in owner.recorded(out))


def _graph(bundle: Bundle, precision: "Precision") -> bytes:
    try:
        from asr.export.export import graph_content
    except ModuleNotFoundError as error:
        raise InputError('--onnx needs ONNX: pip install "asr-phones[export]"') from error
    return graph_content(bundle, precision)


def _pack_files(source: Path, out: Path, packing: Packing) -> None:
    tensors = read_weights(source / WEIGHTS)
    save_weights(out / WEIGHTS, _halved(tensors, source / WEIGHTS) if packing.half else tensors)
    for name in _COPIED:
        if (source / name).is_file():
            write_bytes(out / name, (source / name).read_bytes())
    if (lm := lm_path(source)).is_file():
        ngrams = prune(read_arpa(lm).unpacked(), packing.prune)
        log.info("Language model: %d n-grams", len(ngrams.probabilities))
        write_arpa(out / PACKED_LM, ngrams, DECIMALS)
    stored = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    write_manifest(out, weights="float16" if packing.half or stored == {torch.float16} else "float32")


def _halved(tensors: Tensors, path: Path) -> Tensors:
    halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    for name, tensor in halved.items():
        if not tensor.isfinite().all():
            raise InputError(f"{name} has weights beyond the range of float16; leave --half out", path)
    return halved
