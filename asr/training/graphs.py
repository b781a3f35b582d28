"""Functions of minibatches as CUDA graphs: recorded once for each shape and replayed, which costs the host one launch
where plain calls cost hundreds to thousands."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import NamedTuple, Protocol
from weakref import WeakSet

import torch
from torch import Tensor

from asr.training.data.minibatch import Minibatch

log = logging.getLogger(__name__)

MOST_SHAPES = 24
"""Shapes of minibatches that one function is recorded for; others run plainly. A graph keeps memory on the device."""

Results = tuple[Tensor, ...]


class Recording(NamedTuple):
    """A call that is recorded and not done yet: `replay`, as often as it is called, reads the inputs and writes the
    `results`, each in its place."""

    replay: Callable[[], None]
    results: Results


class Recorder(Protocol):
    """Records calls whose work depends on tensors alone."""

    failed: bool
    """Whether a call could not be recorded. Earlier recordings can then not be replayed either."""

    def record(self, function: Callable[[], Results]) -> Recording:
        """Records a call. Raises RuntimeError, without any effect, when it cannot be recorded, as when the host reads a
        result on the way."""

    def steps(self) -> AbstractContextManager[None]:
        """The context of all calls, plain or recorded, and of what prepares their inputs."""

    def close(self) -> None:
        """Forgets all recordings."""


class CudaRecorder:
    """CUDA graphs of one device, which share their memory, as only one runs at a time.

    All calls are made on one stream of their own: the default stream cannot be recorded, and autograd accumulates
    gradients on the stream of the first call. A graph draws its random numbers from the device's generator, which
    advances as in a plain call.
    """

    def __init__(self, device: torch.device) -> None:
        gc.collect()  # weights of an earlier training are in a cycle, and hold the device's memory
        self.device = device
        self.stream = torch.cuda.Stream(device)
        self.graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()
        self.failed = False

    def record(self, function: Callable[[], Results]) -> Recording:
        if not self.graphs:  # PyTorch refuses a pool whose graphs are all gone while any of its memory is in use
            self.pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        try:
            # "thread_local": the thread that prepares the next epoch may allocate memory meanwhile.
            with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
                results = function()
        except RuntimeError:
            self._end_capture()
            raise
        self.graphs.add(graph)
        return Recording(graph.replay, results)

    def _end_capture(self) -> None:
        """Puts back what PyTorch leaves in the state of recording when a capture becomes invalid."""
        index = self.device.index or 0
        with suppress(RuntimeError):  # not recording: the capture ended in time
            # The allocator would give no cached memory back to the device, and keep the pool for ever.
            torch._C._cuda_endAllocateToPool(index, self.pool)
            torch._C._cuda_releasePool(index, self.pool)
        generator = torch.cuda.default_generators[index]
        generator.graphsafe_set_state(generator.clone_state())  # the present state expects to be recorded

    def close(self) -> None:
        """Processes that exchange sums in graphs cannot part before these are gone."""
        for graph in self.graphs:
            graph.reset()

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Runs on the recorder's stream, after the work that the current stream has and before what it gets next."""
        outside = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(outside)
        try:
            with torch.cuda.stream(self.stream):
                yield
        finally:
            outside.wait_stream(self.stream)


class Replayed:
    """A function of minibatches that gives tensors. Of each shape the first minibatch runs plainly, which sets up
    libraries and the optimiser's state; the second is recorded; the others are copied to its place and replayed.

    Results last until the next call of this or of another function with the same recorder: recordings share memory.

    Processes whose calls exchange sums replay the same ones or none: `all_could`, which all call at once, says whether
    all could record one.
    """

    def __init__(
        self,
        function: Callable[[Minibatch], Results],
        recorder: Recorder | None,
        all_could: Callable[[bool], bool] = bool,
    ) -> None:
        self.function, self.recorder, self.all_could = function, recorder, all_could
        self.seen: set[object] = set()
        self.recordings: dict[object, tuple[Minibatch, Recording]] = {}

    def __call__(self, batch: Minibatch) -> Results:
        if self.recorder is None or self.recorder.failed:
            self.recordings.clear()
            return self.function(batch)
        if (recorded := self.recordings.get(batch.shape)) is not None:
            place, recording = recorded
            place.copy_(batch)
            recording.replay()
            return recording.results
        if batch.shape in self.seen and len(self.recordings) < MOST_SHAPES:
            return self._record(self.recorder, batch)
        self.seen.add(batch.shape)
        return self.function(batch)

    def _record(self, recorder: Recorder, batch: Minibatch) -> Results:
        place, recording, why = batch.clone(), None, "another process could not record a step"
        try:
            recording = recorder.record(partial(self.function, place))
        except RuntimeError as error:
            why = _first_line(error)
        # Not earlier: the error holds the memory of all that it stopped.
        if self.all_could(recording is not None) and recording is not None:
            self.recordings[batch.shape] = place, recording
            recording.replay()
            return recording.results
        del place, recording
        recorder.failed = True
        log.warning("Training without CUDA graphs, one operation at a time: %s", why)
        return self(batch)


def _first_line(error: RuntimeError) -> str:
    cause = error.__context__ or error  # what stopped the recording comes before what ended it
    return str(cause).split("\n")[0]
