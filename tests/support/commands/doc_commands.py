"""The commands of README.md and docs/: fenced blocks of `sh` (or `bash`), `console` and `python`.

In a `console` block, the lines that begin with `$ ` are commands. A block that needs what CI does not have says so in
its fence: ```` ```sh needs=timit ````. What needs a server or npm's package says so too, and runs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEEDS = {
    "timit": "the licensed corpus, the sample or speechocean762",
    "gpu": "a GPU",
    "network": "a download",
    "cluster": "several machines",
    "ctrl-c": "runs until Ctrl-C",
    "time": "minutes or hours of computing",
    "install": "changes the environment or the shell",
}
"""What a block may need that CI does not have."""
PROVIDED = {
    "server": "asr serve runs/demo/dnn, at 127.0.0.1:8000",
    "onnxruntime-web": "npm ci in web/",
}
"""What a block may need that the tests have: the first always, the others where they are installed."""

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: needs=(?P<needs>\S+))?[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its fence, from 1."""

    page: Path
    line: int
    language: str
    needs: str | None
    code: str

    @property
    def runs(self) -> bool:
        return self.needs is None or self.needs in PROVIDED

    @property
    def script(self) -> str:
        """What bash runs."""
        if self.language == "console":
            return "\n".join(line[2:] for line in self.code.splitlines() if line.startswith("$ "))
        if self.language == "python":
            return f"python - <<'END_OF_EXAMPLE'\n{self.code}\nEND_OF_EXAMPLE"
        return self.code


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that are commands."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        if match["language"] in ("sh", "bash", "shell", "console", "python"):
            code = "\n".join(line.removeprefix(match["indent"]) for line in match["code"].splitlines())
            yield Block(page, text.count("\n", 0, match.start()) + 1, match["language"], match["needs"], code)


def pages(repository: Path) -> list[Path]:
    """README.md and the pages of docs/ that have commands."""
    return [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]
