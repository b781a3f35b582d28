"""The style, size and files of figures for papers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import InputError
from asr.storage.files import complete_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = "85mm"
"""A column of most journals and conference papers."""
UNITS = {"mm": 1 / 25.4, "cm": 1 / 2.54, "in": 1.0, "pt": 1 / 72}
"""Inches."""
NARROWEST, WIDEST = 1.0, 40.0
"""Inches."""
DPI = 300
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"metadata": {"Software": None}},
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
"""What keeps each format free of dates and versions."""
STYLE = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6,
    "font.family": "DejaVu Sans",  # comes with matplotlib, and has all of IPA
    "axes.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "lines.linewidth": 1.0,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text stays text: conferences refuse Type 3
    "svg.hashsalt": "asr",
    "svg.fonttype": "path",
}


def inches(width: str) -> float:
    """A width such as 85mm, 8.5cm, 3.3in or 240pt in inches. Raises InputError for another."""
    number, unit = width[:-2], width[-2:]
    try:
        found = float(number) * UNITS[unit]
    except (KeyError, ValueError) as error:
        raise InputError(f"--width {width}: give a number with mm, cm, in or pt, such as {WIDTH}") from error
    if not NARROWEST <= found <= WIDEST:
        raise InputError(f"--width {width}: must be from {NARROWEST:g}in to {WIDEST:g}in")
    return found


@contextmanager
def drawing(width: str, height: float) -> Iterator["Figure"]:
    """A figure of a width as in `inches` and a height in inches; what is drawn inside the `with` has the style.

    Raises InputError where matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("asr plot needs matplotlib: pip install 'asr-phones[plot]'") from error
    with rc_context():
        from matplotlib import rcdefaults

        rcdefaults()  # the user's own settings must not change the bytes
        with rc_context(STYLE):  # type: ignore[arg-type]
            yield Figure(figsize=(inches(width), height), layout="constrained")


def check_format(path: Path) -> None:
    """Raises InputError for a path whose end is none of FORMATS."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"a figure is a file that ends in {', '.join(FORMATS)}", path)


def save(figure: "Figure", path: Path) -> None:
    """Writes a figure in the format of its path's end; the file is complete or absent."""
    check_format(path)
    form = path.suffix.lower()
    with complete_file(path, "wb") as file:
        figure.savefig(file, format=form[1:], dpi=DPI, **FORMATS[form])
