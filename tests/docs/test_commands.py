"""Every command of README.md and docs/ works, on the demo corpus. `make test-docs` runs these; they take minutes."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.commands.doc_commands import PROVIDED, Block, blocks, pages

REPOSITORY = Path(__file__).resolve().parents[2]
RUNTIME = REPOSITORY / "web" / "node_modules" / "onnxruntime-web"
SECONDS = 900
"""The most that a block may take."""
WITH_COMMANDS = [page for page in pages(REPOSITORY) if any(block.runs for block in blocks(page))]
SERVED = "http://127.0.0.1:8000"
"""Where the pages expect the server."""


@pytest.mark.docs
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_commands_of_a_page(page: Path, demo_run: Path, environment: dict[str, str], working_copy: Path) -> None:
    shutil.copytree(demo_run, working_copy / "runs/demo/dnn")
    left_out = []
    for block in blocks(page):
        if block.needs == "server":
            with server(working_copy, environment) as address:
                run(replace(block, code=block.code.replace(SERVED, address)), working_copy, environment)
        elif block.needs == "onnxruntime-web" and not RUNTIME.is_dir():
            left_out.append(f"line {block.line} needs {block.needs}: {PROVIDED[block.needs]}")
        elif block.runs:
            run(block, working_copy, environment)
    if left_out:
        pytest.skip(f"all but {', '.join(left_out)}")


@contextmanager
def server(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A running `asr serve`; gives its address."""
    command = ["asr", "serve", "runs/demo/dnn", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Open (http://[^/]+)/", line):
                break
        else:
            raise AssertionError("".join(said))
        try:
            yield found[1]
        finally:
            process.terminate()


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
