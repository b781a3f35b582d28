"""The figures of an epoch, written to metrics.jsonl, TensorBoard's events and the log."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from asr.config import TrainingConfig
from asr.errors import InputError
from asr.storage.files import adopt
from asr.storage.json_files import numbered_jsonl, write_jsonl
from asr.storage.run_layout import METRICS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Figures:
    """The mean loss per label, which is a frame, or a phone under CTC; the errors (per cent of the labels) that were
    counted, by their names, of which `measure` compares epochs; the frames of the labelled speech; the mean loss of a
    second output, if there is one, whose error is `frame_error`; and in training the mean norm of the gradients, before
    clipping."""

    loss: float
    errors: dict[str, float]
    measure: str
    frames: int
    timing_loss: float | None = None
    gradient_norm: float | None = None

    @classmethod
    def of(cls, sums: Tensor, config: TrainingConfig, gradient_norm: float | None = None) -> "Figures":
        """From summed loss, errors, labels and frames [4], and those of a second output after them [8]."""
        loss, errors, labels, frames, *timing = sums.tolist()
        found = {"phone_error" if config.loss == "ctc" else "frame_error": 100 * errors / labels}
        timing_loss = None
        if timing:
            found["frame_error"], timing_loss = 100 * timing[1] / max(timing[2], 1), timing[0] / max(timing[2], 1)
        counted = {name: error for name, error in found.items() if not math.isnan(error)}
        return cls(loss / labels, counted, config.measure, int(frames), timing_loss, gradient_norm)

    @property
    def error(self) -> float:
        """The error that compares epochs."""
        return self.errors[self.measure]

    def named(self, side: str) -> dict[str, float]:
        """All but the frames, under their names in metrics.jsonl."""
        losses = {"loss": self.loss} | ({} if self.timing_loss is None else {"timing_loss": self.timing_loss})
        return {f"{side}_{name}": value for name, value in (losses | self.errors).items()}


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, one an epoch. Raises InputError with the line that has no whole number `epoch`."""
    rows = []
    for number, row in numbered_jsonl(path):
        if type(row.get("epoch")) is not int:
            raise InputError("field epoch must be a whole number; delete the file to train again", path, number)
        rows.append(row)
    return rows


class MetricsLog:
    """One line per epoch; a training that resumes keeps the lines of the epochs it does not repeat."""

    def __init__(self, out_dir: Path, epochs_done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = out_dir / METRICS
        known = read_metrics(self.path) if self.path.is_file() else []
        self.rows = [row for row in known if row["epoch"] <= epochs_done]
        events = out_dir / "tensorboard"
        former = set(events.glob("*"))
        self.events = SummaryWriter(str(events), purge_step=epochs_done + 1)
        for path in set(events.glob("*")) - former:
            adopt(path)

    def add(
        self,
        epoch: int,
        learning_rate: float,
        train: Figures,
        dev: Figures,
        seconds: float,
        gpu_memory: float | None = None,
    ) -> None:
        """Adds an epoch: the learning rate of its last step, the seconds of its training, and the most memory that its
        training took on the GPU, in MiB."""
        row = {
            "epoch": epoch,
            **train.named("train"),
            **dev.named("dev"),
            "learning_rate": learning_rate,
            "seconds": round(seconds, 3),
            "frames_per_second": round(train.frames / seconds, 1),
        }
        if train.gradient_norm is not None and math.isfinite(train.gradient_norm):
            row["gradient_norm"] = train.gradient_norm
        if gpu_memory is not None:
            row["gpu_memory"] = round(gpu_memory, 1)
        self.rows.append(row)
        write_jsonl(self.path, self.rows)
        for name, value in row.items():
            self.events.add_scalar(name, value, epoch)
        log.info(_line(row, train, dev))

    def close(self) -> None:
        self.events.close()


def _line(row: dict[str, float], train: Figures, dev: Figures) -> str:
    sides = {"train": train, "dev": dev}
    errors = [
        f"{name.replace('_', ' ')} "
        + " ".join(f"{each.errors[name]:.1f}% {side}" for side, each in sides.items() if name in each.errors)
        for name in dev.errors
    ]
    return (
        f"epoch {row['epoch']}: loss {train.loss:.3f} train {dev.loss:.3f} dev, {', '.join(errors)}, "
        f"learning rate {row['learning_rate']:g}, {row['frames_per_second']:.0f} frames/s"
    )
