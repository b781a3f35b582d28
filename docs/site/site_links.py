"""Links of Markdown that are right in the repository, as links of the site.

A link to a file that the site does not show (source code, a recipe) becomes its path in code style. A link to nothing
stays as it is, so that the strict build reports it.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

CODE = r"^`{3,}.*?^`{3,}$|^(?: {4}|\t)[^\n]*$|`[^`\n]+`"
LINK = r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)"
CODE_OR_LINK = re.compile(f"{CODE}|{LINK}", re.MULTILINE | re.DOTALL)


def rewritten(text: str, source: PurePosixPath, page: PurePosixPath, pages: Mapping[str, str], root: Path) -> str:
    """The text of the file `source` with its links as those of the site's `page`.

    `pages` is the path in the site of each file outside docs/ that it shows.
    """

    def replaced(match: re.Match[str]) -> str:
        picture, label, address = match.groups()
        if address is None:
            return match.group()  # code
        target, mark, anchor = address.partition("#")
        if "://" in address or address.startswith("mailto:") or not target:
            return match.group()
        path = os.path.normpath(source.parent / target)
        shown = pages.get(path) or (path.removeprefix("docs/") if _is_shown(path, root) else None)
        if shown is not None:
            return f"{picture}[{label}]({os.path.relpath(shown, page.parent)}{mark}{anchor})"
        if not (root / path).exists():
            return match.group()
        return label if label.startswith("`") else f"{label} (`{path}`)" if label != path else f"`{path}`"

    return CODE_OR_LINK.sub(replaced, text)


def _is_shown(path: str, root: Path) -> bool:
    return path.startswith("docs/") and (root / path).is_file() and not path.endswith((".py", ".ipynb"))
