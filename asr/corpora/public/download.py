"""Downloads a file, and goes on where a cut connection or a killed command stopped."""

import hashlib
import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from asr.corpora.public.sources import RemoteFile
from asr.errors import InputError
from asr.progress import track
from asr.storage.files import cannot_write, make_folder

log = logging.getLogger(__name__)

PART = ".part"
"""The end of the name of a file that is not complete."""

BLOCK = 1 << 20
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as cut."""

ATTEMPTS = 5
"""Attempts in a row that bring nothing before giving up."""

PAUSE = 2.0
"""Seconds before the second such attempt, doubled before each further one."""


def download(file: RemoteFile, folder: Path, pause: float = PAUSE) -> Path:
    """The file in `folder`, downloaded unless it is there; a part that is there is completed by HTTP ranges.

    Raises InputError where the server does not give it, or gives one with another checksum, and OutputError where it
    cannot be written.
    """
    path = folder / file.name
    if path.exists():
        check(path, file)
        return path
    make_folder(folder)
    part = path.with_name(path.name + PART)
    failures = 0
    while True:
        before = _size(part)
        try:
            _fetch(file.url, part)
            break
        except urllib.error.HTTPError as error:
            raise InputError(
                f"the server answers {error.code} {error.reason}; fetch it another way, and give it with --from FILE",
                file.url,
            ) from error
        except (OSError, http.client.HTTPException, _CutError) as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures == ATTEMPTS:
                reason = getattr(error, "reason", None) or error
                raise InputError(
                    f"cannot be fetched: {reason}; run the same command to go on, or give the file with --from FILE",
                    file.url,
                ) from error
            log.warning("%s: connection lost at %d bytes; going on", file.url, _size(part))
            time.sleep(pause * 2 ** max(failures - 1, 0) if failures else 0)
    check(part, file)
    part.replace(path)
    return path


def check(path: Path, file: RemoteFile) -> None:
    """Compares a file with the published checksum; logs where none is known. Raises InputError where it differs."""
    if file.md5 is None:
        log.warning("%s: no published checksum is known, so it was not checked", path.name)
        return
    with open(path, "rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != file.md5:
        raise InputError(f"its MD5 checksum is {found}, not {file.md5}: it is damaged; delete it and try again", path)


class _CutError(Exception):
    """The connection ended before the file did."""


def _fetch(url: str, part: Path) -> None:
    """Adds to `part` what it lacks."""
    have = _size(part)
    request = urllib.request.Request(
        url, headers={"User-Agent": "asr", **({"Range": f"bytes={have}-"} if have else {})}
    )
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # it is complete
            part.unlink()
            raise _CutError("the part is longer than the file") from error
        raise
    with response:
        going_on = have > 0 and response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if going_on else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdecimal() else None
        blocks = track(_blocks(response), f"download {part.name.removesuffix(PART)}", _megabytes(length))
        try:
            with open(part, "ab" if going_on else "wb") as file:
                file.writelines(blocks)
        except OSError as error:
            raise cannot_write(part, error) from error
    if total is not None and _size(part) < total:
        raise _CutError("the connection ended early")


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while block := response.read(BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _CutError(str(error)) from error


def _megabytes(length: str | None) -> int | None:
    return -(-int(length) // BLOCK) if length and length.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
