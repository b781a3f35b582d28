"""`asr export`: a bundle as a folder that `asr.load` runs without PyTorch (see `asr.acoustics.onnx_model`)."""

from pathlib import Path

from asr.acoustics.bundle import Bundle, read_bundle
from asr.acoustics.onnx_model import COPIED, write_onnx_manifest
from asr.errors import InputError
from asr.export.graph import onnx_graph
from asr.export.precision import Precision, compact_fourier, forget_origin, shrink
from asr.features.mel import fft_size
from asr.storage.files import remove, write_bytes
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import LM, ONNX_MODEL

MOST_BYTES = 2_000_000_000
"""Of weights in one ONNX file; protobuf's limit is 2 GiB for the whole file."""


def export(model: Path, out: Path, precision: Precision = "fp32") -> int:
    """Exports a bundle, or that of a run, to a folder of its own; returns the size of the graph in bytes.

    Raises InputError for a bundle that is not tuned yet, settings or a model that cannot be exported, an `out` that
    holds other files, and where onnx is not installed.
    """
    bundle = read_bundle(model)
    if not bundle.lm_path.is_file():
        raise InputError(f"has no {LM}, which decoding adds; give the bundle that asr decode wrote", bundle.folder)
    content = graph_content(bundle, precision)
    with output_folder(out, "export", "OUT"):
        for name in COPIED:
            if (bundle.folder / name).is_file():
                write_bytes(out / name, (bundle.folder / name).read_bytes())
            else:
                remove(out / name)
        write_bytes(out / ONNX_MODEL, content)
        write_onnx_manifest(out, precision, bundle.subsampling)
    return len(content)


def graph_content(bundle: Bundle, precision: Precision) -> bytes:
    """The content of model.onnx. Raises InputError as `onnx_graph` does, and for more weights than a file holds."""
    size = sum(each.nbytes for one in (bundle, *bundle.ensemble) for each in one.model.state_dict().values())
    if size > MOST_BYTES:
        raise InputError(
            f"its weights are {size / 1e9:.1f} GB, and an ONNX file holds {MOST_BYTES / 1e9:.0f}; use the bundle as it "
            "is, or train a smaller model",
            bundle.folder,
        )
    graph = onnx_graph(bundle)
    forget_origin(graph)
    if bundle.config.features.type != "waveform":
        compact_fourier(graph, fft_size(bundle.config.features))
    content: bytes = shrink(graph, precision).SerializeToString()
    return content
