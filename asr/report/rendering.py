"""Pages and Markdown from the templates; what comes from the user is escaped."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asr.errors import printable
from asr.report.escaping import fence, markdown

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, content: dict[str, Any]) -> str:
    """The text that a template makes of some content."""
    return _environment().get_template(template).render(content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith((".html.j2", ".css")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["percent"] = lambda value: "–" if value is None else f"{value:.1f}"
    environment.filters["decimals"] = lambda value, places: "–" if value is None else f"{value:.{places}f}"
    environment.filters["signed"] = lambda value: "–" if value is None else f"{value:+.1f}"
    environment.filters["thousands"] = lambda value: f"{value:,}"
    environment.filters["cell"] = markdown
    environment.filters["fence"] = fence
    environment.filters["printable"] = lambda value: "\n".join(map(printable, str(value).splitlines()))
    return environment
