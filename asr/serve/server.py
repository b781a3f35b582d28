"""Runs the application until it is interrupted, with a temporary folder that it removes."""

import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from asr.errors import InputError
from asr.serve.access import Access
from asr.serve.app import create_app
from asr.serve.speech import Speech
from asr.termination import on_sigterm

log = logging.getLogger(__name__)

CONNECTIONS = 500
"""At the same time; further ones are answered with status 503."""
LARGEST_MESSAGE = 1 << 20
"""Bytes of a WebSocket message."""
TERMINATED = 128 + signal.SIGTERM


def serve(speech: Speech, host: str, bound: socket.socket) -> None:
    """Serves a page and an API, at a socket that listens at `host`, until Ctrl-C or SIGTERM."""
    access = Access.for_host(host)
    with temporary_folder():
        config = uvicorn.Config(
            create_app(speech, access),
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            ws_max_size=LARGEST_MESSAGE,
        )
        log.info("Open %s (Ctrl-C to stop)", address(host, bound.getsockname()[1], access.token))
        if access.token:
            log.warning(
                "Anyone with this address can use the server; without TLS, others in the network can read along"
            )
        uvicorn.Server(config).run(sockets=[bound])


def address(host: str, port: int, token: str | None) -> str:
    """The address to open; a token is in its fragment, which browsers send to nobody."""
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"#token={token}" if token else "")


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, closed at the end. Raises InputError where the address cannot be had."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        reason = str(error.strerror).partition(" (while ")[0]  # Python adds the address
        raise InputError(f"cannot listen at {host}, port {port}: {reason}; choose --host or --port") from error
    with bound:
        yield bound


@contextmanager
def temporary_folder() -> Iterator[None]:
    """All temporary files of the process are in one folder, which is removed also after Ctrl-C and SIGTERM."""
    before = tempfile.tempdir
    with (
        on_sigterm(partial(sys.exit, TERMINATED)),
        tempfile.TemporaryDirectory(prefix="asr-serve-", ignore_cleanup_errors=True) as folder,
    ):
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
