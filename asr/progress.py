"""Progress of long work: a bar on a terminal, one line a minute in a log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
SECONDS_BETWEEN_LOG_LINES = 60.0


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yields the items and shows progress on standard error."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as rich_track

        yield from rich_track(items, description, total=total, console=Console(stderr=True), transient=True)
    else:
        yield from _with_log_lines(items, description, total)


def _with_log_lines(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    last = time.monotonic()
    for count, item in enumerate(items):
        if time.monotonic() - last >= SECONDS_BETWEEN_LOG_LINES:
            last = time.monotonic()
            log.info("%s: %d%s", description, count, f" of {total}" if total else "")
        yield item
