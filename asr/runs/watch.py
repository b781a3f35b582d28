"""Keeps the live page of a run up to date while its stages run."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from asr.config import RecipeConfig
from asr.errors import InputError, is_interrupt
from asr.report.live import Live, live_page
from asr.storage.files import write_text
from asr.storage.run_layout import LIVE, METRICS, REPORT, TRAIN

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at the metrics."""
BEAT = 10.0
"""Seconds after which the page is written again though nothing has happened; where this stops, the run was killed."""


@contextmanager
def watched(config: RecipeConfig, name: str, folder: Path) -> Iterator[Callable[[str], None]]:
    """Writes the live page of a run into its `folder` when a stage begins, an epoch ends, and at the end.

    The `with` gives a function to call with the name of each stage before it runs. A page that cannot be written is a
    warning: it never ends the run.
    """
    watch = _Watch(config, name, folder)
    thread = Thread(target=watch.follow, name="live page", daemon=True)
    watch.write()
    log.info("Live page: %s", (folder / LIVE).resolve().as_uri())
    thread.start()
    ended = "Finished."
    try:
        yield watch.begin
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt) or is_interrupt(error)
        ended = "Interrupted; rerun the same command to resume." if interrupted else f"Stopped: {error}"
        raise
    finally:
        watch.over.set()
        thread.join()
        watch.write(ended)


class _Watch:
    def __init__(self, config: RecipeConfig, name: str, folder: Path) -> None:
        self.config, self.name, self.folder = config, name, folder
        self.stages: list[str] = []
        self.over, self.changed = Event(), Event()
        self.before = self._metrics()
        self.failed = False

    def begin(self, stage: str) -> None:
        self.stages.append(stage)
        self.changed.set()

    def follow(self) -> None:
        """Writes the page whenever a stage has begun or an epoch has ended, and every BEAT, until the run is over."""
        known, written = self.before, time.monotonic()
        while not self.over.is_set():
            metrics = self._metrics()
            if self.changed.is_set() or metrics != known or time.monotonic() - written > BEAT:
                known, written = metrics, time.monotonic()
                self.changed.clear()
                self.write()
            self.changed.wait(PAUSE)

    def write(self, ended: str = "") -> None:
        running, done = (self.stages[-1], self.stages[:-1]) if self.stages else ("starting", [])
        report = REPORT if ended.startswith("Finished") and (self.folder / REPORT).is_file() else None
        live = Live(self.name, self.stages if report else done, running, ended, time.time(), report)
        try:
            write_text(self.folder / LIVE, live_page(live, self._trainings(), self.config.training))
        except (InputError, OSError) as error:
            if not self.failed:
                log.warning("The live page is not up to date: %s", error)
            self.failed = True

    def _metrics(self) -> dict[Path, int]:
        """The metrics files and when each was written."""
        found: dict[Path, int] = {}
        for pattern in (f"{TRAIN}/{METRICS}", f"{TRAIN}/*/{METRICS}"):
            for path in (*self.folder.glob(pattern), *self.folder.glob(f"fold-*/{pattern}")):
                with suppress(OSError):  # it was just removed
                    found[path] = path.stat().st_mtime_ns
        return found

    def _trainings(self) -> list[tuple[str, Path]]:
        """The trainings of this run, the latest last: those written since it began, and those it found up to date."""
        known = self._metrics()
        done = {self.folder / stage for stage in self.stages[:-1]}
        shown = [path for path in known if known[path] != self.before.get(path) or path.parent in done]
        shown.sort(key=lambda path: (known[path], path))
        return [(_training_name(path.parent.relative_to(self.folder)), path.parent) for path in shown]


def _training_name(folder: Path) -> str:
    """The fold and the round, where there are any."""
    return ", ".join(part.replace("round-", "round ") for part in folder.parts if part != TRAIN)
