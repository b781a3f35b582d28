"""What a process does when it is to end (SIGTERM)."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Never


@contextmanager
def on_sigterm(leave: Callable[[], Never]) -> Iterator[None]:
    """Within it, SIGTERM calls `leave`, which raises; by default it ends a process without a word. Only for the main
    thread."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: leave())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
