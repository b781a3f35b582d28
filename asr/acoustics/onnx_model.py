"""A model that `asr export` wrote: one ONNX graph from samples to log posteriors, run by onnxruntime without PyTorch.

export.json        the version of this layout, the precision of the weights, the output's subsampling, and the SHA-256
                   of each file that nobody edits
model.onnx         the graph: waveforms [B, S] (float32) and lengths [B] (int64, samples) in; log_posteriors [B, T, C]
                   (float32, natural) and frames [B] (int64) out; and of a model with a second output
                   timing_log_posteriors [B, T', F] and timing_frames [B]
recipe.yaml, phones.txt, classes.tsv, timing.tsv, lm.arpa(.gz), decoding.yaml    as in a bundle (see
                   `asr.acoustics.bundle`)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asr.acoustics.bundle_manifest import lm_path
from asr.acoustics.pieces import ScoredPiece, scored_pieces
from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.acoustics.tables import (
    ClassStatistics,
    Tuning,
    check_phones,
    read_statistics,
    read_timing,
    read_tuning,
)
from asr.audio.waveform import Waveform
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.features.mel import check_length
from asr.storage.files import file_digest
from asr.storage.json_files import read_json, write_json
from asr.storage.run_layout import (
    CLASSES,
    DECODING_WEIGHTS,
    LM,
    MODEL_PHONES,
    ONNX_MANIFEST,
    ONNX_MODEL,
    PACKED_LM,
    RECIPE,
    TIMING_CLASSES,
)

if TYPE_CHECKING:
    import onnxruntime

SCHEMA = 1
CHECKED = (ONNX_MODEL, MODEL_PHONES, CLASSES, TIMING_CLASSES, LM, PACKED_LM)
COPIED = (RECIPE, MODEL_PHONES, CLASSES, TIMING_CLASSES, LM, PACKED_LM, DECODING_WEIGHTS)
"""The files that an exported model shares with its bundle."""
AGAIN = "run asr export again"
OUTPUTS, TIMING_OUTPUTS = ("log_posteriors", "frames"), ("timing_log_posteriors", "timing_frames")


@dataclass(frozen=True)
class OnnxModel:
    """An exported model with all that is needed to turn its posteriors into phones."""

    folder: Path
    config: RecipeConfig
    statistics: ClassStatistics
    tuning: Tuning
    subsampling: int
    session: "onnxruntime.InferenceSession"
    timing: ClassStatistics | None = None

    @property
    def lm_path(self) -> Path:
        return lm_path(self.folder)


def write_onnx_manifest(folder: Path, precision: str, subsampling: int) -> None:
    """Writes export.json for the files that are in the folder."""
    files = {name: file_digest(folder / name) for name in CHECKED if (folder / name).is_file()}
    head = {"schema": SCHEMA, "precision": precision, "subsampling": subsampling}
    write_json(folder / ONNX_MANIFEST, {**head, "files": files})


def read_onnx_model(folder: Path) -> OnnxModel:
    """Reads what `asr export` wrote.

    Raises InputError for a file that is missing or damaged, another layout, and where onnxruntime is not installed.
    """
    head = _read_manifest(folder)
    config = read_recipe(folder / RECIPE)
    check_phones(folder / MODEL_PHONES, config)
    return OnnxModel(
        folder=folder,
        config=config,
        statistics=read_statistics(folder / CLASSES, config.class_names),
        tuning=read_tuning(folder),
        subsampling=head["subsampling"],
        session=_session(folder / ONNX_MODEL),
        timing=read_timing(folder, config),
    )


def _read_manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / ONNX_MANIFEST
    if not path.is_file():
        raise InputError(f"missing; copy the exported model again, or {AGAIN}", path)
    head = read_json(path)
    if not isinstance(head, dict) or head.get("schema") != SCHEMA:
        raise InputError(f"is not of schema {SCHEMA}, which this version of asr reads; {AGAIN}", path)
    files, subsampling = head.get("files"), head.get("subsampling")
    if not isinstance(files, dict) or ONNX_MODEL not in files or type(subsampling) is not int or subsampling < 1:
        raise InputError(f"damaged; {AGAIN}", path)
    for name in CHECKED:
        if name in files and (not (folder / name).is_file() or file_digest(folder / name) != files[name]):
            reason = f"missing, or not the file that {ONNX_MANIFEST} lists; copy the exported model again, or {AGAIN}"
            raise InputError(reason, folder / name)
    return head


def _session(path: Path) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise InputError('needs onnxruntime: pip install "asr-phones[onnx]"', path) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each of its errors, without a base
        raise InputError(f"onnxruntime cannot read this graph ({error}); {AGAIN}", path) from error


class OnnxScorer:
    """Runs the graph of an exported model on the CPU."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model

    def log_posteriors(self, waveform: Waveform) -> LogPosteriors:
        """The log posteriors [T, C] of samples [S]. Raises InputError when they are fewer than one frame."""
        return self.scored(waveform).log_posteriors

    def scored(self, waveform: Waveform) -> Scored:
        """Those of all outputs."""
        return self.batch([waveform])[0]

    def pieces(self, blocks: Iterable[Waveform], step: int = 1) -> Iterator[ScoredPiece]:
        """Those of a recording of any length; each piece is normalised by itself."""
        features, subsampling = self.model.config.features, self.model.subsampling
        return scored_pieces(blocks, self.scored, features, subsampling, step)

    def batch(self, waveforms: Sequence[Waveform]) -> list[Scored]:
        """Those of several recordings, computed together."""
        lengths = np.array([len(waveform) for waveform in waveforms], np.int64)
        check_length(int(lengths.min()), self.model.config.features)
        padded = np.zeros((len(waveforms), int(lengths.max())), np.float32)
        for row, waveform in zip(padded, waveforms, strict=True):
            row[: len(waveform)] = waveform
        outputs = [*OUTPUTS, *([] if self.model.timing is None else TIMING_OUTPUTS)]
        found = self.model.session.run(outputs, {"waveforms": padded, "lengths": lengths})
        kept = [
            [row[:count] for row, count in zip(scored, frames.tolist(), strict=True)]
            for scored, frames in zip(found[::2], found[1::2], strict=True)
        ]
        return [Scored(*each) for each in zip(*kept, strict=True)]
