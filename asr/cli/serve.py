"""`asr serve`: a page to speak to, and a JSON API."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from asr.cli.options import Device, Jobs, Model, WordLexicon, chosen_lexicon
from asr.threads import available_cores, one_blas_thread

log = logging.getLogger(__name__)


def serve_command(
    model: Model = Path("small"),
    host: Annotated[
        str, typer.Option(help="Address to listen at. For another than this machine's own, a token is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for a free one.")] = 8000,
    lexicon: WordLexicon = None,
    g2p: Annotated[
        bool, typer.Option("--g2p", help="Guess how words are pronounced that the lexicon does not have.")
    ] = False,
    max_megabytes: Annotated[float, typer.Option(min=0.01, help="Largest request, in MB.")] = 50.0,
    max_seconds: Annotated[float, typer.Option(min=1, help="Longest recording, in seconds.")] = 300.0,
    jobs: Jobs = None,
    device: Device = "auto",
) -> None:
    """Open a page on which one drops files or speaks, and a JSON API (/openapi.json).

    Listens on this machine only, unless --host says otherwise; then the address that is printed has a token, and
    programs send it as `Authorization: Bearer TOKEN`. Recordings are kept in a temporary folder while they are worked
    on, and nowhere else. Ctrl-C stops it.
    """
    one_blas_thread()
    from asr.errors import InputError

    try:
        from asr.serve.limits import Limits
        from asr.serve.server import listening, serve
        from asr.serve.speech import Speech
    except ModuleNotFoundError as error:
        raise InputError('asr serve needs a web server: pip install "asr-phones[serve]"') from error
    from asr.acoustics.loading import device_for
    from asr.recognizer import Recognizer

    with listening(host, port) as bound:
        recognizer = Recognizer(model, device_for(model, device))
        limits = Limits(max_megabytes, max_seconds, at_once=jobs or available_cores())
        speech = Speech(recognizer, Path(model).resolve().name, limits, chosen_lexicon(lexicon), g2p)
        log.info("Loading the model")
        speech.warm_up()
        serve(speech, host, bound)
