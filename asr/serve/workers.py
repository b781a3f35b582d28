"""Threads that do the work of requests, and how many requests may wait for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from asr.serve.limits import Limits
from asr.serve.request_error import busy

R = TypeVar("R")


class Workers:
    """`limits.at_once` threads. Its methods are called in one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="asr-serve")
        self._uploads = asyncio.Semaphore(limits.uploads)
        self._open = self._speaking = 0

    async def run(self, work: Callable[[], R]) -> R:
        """What `work` returns, once a thread was free for it. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for a recording, from its upload to its result. Raises RequestError where too many are waiting."""
        if self._open >= self.limits.uploads + self.limits.waiting:
            raise busy("too many requests at once; try again in some seconds")
        self._open += 1
        try:
            async with self._uploads:
                yield
        finally:
            self._open -= 1

    @asynccontextmanager
    async def microphone(self) -> AsyncIterator[None]:
        """A place for a recording that is transcribed while one speaks. Raises RequestError where all are taken."""
        if self._speaking >= self.limits.live:
            raise busy(f"{self.limits.live} people are recording already; try again later, or send a file")
        self._speaking += 1
        try:
            yield
        finally:
            self._speaking -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
