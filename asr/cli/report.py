"""`asr report`: report.html and report.md of a run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from asr.errors import InputError


def report_command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, such as runs/timit_sample/dnn.")],
    audio: Annotated[
        Literal["link", "embed", "none"] | None,
        typer.Option(
            help="Also write the folder report/ with an error browser: link plays the corpus's files where they are, "
            "embed copies them into the folder, none leaves out sound and pictures."
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            help="Write the folder beside-OTHER/ instead: both runs in one error browser, where they differ, and "
            "whether one is better. --audio is link unless given.",
            metavar="OTHER",
        ),
    ] = None,
    intervals: Annotated[
        bool,
        typer.Option(
            "--intervals",
            help="Align both sides with the run's model: the error browser then shows the earliest and latest "
            "plausible time of each boundary, and places references that have no times.",
        ),
    ] = False,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write the confusion matrix, and spectrograms with reference and hypothesis, for TensorBoard "
            "(extra plot).",
        ),
    ] = False,
    sclite: Annotated[
        bool,
        typer.Option("--sclite", help="Also write sclite.pra and sclite.dtl, as NIST's sclite does, of all folds."),
    ] = False,
) -> None:
    """Write report.html (a single file that works offline) and report.md into a run's folder."""
    if beside is not None and (tensorboard or sclite):
        raise InputError("--beside writes a folder of its own; give --tensorboard and --sclite without it")
    if intervals and beside is None and audio is None:
        raise InputError("--intervals is for the error browser; give --audio link, embed or none too")
    from asr.report.browser.folder import beside_folder, report_folder
    from asr.report.plotting.tensorboard import tensorboard_images
    from asr.report.report import report, sclite_listings
    from asr.report.run_files import require_run
    from asr.storage.output_folder import output_folder

    require_run(run)
    if beside is not None:
        with output_folder(run, "run", "RUN"):
            print(beside_folder(run, beside, audio or "link", intervals))
        return
    with output_folder(run, "run", "RUN"):
        html = report(run)
        index = report_folder(run, audio, intervals) if audio else None
        others = sclite_listings(run) if sclite else []
        others += [tensorboard_images(run)] if tensorboard else []
    print(html)
    print(html.with_suffix(".md"))
    for path in ([index] if index else []) + others:
        print(path)
