"""Requests as they come in: a form with a recording and some fields, in bounded memory and disk space."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from asr.errors import printable
from asr.serve.limits import Limits
from asr.serve.request_error import RequestError

FORM = "multipart/form-data"
AUDIO = "audio"
"""The field of the form that has the recording."""
MEGABYTE = 1_000_000
LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A recording that was sent: where it is, its `name` as the client calls it, and the other fields of the form."""

    path: Path
    name: str
    fields: dict[str, str]


@asynccontextmanager
async def upload(request: Request, limits: Limits, names: Collection[str]) -> AsyncIterator[Upload]:
    """The recording of a form, in a folder of its own that is removed; the form may have fields of these `names`.

    Raises RequestError: 413 for a body that is too large, 415 for one that is not a form, 422 for a missing recording,
    an unknown field or too long a text, 408 where it takes too long to arrive.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise RequestError(415, f"send a form ({FORM}) with the recording in the field {AUDIO}: curl -F {AUDIO}=@FILE")
    with TemporaryDirectory(prefix="upload-") as folder:
        form = await _form(request, limits)
        try:
            yield await asyncio.to_thread(_read, form, Path(folder), limits, names)
        finally:
            await form.close()


async def _form(request: Request, limits: Limits) -> FormData:
    most = limits.megabytes * MEGABYTE
    too_large = RequestError(413, f"the request is larger than {limits.megabytes:g} MB; send a shorter recording")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise too_large
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > most:
            raise too_large
        return message

    try:
        async with asyncio.timeout(limits.upload_seconds):
            limited = Request(request.scope, counted)
            return await limited.form(max_files=1, max_fields=8, max_part_size=4 * limits.text)
    except TimeoutError:
        raise RequestError(408, f"the recording did not arrive within {limits.upload_seconds:g} s") from None
    except HTTPException as error:
        raise RequestError(422, f"the form cannot be read: {error.detail}") from error


def _read(form: FormData, folder: Path, limits: Limits, names: Collection[str]) -> Upload:
    fields: dict[str, str] = {}
    recording: UploadFile | None = None
    for key, value in form.multi_items():
        if isinstance(value, UploadFile):
            if key != AUDIO:
                raise RequestError(422, f"unknown file {printable(key[:40])!r}; the recording goes in {AUDIO}")
            recording = value
        elif key not in names:
            raise RequestError(422, f"unknown field {printable(key[:40])!r}; choose {', '.join((AUDIO, *names))}")
        elif len(value) > limits.text:
            raise RequestError(413, f"{key} is longer than {limits.text} characters; align the recording in parts")
        else:
            fields[key] = value
    if recording is None:
        raise RequestError(422, f"the field {AUDIO} with the recording is missing: curl -F {AUDIO}=@FILE")
    name = _name(recording.filename)
    path = folder / f"recording{_suffix(name)}"
    with path.open("wb") as file:
        copyfileobj(recording.file, file)
    return Upload(path, name, fields)


def _name(given: str | None) -> str:
    """The last part of a file's name, as text that is safe to show."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    return printable(last)[-LONGEST_NAME:] or "recording"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) < 8 else ""
