"""The workers of the Ray engine, and how groups of items are given to them so that each has one result."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from asr.engines.engine import Start
from asr.engines.ray_actor import Message, RayActor
from asr.errors import InputError
from asr.version import __version__

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

TRIES = 3
"""How often a group, and then each of its items alone, is given to a worker that dies of it."""

SECONDS_UNTIL_WARNING = 30.0
"""How long no worker may have started, as where the cluster has no room, before a warning says so."""

PACKAGE = logging.getLogger("asr")


@dataclass(eq=False)
class Group(Generic[T]):
    """Items that were drawn together, and the results that are there, by the items' places."""

    items: Sequence[T]
    results: dict[int, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.results) == len(self.items)


@dataclass(eq=False)
class Piece(Generic[T]):
    """The items of a group that one worker has at once, by their places, and how many workers died of them."""

    group: Group[T]
    places: Sequence[int]
    deaths: int = 0

    @property
    def items(self) -> list[T]:
        return [self.group.items[place] for place in self.places]

    def finish(self, results: Iterable[Any]) -> None:
        self.group.results.update(zip(self.places, results, strict=True))

    def after_death(self) -> "list[Piece[T]]":
        """What to try again: all, then each item alone. Nothing where it is one item, which then has failed."""
        self.deaths += 1
        if self.deaths < TRIES:
            return [self]
        if len(self.places) > 1:
            return [Piece(self.group, [place]) for place in self.places]
        self.finish([InputError(f"a worker died of it {TRIES} times, in a crash or for lack of memory; leave it out")])
        return []


class RayWorkers(Generic[T, R]):
    """At most `most` actors that do one work; started as they are needed."""

    def __init__(self, ray: Any, most: int, options: dict[str, float], start: Start[T, R], device: str) -> None:
        self._ray, self._most, self._device = ray, most, device
        self._actor = ray.remote(RayActor).options(**options)
        self._start = ray.put(start)
        self._free: list[Any] = []
        self._calls: dict[Any, tuple[Any, Piece[T] | None]] = {}
        """The actor of each call under way, and its items; None while it starts."""
        self._deaths = 0
        self._warned = False

    @property
    def free(self) -> bool:
        return bool(self._free)

    @property
    def may_grow(self) -> bool:
        return len(self._free) + len(self._calls) < self._most

    def grow(self) -> None:
        """Starts one more worker."""
        actor = self._actor.remote(PACKAGE.getEffectiveLevel(), __version__)
        self._calls[actor.start.remote(self._start, self._device)] = actor, None

    def give(self, piece: Piece[T]) -> None:
        """Gives items to a free worker."""
        actor = self._free.pop()
        self._calls[actor.run.remote(piece.items)] = actor, piece

    def wait(self) -> list[Piece[T]]:
        """Waits until a worker is ready, has finished, or died; returns what is to be done again."""
        done, _ = self._ray.wait(list(self._calls), timeout=SECONDS_UNTIL_WARNING)
        if not done and not self._warned and not any(piece for _, piece in self._calls.values()) and not self._free:
            self._warned = True
            log.warning("waiting for a Ray worker to start; other work may take all cores or GPUs of the cluster")
        return [piece for call in done for piece in self._after(call)]

    def close(self) -> None:
        """Ends all workers, whatever they are doing."""
        for actor in [*self._free, *(actor for actor, _ in self._calls.values())]:
            self._ray.kill(actor)

    def _after(self, call: Any) -> list[Piece[T]]:
        """What is to be done again after a call has ended."""
        actor, piece = self._calls.pop(call)
        try:
            answer = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            if piece is not None:
                raise error.cause from error
            raise _cannot_start(error.cause) from error
        except self._ray.exceptions.RayError as error:  # its process, its node, or the way to it
            self._ray.kill(actor)
            return self._after_death(piece, error)
        self._free.append(actor)
        if piece is None:
            self._deaths = 0
            _log(answer)
        else:
            results, messages = answer
            _log(messages)
            piece.finish(results)
        return []

    def _after_death(self, piece: Piece[T] | None, error: Exception) -> list[Piece[T]]:
        log.debug("a Ray worker died: %s", error)
        if piece is None:
            self._deaths += 1
            if self._deaths == TRIES:
                raise _cannot_start(error) from error
        self.grow()
        return [] if piece is None else piece.after_death()


def in_order(
    workers: RayWorkers[T, R], groups: Iterator[Sequence[T]], most_waiting: int
) -> Iterator[tuple[T, R | InputError]]:
    """Each item with its result, in order, as soon as it is there. Raises InputError where no worker can start."""
    waiting: deque[Group[T]] = deque()
    again: deque[Piece[T]] = deque()
    more = True
    while more or waiting:
        while again and workers.free:
            workers.give(again.popleft())
        while more and len(waiting) < most_waiting and (workers.free or workers.may_grow):
            items = next(groups, None)
            if items is None:
                more = False
                break
            waiting.append(Group(items))
            piece = Piece(waiting[-1], range(len(items)))
            if workers.free:
                workers.give(piece)
            else:
                again.append(piece)
                workers.grow()
        if waiting or (more and not workers.free and not workers.may_grow):
            again.extend(workers.wait())
        while waiting and waiting[0].complete:
            group = waiting.popleft()
            yield from ((item, group.results[place]) for place, item in enumerate(group.items))


def _cannot_start(error: BaseException) -> InputError:
    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {' '.join(str(error).split())}"
    return InputError(f"a Ray worker cannot start: {reason}")


def _log(messages: Iterable[Message]) -> None:
    for message in messages:
        logging.getLogger(message.logger).log(message.level, "%s", message.text)
