"""`asr`: registers the commands, and turns a user's mistake into one line and a non-zero exit status."""

import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from asr.cli.align import align_command
from asr.cli.compare import compare_command
from asr.cli.corpus import app as corpus_app
from asr.cli.decode import decode_command
from asr.cli.doctor import doctor_command
from asr.cli.export import export_command
from asr.cli.features import features_command
from asr.cli.messages import PROGRAM, codecs_silenced, show_messages
from asr.cli.model import app as model_app
from asr.cli.plot import app as plot_app
from asr.cli.prepare import app as prepare_app
from asr.cli.recipe import app as recipe_app
from asr.cli.report import report_command
from asr.cli.run import run_command
from asr.cli.score import score_command
from asr.cli.serve import serve_command
from asr.cli.train import train_command
from asr.cli.transcribe import transcribe_command
from asr.errors import InputError, gpu_failure, is_interrupt, is_out_of_memory
from asr.processes.launcher import end_with_launcher
from asr.processes.lost import LOST_STATUS, is_lost_process
from asr.processes.ranks import are_several, is_launched, rank
from asr.threads import share_the_processor
from asr.version import __version__

log = logging.getLogger(__name__)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help texts load no library
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(PROGRAM, __version__)
        raise typer.Exit


@app.callback()
def asr_options(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show more messages.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show more messages, warnings of libraries, and tracebacks of errors.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and leave.")
    ] = False,
) -> None:
    """Phoneme recognition: train and test on a corpus, transcribe and align your own recordings.

    --verbose and --debug may also follow the command.

    Exit status: 0 if all is done, 1 for an error, 2 for an unknown option or a value out of range, 130 after Ctrl-C.
    """
    show_messages(verbose, debug)
    context.with_resource(codecs_silenced())


app.command("run", short_help="Run a recipe, from the corpus to the report")(run_command)
app.add_typer(prepare_app, name="prepare", short_help="Read a corpus and write manifests of its cuts")
app.add_typer(corpus_app, name="corpus", short_help="Download public corpora, and describe prepared ones")
app.add_typer(model_app, name="model")
app.add_typer(recipe_app, name="recipe")
app.command("features", short_help="Compute the features of every split")(features_command)
app.command("train", short_help="Train a recipe's acoustic model")(train_command)
app.command("decode", short_help="Tune on dev, then decode dev and test")(decode_command)
app.command("score", short_help="Score hypotheses against references")(score_command)
app.command("report", short_help="Write a run's report.html and report.md")(report_command)
app.command("compare", short_help="Put runs side by side")(compare_command)
app.add_typer(plot_app, name="plot")
app.command("transcribe", short_help="Find the phones of your recordings, with their times")(transcribe_command)
app.command("align", short_help="Find when the phones or words of a transcript are said")(align_command)
app.command("serve", short_help="Open a page to speak to, and a JSON API")(serve_command)
app.command("export", short_help="Export a model to run without PyTorch")(export_command)
app.command("doctor", short_help="Check the installation, or the files of a run for damage")(doctor_command)

GLOBAL_OPTIONS = ("--verbose", "--debug")
INTERRUPTED = "Interrupted; rerun the same command to resume"
LOST = "Another process of this training ended; rerun the same command to resume"
INTERRUPTED_STATUS = 130
"""The exit status of a process that Ctrl-C ended (128 + SIGINT)."""
FIRST = 10.0
"""Seconds that process 0 has to say what is wrong in all; torchrun then ends the others before they say it too."""


def main() -> None:
    """Entry point of the console command."""
    share_the_processor()
    show_messages()
    end_with_launcher()
    try:
        _run()
    except BaseException as error:
        if not are_several() or (isinstance(error, SystemExit) and not error.code):
            raise
        _end_at_once(error)


def _run() -> None:
    try:
        app(args=_global_options_first(sys.argv[1:]))
    except InputError as error:
        _leave(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _leave(str(error) if error.errno else f"{error}; asr doctor checks the installation")
    except (MemoryError, RuntimeError) as error:
        if is_lost_process(error):
            if is_launched():  # the launcher reports why
                sys.exit(LOST_STATUS)
            _leave(LOST)
        if (said := gpu_failure(error)) is not None:
            _leave(f"the GPU failed: {said}; rerun the same command to resume, or add --device cpu")
        if not is_out_of_memory(error):
            raise
        _leave("out of memory: use a smaller model or shorter audio files, or choose another --device")
    except KeyboardInterrupt:
        _leave(INTERRUPTED, INTERRUPTED_STATUS)
    except SystemError as error:
        if not is_interrupt(error):
            raise
        _leave(INTERRUPTED, INTERRUPTED_STATUS)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED_STATUS:  # typer turns Ctrl-C into this
            _leave(INTERRUPTED, INTERRUPTED_STATUS)
        raise


def _end_at_once(error: BaseException) -> NoReturn:
    """Ends one of several processes that has failed: on its regular way out it would wait for the others to say
    goodbye, and they wait for it."""
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):  # closed
            stream.flush()
    os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)


def _global_options_first(arguments: Sequence[str]) -> list[str]:
    """Moves the options of `asr` itself, wherever they stand before a `--`, to the front."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    head = arguments[:end]
    return [
        *(name for name in head if name in GLOBAL_OPTIONS),
        *(name for name in head if name not in GLOBAL_OPTIONS),
        *arguments[end:],
    ]


def _leave(message: str, status: int = 1) -> NoReturn:
    if rank() and not is_launched():
        if status == INTERRUPTED_STATUS:  # Ctrl-C reaches all
            sys.exit(status)
        time.sleep(FIRST)
    log.error("%s", message, exc_info=True)
    sys.exit(status)
