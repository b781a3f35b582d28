"""Drawing primitives of the report's figures; their colours and fonts are in templates/figures.css."""

import math
from collections.abc import Iterable
from html import escape
from pathlib import Path

from asr.storage.files import write_text

STYLES = Path(__file__).parent / "templates" / "figures.css"


def figure(width: float, height: float, parts: Iterable[str], label: str) -> str:
    """An SVG image; `label` is what a screen reader says of it. Shrinks with the page and never grows."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'style="max-width:{number(width)}px" role="img" aria-label="{escape(label)}">' + "".join(parts) + "</svg>"
    )


def standalone(svg: str, styles: str) -> str:
    """The same image as a file of its own, on its own background."""
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
