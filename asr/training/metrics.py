"""The figures of an epoch, written to metrics.jsonl, TensorBoard's events and the log."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from asr.errors import InputError
from asr.storage.files import adopt, numbered_jsonl, write_jsonl
from asr.storage.run_layout import METRICS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Figures:
    """Mean loss and error (per cent; NaN: not counted) per label, which is a frame, or a phone under CTC; the error's
    name; the frames of the labelled speech; and in training the mean norm of the gradients, before clipping."""

    loss: float
    error: float
    measure: str
    frames: int
    gradient_norm: float | None = None

    @classmethod
    def of(cls, sums: Tensor, measure: str, gradient_norm: float | None = None) -> "Figures":
        """From summed loss, errors, labels and frames [4]."""
        loss, errors, labels, frames = sums.tolist()
        return cls(loss / labels, 100 * errors / labels, measure, int(frames), gradient_norm)

    def named(self, side: str) -> dict[str, float]:
        """Loss and, where it is counted, error, under their names in metrics.jsonl."""
        error = {} if math.isnan(self.error) else {f"{side}_{self.measure}": self.error}
        return {f"{side}_loss": self.loss, **error}


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
    errors = [
        f"{each.error:.1f}% {side}" for side, each in (("train", train), ("dev", dev)) if math.isfinite(each.error)
    ]
    return (
        f"epoch {row['epoch']}: loss {train.loss:.3f} train {dev.loss:.3f} dev, {dev.measure.replace('_', ' ')} "
        f"{' '.join(errors)}, learning rate {row['learning_rate']:g}, {row['frames_per_second']:.0f} frames/s"
    )
