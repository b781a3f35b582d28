"""`asr export`: a trained model as a graph that runs without PyTorch."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Model, WordLexicon, chosen_lexicon

log = logging.getLogger(__name__)


class Format(StrEnum):
    onnx = "onnx"
    web = "web"


class Precision(StrEnum):
    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"


def export_command(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Folder for model.onnx and the files that decoding needs.")],
    form: Annotated[
        Format,
        typer.Option("--format", help="onnx (a folder for asr.load), or web (a page that runs it in a browser)."),
    ] = Format.onnx,
    precision: Annotated[
        Precision | None,
        typer.Option(
            "--precision",
            help="Precision of the weights: fp16 halves the size, int8 quarters it.",
            show_default="fp32; int8 for web",
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the npm package onnxruntime-web, for --format web.",
            show_default="that of web/ in a source tree",
        ),
    ] = None,
    lexicon: WordLexicon = None,
    webgpu: Annotated[
        bool,
        typer.Option("--webgpu", help="Run on the GPU where the browser can, for --format web; 2.6 MB larger."),
    ] = False,
) -> None:
    """Export a model to run without PyTorch: one graph, from samples to log posteriors.

    `asr.load(OUT)` in Python, `asr transcribe OUT` and `asr align OUT` run it with onnxruntime.
    """
    from asr.errors import InputError

    if form != Format.web and (webgpu or lexicon is not None or runtime is not None):
        raise InputError("--runtime, --lexicon and --webgpu are for the page; give --format web too")
    try:
        from asr.export.export import export
    except ModuleNotFoundError as error:
        raise InputError('asr export needs ONNX: pip install "asr-phones[export]"') from error

    if form == Format.web:
        from asr.serve.web_export import export_web

        precision = precision or Precision.int8
        size = export_web(model, out, precision.value, runtime, chosen_lexicon(lexicon), webgpu)
    else:
        precision = precision or Precision.fp32
        size = export(model, out, precision.value)
    log.info("%s: %.1f MB (%s, %s)", out, size / 1e6, form.value, precision.value)
