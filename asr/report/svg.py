"""Drawing primitives of the report's figures; colours and fonts are in templates/figures.css."""

import math
from collections.abc import Iterable
from html import escape
from pathlib import Path

from asr.storage.files import write_text

STYLES = Path(__file__).parent / "templates" / "figures.css"


def figure(width: float, height: float, parts: Iterable[str], label: str, role: str = "img") -> str:
    """An SVG image; `label` and `role` are for screen readers. It shrinks with the page but does not grow."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'style="max-width:{number(width)}px" role="{role}" aria-label="{escape(label)}">' + "".join(parts) + "</svg>"
    )


def standalone(svg: str, styles: str) -> str:
    """The same image as a separate file, with its styles and a background."""
    head, rest = svg.split(">", 1)
    return f'{head}><style>{styles}</style><rect width="100%" height="100%" fill="var(--paper)"/>{rest}\n'


def write_figure(path: Path, svg: str) -> None:
    """Writes an SVG image as a file of its own, in the report's colours and fonts."""
    write_text(path, standalone(svg, STYLES.read_text(encoding="utf-8")))


def number(value: float) -> str:
    """A coordinate without needless digits."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "", extra: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    return f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"{classes}{extra}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" class="{kind}"/>'


def titled(opening: str, tag: str, hint: str) -> str:
    """An element that shows `hint` when pointed at; `opening` is its start tag."""
    return f"{opening}<title>{escape(hint)}</title></{tag}>"


def interval_bar(per: float, interval: tuple[float, float], axis: tuple[float, float]) -> str:
    """A PER with its interval on an axis from `axis[0]` to `axis[1]` per cent; for a cell of a table."""
    low, at, high = (
        4 + 152 * (value - axis[0]) / ((axis[1] - axis[0]) or 1) for value in (interval[0], per, interval[1])
    )
    dot = f'<circle cx="{number(at)}" cy="8" r="4" class="good"/>'
    label = f"{per:.1f}%, 95% interval {interval[0]:.1f} to {interval[1]:.1f}"
    return figure(160, 16, [line(0, 8, 160, 8), line(low, 8, high, 8, "whisker"), dot], label)


def pair_bar(pers: tuple[float, float], axis: tuple[float, float]) -> str:
    """Two PERs on an axis from `axis[0]` to `axis[1]` per cent, the first filled, the second hollow; for a cell."""
    first, second = (5 + 150 * (per - axis[0]) / ((axis[1] - axis[0]) or 1) for per in pers)
    parts = [
        line(0, 8, 160, 8),
        line(first, 8, second, 8, "whisker"),
        f'<circle cx="{number(first)}" cy="8" r="4" class="good"/>',
        f'<circle cx="{number(second)}" cy="8" r="4" class="hollow"/>',
    ]
    return figure(160, 16, parts, f"{pers[0]:.1f}% and {pers[1]:.1f}%")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) that lie from `low` to `high`."""
    span = (high - low) / about or 1.0
    power = 10.0
    while power > span:
        power /= 10
    while power * 10 <= span:
        power *= 10
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]
