"""`asr`: registers the commands, and turns a user's mistake into one line and a non-zero exit."""

import logging
import sys
from typing import NoReturn

import typer

from asr.cli.align import align_command
from asr.cli.compare import compare_command
from asr.cli.decode import decode_command
from asr.cli.features import features_command
from asr.cli.model import app as model_app
from asr.cli.prepare import app as prepare_app
from asr.cli.recipe import app as recipe_app
from asr.cli.report import report_command
from asr.cli.run import run_command
from asr.cli.score import score_command
from asr.cli.train import train_command
from asr.cli.transcribe import transcribe_command
from asr.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help texts are plain, and there sooner
    help="Phoneme recognition: from audio to a phone error rate table, and to your own recordings.",
)
app.command("run", short_help="Run a recipe, from the corpus to the report")(run_command)
app.add_typer(prepare_app, name="prepare", short_help="Read a corpus and write manifests of its cuts")
app.add_typer(model_app, name="model")
app.add_typer(recipe_app, name="recipe")
app.command("features", short_help="Compute the features of every split")(features_command)
app.command("train", short_help="Train a recipe's acoustic model")(train_command)
app.command("decode", short_help="Tune on dev, then decode dev and test")(decode_command)
app.command("score", short_help="Score hypotheses against references")(score_command)
app.command("report", short_help="Write a run's report.html and report.md")(report_command)
app.command("compare", short_help="Put runs side by side")(compare_command)
app.command("transcribe", short_help="Find the phones of your recordings, with their times")(transcribe_command)
app.command("align", short_help="Find when the phones or words of a transcript are said")(align_command)


STOPPED = "stopped; what was finished is kept, and the same command does the rest"
INTERRUPTED = 130
"""The exit status of a process that Ctrl-C ended (128 + SIGINT)."""


def main() -> None:
    """Entry point of the console command."""
    _log_to_standard_error()
    try:
        app()
    except InputError as error:
        _leave(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _leave(str(error))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        _leave(
            "not enough memory: make the model, training.batch_size or the audio smaller, or choose another --device"
        )
    except KeyboardInterrupt:
        _leave(STOPPED, INTERRUPTED)
    except SystemError as error:
        if not _is_interrupt(error):
            raise
        _leave(STOPPED, INTERRUPTED)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # so typer passes Ctrl-C on
            _leave(STOPPED, INTERRUPTED)
        raise


class _StandardError(logging.Handler):
    """Writes messages to what standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


def _log_to_standard_error() -> None:
    log = logging.getLogger("asr")
    log.handlers = [_StandardError()]
    log.setLevel(logging.INFO)


def _leave(message: str, status: int = 1) -> NoReturn:
    print(f"asr: {message}", file=sys.stderr)
    sys.exit(status)


def _is_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C in compiled code comes as an error of the interpreter, with the interrupt as its cause."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_out_of_memory(error: Exception) -> bool:
    """PyTorch says so by a RuntimeError, in words; to ask for its type would import it."""
    words = ("out of memory", "can't allocate memory", "Cannot allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
