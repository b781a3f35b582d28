"""The axes of a line plot, linear or logarithmic in x, and what is drawn on them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from asr.report.svg import line, number, text, ticks


@dataclass(frozen=True)
class Axes:
    """A rectangle of a figure (`left`, `top`, `width`, `height` in its pixels) that shows the ranges `x` and `y`."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log_x: bool = False

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is in the figure; y grows upwards."""
        low, at, high = (math.log10(value) if self.log_x else value for value in (self.x[0], x, self.x[1]))
        across, up = (at - low) / ((high - low) or 1), (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return self.left + self.width * across, self.top + self.height * (1 - up)

    def frame(self, title: str, x_title: str, x_ticks: Iterable[float]) -> Iterator[str]:
        """Title, grid lines at round values of y, and labels of both axes."""
        bottom, right = self.top + self.height, self.left + self.width
        yield text(self.left, self.top - 10, title)
        for tick in ticks(*self.y):
            _, y = self.place(self.x[0], tick)
            yield line(self.left, y, right, y)
            yield text(self.left - 6, y + 4, f"{tick:g}", "end", "muted")
        for tick in x_ticks:
            x, _ = self.place(tick, self.y[0])
            yield text(x, bottom + 16, f"{tick:g}", "middle", "muted")
        yield text(right, bottom + 30, x_title, "end", "muted")

    def curve(self, points: Iterable[tuple[float, float]], colour: str, kind: str = "curve") -> str:
        """A line through the points (x, y)."""
        return f'<polyline points="{self._path(points)}" class="{kind}" style="stroke:{colour}"/>'

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> str:
        """The area between two lines."""
        outline = [*zip(x, low, strict=True), *reversed([*zip(x, high, strict=True)])]
        return f'<polygon points="{self._path(outline)}" style="fill:{colour};fill-opacity:0.2"/>'

    def _path(self, points: Iterable[tuple[float, float]]) -> str:
        return " ".join(",".join(map(number, self.place(x, y))) for x, y in points)


def padded(values: Iterable[float], share: float = 0.04) -> tuple[float, float]:
    """The range of some values, with a margin of a `share` of it at each end."""
    values = list(values)
    margin = share * (max(values) - min(values) or 1)
    return min(values) - margin, max(values) + margin


def legend(names: Iterable[tuple[str, str]], x: float, y: float) -> Iterator[str]:
    """(name, colour) of each curve, in a row."""
    for name, colour in names:
        yield f'<polyline points="{number(x)},{number(y - 4)} {number(x + 22)},{number(y - 4)}" class="curve" '
        yield f'style="stroke:{colour}"/>'
        yield text(x + 28, y, name, kind="muted")
        x += 28 + 7 * len(name) + 22
