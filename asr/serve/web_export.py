"""`asr export --format web`: the live page as a folder of static files, with the model in the browser.

model.onnx and the files beside it are an exported model as `asr.load` reads it. The page runs it with onnxruntime-web
in a worker (web/worker/), whose search is that of `asr.decoding.search.token_passing`.
"""

import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from asr.acoustics.loading import read_model
from asr.acoustics.onnx_model import ONNX_MODEL
from asr.acoustics.priors import PRIOR_FLOOR
from asr.acoustics.tables import TrainedModel
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.decode import Decoder
from asr.errors import InputError
from asr.export.export import export
from asr.export.precision import Precision
from asr.features.mel import window_samples
from asr.serve.app import INDEX, PAGE
from asr.serve.limits import Limits
from asr.storage.files import complete_file, write_text
from asr.storage.output_folder import output_folder
from asr.version import __version__

log = logging.getLogger(__name__)

SCRIPTS = Path(__file__).parent / "web"
RUNTIME_VERSION = "1.22.0"
"""Of onnxruntime-web, as pinned in web/package.json."""
RUNTIME_FILES = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LICENCE = "onnxruntime-web.LICENSE.txt"
SOURCE_TREE = Path(__file__).parents[2] / "web" / "node_modules" / "onnxruntime-web"
DECODER, ABOUT, FILES = "decoder.json", "about.json", "files.json"
LONGEST = 60.0
"""Seconds of a recording; longer ones would be cut at pauses, which the page does not do."""

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)


def export_web(model: Path, out: Path, precision: Precision, runtime: Path | None = None) -> int:
    """Writes the page with a model into a folder of its own; returns the size of all in bytes.

    `runtime` is the folder of the npm package onnxruntime-web, by default that of a source tree. Raises InputError
    where it is missing or of another version, for a search that does not run in browsers, and as `export` does.
    """
    runtime = _runtime(runtime or SOURCE_TREE)
    export(model, out, precision)
    exported = read_model(out, "cpu")
    if exported.config.decoding.search != "graph":
        search = exported.config.decoding.search
        raise InputError(f"decoding.search: {search} does not run in web browsers; decode with search: graph", out)
    with output_folder(out, "export", "OUT"):
        write_text(out / DECODER, json.dumps(decoder_json(bundle_decoder(exported, exported.tuning), exported)))
        write_text(out / ABOUT, json.dumps(_about(exported, Path(model).resolve().name)))
        for path in sorted(PAGE.iterdir()):
            if path.name != INDEX:
                write_text(out / path.name, path.read_text(encoding="utf-8"))
        for path in sorted(SCRIPTS.iterdir()):
            write_text(out / path.name, path.read_text(encoding="utf-8"))
        write_text(out / INDEX, _index())
        for name in RUNTIME_FILES:
            _copy(runtime / "dist" / name, out / name)
        write_text(out / "README.md", _readme(precision))
        needed = [INDEX, "live.css", "live.js", "recorder.js", "worker.js", DECODER, ABOUT, ONNX_MODEL, *RUNTIME_FILES]
        write_text(out / FILES, json.dumps({"version": _digest(out, needed), "files": ["./", *needed]}))
    return sum(path.stat().st_size for path in out.iterdir() if path.is_file())


def decoder_json(decoder: Decoder, model: TrainedModel) -> dict[str, Any]:
    """What the worker needs to turn log posteriors into phones (see web/worker/worker.ts)."""
    flat = decoder.graph_search.flat
    entering = flat.entering
    offsets = (decoder.prior_scale * np.log(np.maximum(decoder.priors, PRIOR_FLOOR))).astype(np.float32)
    graph = {
        "start": flat.start,
        "states": flat.states,
        "first": entering.first.tolist(),
        "sources": entering.sources.tolist(),
        "labels": entering.labels.tolist(),
        "phones": flat.phones[entering.numbers].tolist(),
        "costs": entering.costs.tolist(),
        "freeSources": flat.free_sources.tolist(),
        "freeTargets": flat.free_targets.tolist(),
        "freePhones": flat.free_phones.tolist(),
        "freeCosts": flat.free_costs.tolist(),
        "finals": [cost if np.isfinite(cost) else None for cost in flat.finals.tolist()],
    }
    return {
        "graph": graph,
        "phones": list(decoder.phones),
        "offsets": offsets.tolist(),
        "scale": decoder.acoustic_scale,
        "beam": decoder.graph_search.beam if np.isfinite(decoder.graph_search.beam) else 1e30,
        "offset": decoder.times.offset,
        "shift": decoder.times.shift,
        "sampleRate": model.config.features.sample_rate,
        "shortest": window_samples(model.config.features),
    }


def _about(model: TrainedModel, name: str) -> dict[str, Any]:
    return {
        "name": f"{name}, in this browser",
        "version": __version__,
        "sample_rate": model.config.features.sample_rate,
        "phones": list(model.config.targets.phone_set),
        "words": False,
        "align": False,
        "limits": {"megabytes": Limits().megabytes, "seconds": LONGEST, "live_seconds": LONGEST},
    }


def _index() -> str:
    text = (PAGE / INDEX).read_text(encoding="utf-8")
    return text.replace(
        '<meta name="color-scheme"',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<meta name="color-scheme"',
    )


def _readme(precision: str) -> str:
    return (
        "# Phones in the browser\n\n"
        "A static page: it needs a web server, as browsers run no workers from files, but no program on it. Try\n\n"
        "    python -m http.server --bind 127.0.0.1 --directory .\n\n"
        "and open http://127.0.0.1:8000/. After the first visit it works without a network. Recordings never leave\n"
        f"the browser. The model's weights are {precision}. `asr.load` reads this folder too.\n\n"
        f"onnxruntime-web {RUNTIME_VERSION} is under the MIT licence ({LICENCE}).\n"
    )


def _runtime(folder: Path) -> Path:
    """The folder of onnxruntime-web. Raises InputError where it is not there, or of another version."""
    fix = f"npm pack onnxruntime-web@{RUNTIME_VERSION}, unpack it, and give its folder package/ as --runtime"
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"onnxruntime-web is not there: {fix}", folder) from error
    if version != RUNTIME_VERSION:
        raise InputError(f"onnxruntime-web is {version}; the page needs {RUNTIME_VERSION}: {fix}", folder)
    for name in RUNTIME_FILES:
        if not (folder / "dist" / name).is_file():
            raise InputError(f"dist/{name} is missing: {fix}", folder)
    return folder


def _copy(source: Path, target: Path) -> None:
    with complete_file(target, "wb") as file:
        file.write(source.read_bytes())


def _digest(folder: Path, names: list[str]) -> str:
    """Identifies the content of files."""
    found = sha256()
    for name in names:
        found.update(sha256((folder / name).read_bytes()).digest())
    return found.hexdigest()[:16]
