"""Names and other text from the user in Markdown, LaTeX and on a terminal: shown as they are, never obeyed."""

import re

from rich.text import Text

from asr.errors import printable

_OBEYED = re.compile(r"[\\`|\[]")
_LATEX = str.maketrans(
    {each: f"\\{each}" for each in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--"}
)
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown(value: object) -> str:
    """Text for a heading, a paragraph or a cell of a table: no HTML, no links and no further columns."""
    return _OBEYED.sub(r"\\\g<0>", printable(str(value).replace("\n", " "))).translate(_HTML)


def latex(value: object) -> str:
    """Text for a paragraph or a cell of a table: no commands."""
    return printable(str(value).replace("\n", " ")).translate(_LATEX)


def fence(text: str) -> str:
    """The line before and after a block of code, which no line of the text can end."""
    return "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=2))


def terminal(text: str, style: str = "") -> Text:
    """Text for a table: Rich reads no markup or emoji in it."""
    return Text(printable(text), style)
