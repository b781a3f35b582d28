"""Every command of README.md and docs/ works, on the demo corpus. `make test-docs` runs these; they take minutes."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.doc_commands import Block, blocks, pages

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 900
"""The most that a block may take."""
WITH_COMMANDS = [page for page in pages(REPOSITORY) if any(block.needs is None for block in blocks(page))]


@pytest.mark.docs
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_commands_of_a_page(page: Path, demo_run: Path, environment: dict[str, str], working_copy: Path) -> None:
    shutil.copytree(demo_run, working_copy / "runs/demo/dnn")
    for block in blocks(page):
        if block.needs is None:
            run(block, working_copy, environment)


def run(block: Block, folder: Path, environment: dict[str, str]) -> None:
    outcome = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    place = f"{block.page.relative_to(REPOSITORY)}:{block.line}"
    assert outcome.returncode == 0, f"{place}: exit status {outcome.returncode}\n{block.code}\n{outcome.stdout[-3000:]}"
