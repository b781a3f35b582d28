"""`asr plot`: figures for papers."""

from pathlib import Path
from typing import Annotated

import typer

from asr.errors import InputError

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Draw figures for papers as PNG, SVG or PDF (extra plot)."
)

Out = Annotated[Path, typer.Option("--out", "-o", help="The figure; its end, .png, .svg or .pdf, is its format.")]
Width = Annotated[str, typer.Option("--width", help="Width with its unit: mm, cm, in or pt.")]
Start = Annotated[float, typer.Option("--from", min=0, help="Where the figure begins (s).")]
End = Annotated[float | None, typer.Option("--to", min=0, help="Where it ends (s).", show_default="the end")]
COLUMN = "85mm"


@app.command("curves", short_help="The training curves of runs")
def curves_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")], out: Out, width: Width = COLUMN
) -> None:
    """Draw loss and error over the epochs; several runs in one figure."""
    from asr.report.plotting.paper import check_format
    from asr.report.plotting.results import plot_curves

    check_format(out)
    plot_curves(runs, out, width)
    print(out)


@app.command("confusions", short_help="The confusion matrix of a run")
def confusions_command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")], out: Out, width: Width = COLUMN
) -> None:
    """Draw the confusion matrix of a run's test set, by phone class."""
    from asr.report.plotting.paper import check_format
    from asr.report.plotting.results import plot_confusions

    check_format(out)
    plot_confusions(run, out, width)
    print(out)


@app.command("spectrogram", short_help="The spectrogram of a recording")
def spectrogram_command(
    audio: Annotated[Path, typer.Argument(help="An audio file.")],
    out: Out,
    width: Width = COLUMN,
    start: Start = 0.0,
    end: End = None,
) -> None:
    """Draw the spectrogram of a recording or a part of it, 0 to 8 kHz."""
    from asr.corpora.recorded import Recorded
    from asr.report.plotting.paper import check_format
    from asr.report.plotting.speech import plot_speech

    check_format(out)
    plot_speech(Recorded(str(audio)), [], out, width, start, end)
    print(out)


@app.command("alignment", short_help="A spectrogram above words and phones")
def alignment_command(
    source: Annotated[
        Path,
        typer.Argument(
            help="A run (its reference and hypothesis), a file of asr align or asr transcribe in JSON Lines, or a "
            "TextGrid."
        ),
    ],
    out: Out,
    utterance: Annotated[str | None, typer.Option("--utterance", help="Which utterance of SOURCE.")] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="The recording.", show_default="the one that SOURCE names")
    ] = None,
    width: Width = COLUMN,
    start: Start = 0.0,
    end: End = None,
) -> None:
    """Draw a spectrogram above its words and phones; errors have a letter: S, D or I."""
    from asr.corpora.recorded import Recorded
    from asr.report.plotting.paper import check_format
    from asr.report.plotting.sources import spoken
    from asr.report.plotting.speech import plot_speech

    check_format(out)
    recorded, tiers = spoken(source, utterance)
    if audio is not None:
        recorded = Recorded(str(audio))
    if recorded is None:
        raise InputError("does not say where the recording is; give it with --audio", source)
    plot_speech(recorded, tiers, out, width, start, end)
    print(out)
