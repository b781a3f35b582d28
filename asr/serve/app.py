"""The web application: the page, the JSON API and the live WebSocket."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from asr.errors import is_out_of_memory
from asr.serve.access import Access, Guard
from asr.serve.live_socket import live
from asr.serve.openapi import document
from asr.serve.operations import OPERATIONS, Operation
from asr.serve.page_files import INDEX, PAGE
from asr.serve.request_error import RequestError
from asr.serve.speech import Speech
from asr.serve.uploads import upload
from asr.serve.workers import Workers
from asr.version import __version__

log = logging.getLogger(__name__)

OPENAPI = "/openapi.json"

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(speech: Speech, access: Access) -> ASGIApp:
    """The application around one model."""
    workers = Workers(speech.limits)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.close()

    async def live_endpoint(socket: WebSocket) -> None:
        await live(socket, speech, workers, access)

    async def openapi(_: Request) -> Response:
        return JSONResponse(document(speech.limits, access.token is not None))

    async def model(_: Request) -> Response:
        return JSONResponse(about(speech))

    routes: list[BaseRoute] = [
        *(Route(each.path, _endpoint(each, speech, workers), methods=["POST"]) for each in OPERATIONS),
        Route("/v1/model", model),
        Route(OPENAPI, openapi),
        WebSocketRoute("/v1/live", live_endpoint),
        *(Route(f"/{path.name}", partial(_file, path)) for path in sorted(PAGE.iterdir())),
        Route("/", partial(_file, PAGE / INDEX)),
    ]
    handlers = {RequestError: _problem, HTTPException: _refused, Exception: _failed}
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers), access)  # type: ignore[arg-type]


def about(speech: Speech) -> dict[str, object]:
    """The model and the limits, for the page and for programs."""
    limits, bundle = speech.limits, speech.recognizer.bundle
    return {
        "name": speech.name,
        "version": __version__,
        "sample_rate": speech.recognizer.sample_rate,
        "phones": list(bundle.config.targets.phone_set),
        "words": speech.has_words,
        "limits": {
            "megabytes": limits.megabytes,
            "seconds": limits.seconds,
            "live_seconds": limits.live_seconds,
            "text": limits.text,
        },
    }


def _endpoint(operation: Operation, speech: Speech, workers: Workers) -> Endpoint:
    names = [field.name for field in operation.fields]

    async def endpoint(request: Request) -> Response:
        async with workers.place(), upload(request, speech.limits, names) as received:
            content, kind = await workers.run(lambda: operation.work(speech, received))
        return Response(content, media_type=kind)

    return endpoint


async def _file(path: Path, _: Request) -> Response:
    return FileResponse(path)


async def _problem(_: Request, problem: RequestError) -> Response:
    return problem.response()


async def _refused(_: Request, error: HTTPException) -> Response:
    return RequestError(error.status_code, error.detail, dict(error.headers or {})).response()


async def _failed(_: Request, error: Exception) -> Response:
    """The server goes on after an error that nobody expected."""
    log.error("a request failed: %s", error, exc_info=error)
    if is_out_of_memory(error):
        return RequestError(503, "out of memory; send a shorter recording", {"retry-after": "5"}).response()
    return RequestError(500, "the server failed on this request; its log says why").response()
