"""Work on a device while it trains, in a stream and a thread of its own."""

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


class SideStream:
    """A stream of a CUDA device for the work of one other thread; on a CPU the thread alone is enough."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def after_now(self, work: Callable[[], T]) -> Callable[[], T]:
        """The same work, for the other thread to call: on the stream, after all work that this thread has begun.

        It returns when the device has done it, so that its results can be used on any stream.
        """
        if (stream := self.stream) is None:
            return work
        now = torch.cuda.current_stream(stream.device).record_event()

        def call() -> T:
            stream.wait_event(now)
            try:
                with torch.cuda.stream(stream):
                    return work()
            finally:  # also when it is stopped: what it still writes to may be freed next
                stream.synchronize()

        return call
