"""The confusion matrix as SVG."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol

from asr.phones.symbols import NO_PHONE
from asr.report.svg import figure, line, number, text, titled
from asr.scoring.edit_alignment import EditPair

CELL, MATRIX_LEFT, MATRIX_TOP, MARGIN_GAP = 17, 44, 48, 6
SHADES = 10


class Examples(Protocol):
    """Gives the address of the examples that pass some filters."""

    def __call__(self, **filters: str) -> str: ...


def confusion_matrix(phones: Sequence[str], pairs: Counter[EditPair], examples: Examples | None = None) -> str:
    """Rows are reference phones and columns are hypothesis phones; shades show the share of the row's phones.

    The last column holds deletions; the last row holds insertions, as a share of all insertions. The scale is the
    square root, so that a few per cent can be seen. With `examples`, each cell is a link.
    """
    size = len(phones) * CELL
    parts = _matrix_labels(phones, size)
    for i, reference in enumerate(phones):
        total = sum(pairs[reference, other] for other in (*phones, None))
        for j, recognised in enumerate((*phones, None)):
            if times := pairs[reference, recognised]:
                said = f"{reference} as {recognised}" if recognised else f"{reference} deleted"
                hint = f"{said}: {times:,} of {total:,} ({100 * times / total:.1f}%)"
                kind = "good" if reference == recognised else "bad"
                x = MATRIX_LEFT + j * CELL + (0 if recognised else MARGIN_GAP)
                cell = _cell(x, i, times / total, kind, hint)
                parts.append(_linked(cell, examples, reference, recognised))
    inserted = sum(pairs[None, recognised] for recognised in phones)
    for j, recognised in enumerate(phones):
        if times := pairs[None, recognised]:
            hint = f"{recognised} inserted: {times:,} of {inserted:,} insertions ({100 * times / inserted:.1f}%)"
            cell = _cell(MATRIX_LEFT + j * CELL, len(phones), times / inserted, "bad", hint, MARGIN_GAP)
            parts.append(_linked(cell, examples, None, recognised))
    width, height = MATRIX_LEFT + size + MARGIN_GAP + CELL + 8, MATRIX_TOP + size + MARGIN_GAP + CELL + 40
    parts += _scale(height - 22)
    label = "Confusion matrix: reference phones in rows, hypothesis phones in columns"
    return figure(width, height, parts, label, "group" if examples else "img")


def _matrix_labels(phones: Sequence[str], size: float) -> list[str]:
    parts = [text(MATRIX_LEFT, 10, "hypothesis →", kind="muted"), text(2, MATRIX_TOP - 8, "ref ↓", kind="muted")]
    for index, phone in enumerate((*phones, "del")):
        x = MATRIX_LEFT + (index + 0.5) * CELL + (MARGIN_GAP if phone == "del" else 0)
        turned = f' transform="rotate(-90 {number(x + 4)} {MATRIX_TOP - 7})"'
        parts.append(text(x + 4, MATRIX_TOP - 7, phone, kind="muted" if phone == "del" else "", extra=turned))
    for index, phone in enumerate((*phones, "ins")):
        y = MATRIX_TOP + (index + 0.5) * CELL + 4 + (MARGIN_GAP if phone == "ins" else 0)
        parts.append(text(MATRIX_LEFT - 6, y, phone, "end", "muted" if phone == "ins" else ""))
    for index in range(len(phones) + 1):
        place = index * CELL
        parts.append(line(MATRIX_LEFT, MATRIX_TOP + place, MATRIX_LEFT + size, MATRIX_TOP + place))
        parts.append(line(MATRIX_LEFT + place, MATRIX_TOP, MATRIX_LEFT + place, MATRIX_TOP + size))
    frames = [
        (MATRIX_LEFT + size + MARGIN_GAP, MATRIX_TOP, CELL, size),
        (MATRIX_LEFT, MATRIX_TOP + size + MARGIN_GAP, size, CELL),
    ]
    for x, y, width, height in frames:
        parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" class="frame"/>')
    return parts


def _scale(y: float) -> Iterable[str]:
    x = float(MATRIX_LEFT)
    for name, kind in (("correct", "good"), ("error", "bad")):
        yield text(x, y + 12, name, kind="muted")
        x += 44
        for share in (0.02, 0.1, 0.25, 0.5, 1):
            yield f'<rect x="{number(x)}" y="{number(y)}" width="34" height="16" {_shade(share)} class="{kind}"/>'
            ink = ' style="fill:var(--paper)"' if share >= 0.5 else ""
            yield text(x + 17, y + 12, f"{100 * share:g}%", "middle", extra=ink)
            x += 34
        x += 24


def _cell(x: float, row: int, share: float, kind: str, hint: str, gap: float = 0) -> str:
    y = MATRIX_TOP + row * CELL + gap
    place = f'x="{number(x)}" y="{number(y)}" width="{CELL}" height="{CELL}"'
    return titled(f'<rect {place} {_shade(share)} class="{kind}">', "rect", hint)


def _linked(cell: str, examples: Examples | None, reference: str | None, recognised: str | None) -> str:
    if examples is None:
        return cell
    address = examples(ref=reference or NO_PHONE, hyp=recognised or NO_PHONE)
    return f'<a href="{escape(address)}" tabindex="-1">{cell}</a>'


def _shade(share: float) -> str:
    return f'fill-opacity="{max(1, round(SHADES * share**0.5)) / SHADES:g}"'
