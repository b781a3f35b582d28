"""`asr export --format web`: the live page as a folder of static files, with the model in the browser.

model.onnx and the files beside it are an exported model as `asr.load` reads it. The page runs it with onnxruntime-web
in a worker (web/worker/), whose searches are those of `asr.decoding.search`.
"""

import gzip
import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

from asr.acoustics.loading import read_model
from asr.acoustics.onnx_model import write_onnx_manifest
from asr.acoustics.tables import TrainedModel
from asr.export.export import export
from asr.export.precision import Precision
from asr.phones.lexicon import CMUDICT
from asr.phones.pronounce import cmudict_licence
from asr.serve.exported_per import exported_per
from asr.serve.limits import Limits
from asr.serve.page_files import INDEX, PAGE, WORKER
from asr.serve.web_alignment import packed_lexicon
from asr.serve.web_decoder import decoder_json
from asr.serve.web_runtime import RUNTIME_VERSION, SOURCE_TREE, WASM, WEBGPU, find_runtime
from asr.storage.files import remove, write_bytes, write_text
from asr.storage.json_files import read_json
from asr.storage.output_folder import output_folder
from asr.storage.run_layout import LM, ONNX_MANIFEST, ONNX_MODEL, PACKED_LM
from asr.version import __version__

log = logging.getLogger(__name__)

LICENCE, DICTIONARY_LICENCE = "onnxruntime-web.LICENSE.txt", "cmudict.LICENSE.txt"
DECODER, LEXICON, ABOUT, FILES = "decoder.json.gz", "lexicon.txt.gz", "about.json", "files.json"
LONGEST = 60.0
"""Seconds of a recording; longer ones would be cut at pauses, which the page does not do."""

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)


def export_web(
    model: Path,
    out: Path,
    precision: Precision,
    runtime: Path | None = None,
    lexicon: str | None = None,
    webgpu: bool = False,
) -> int:
    """Writes the page with a model into a folder of its own; returns the size of all in bytes.

    `runtime` is the folder of the npm package onnxruntime-web, by default that of a source tree; with `webgpu` the page
    runs its model on the GPU where the browser can. `lexicon`, a file or `cmudict`, is for aligning words. Raises
    InputError where one of them is missing or onnxruntime-web has another version, and as `export` does.
    """
    build = WEBGPU if webgpu else WASM
    package = find_runtime(runtime or SOURCE_TREE, build)
    export(model, out, precision)
    with output_folder(out, "export", "OUT"):
        _pack_language_model(out)
        exported = read_model(out, "cpu")
        decoder = decoder_json(exported) | {"runtime": build.to_json()}
        write_bytes(out / DECODER, _packed(json.dumps(decoder).encode()))
        words = _write_lexicon(out, lexicon, exported)
        quality = exported_per(model, out, precision)
        if quality:
            log.info("%s", quality)
        write_text(out / ABOUT, json.dumps(_about(exported, Path(model).resolve().name, quality, bool(words))))
        for path in sorted((*PAGE.iterdir(), *WORKER.iterdir())):
            write_text(out / path.name, path.read_text(encoding="utf-8"))
        write_text(out / INDEX, _index())
        build.write(package, out)
        write_text(out / "README.md", _readme(precision, quality, lexicon == CMUDICT))
        needed = [INDEX, "live.css", "live.js", "recorder.js", "worker.js", DECODER, ABOUT, ONNX_MODEL, *build.files]
        needed += [*words, *([PACKED_LM] if exported.config.decoding.search == "prefix_beam" else [])]
        write_text(out / FILES, json.dumps({"version": _digest(out, needed), "files": ["./", *needed]}))
    return sum(path.stat().st_size for path in out.iterdir() if path.is_file())


def _write_lexicon(out: Path, lexicon: str | None, model: TrainedModel) -> list[str]:
    """Writes the words that the page aligns; returns the name of the file, or nothing without a lexicon."""
    for name in (LEXICON, DICTIONARY_LICENCE):
        remove(out / name)
    if lexicon is None:
        return []
    write_bytes(out / LEXICON, packed_lexicon(lexicon, model.config))
    if lexicon == CMUDICT:
        write_bytes(out / DICTIONARY_LICENCE, cmudict_licence().read_bytes())
    return [LEXICON]


def _about(model: TrainedModel, name: str, quality: str, words: bool) -> dict[str, Any]:
    return {
        "name": f"{name}, in this browser",
        "quality": quality,
        "version": __version__,
        "sample_rate": model.config.features.sample_rate,
        "phones": list(model.config.targets.phone_set),
        "words": words,
        "limits": {"megabytes": Limits().megabytes, "seconds": LONGEST, "live_seconds": LONGEST},
    }


def _index() -> str:
    """The page, which recognises speech itself (see web/live/main.ts)."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    text = (PAGE / INDEX).read_text(encoding="utf-8")
    return text.replace("<html ", '<html data-engine="local" ').replace("<head>", f"<head>\n{policy}")


def _readme(precision: str, quality: str, cmudict: bool) -> str:
    dictionary = f"\n{LEXICON} is the CMU Pronouncing Dictionary ({DICTIONARY_LICENCE}).\n" if cmudict else ""
    return (
        "# Phones in the browser\n\n"
        "A static page: it needs a web server, as browsers run no workers from files, but no program on it. Try\n\n"
        "    python -m http.server --bind 127.0.0.1 --directory .\n\n"
        "and open http://127.0.0.1:8000/. After the first visit it works without a network. Recordings never leave\n"
        f"the browser. The model's weights are {precision}. `asr.load` reads this folder too.\n\n"
        + (f"{quality}.\n\n" if quality else "")
        + f"onnxruntime-web {RUNTIME_VERSION} is under the MIT licence ({LICENCE}).\n"
        + dictionary
    )


def _pack_language_model(folder: Path) -> None:
    """Packs the language model of an exported model, as the page reads it."""
    if (folder / LM).is_file():
        head = read_json(folder / ONNX_MANIFEST)
        write_bytes(folder / PACKED_LM, _packed((folder / LM).read_bytes()))
        remove(folder / LM)
        write_onnx_manifest(folder, head["precision"], head["subsampling"])


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _digest(folder: Path, names: list[str]) -> str:
    """Identifies the content of files."""
    found = sha256()
    for name in names:
        found.update(sha256((folder / name).read_bytes()).digest())
    return found.hexdigest()[:16]
