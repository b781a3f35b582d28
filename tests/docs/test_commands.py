"""Every command of README.md and docs/ works, on the demo corpus. `make test-docs` runs these; they take minutes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from support.doc_commands import Block, blocks, pages

REPOSITORY = Path(__file__).resolve().parents[2]
LINKED = ("data", "benchmarks", "asr", "tests", "pyproject.toml", "Makefile")
COPIED = ("docs", "recipes", "README.md", "mkdocs.yml")
SECONDS = 900
"""The most that a block may take."""

WITH_COMMANDS = [page for page in pages(REPOSITORY) if any(block.needs is None for block in blocks(page))]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for the commands: `asr` and `python` are those under test, and no network is tried."""
    folder = tmp_path_factory.mktemp("bin")
    for name, command in (("asr", f'"{sys.executable}" -m asr'), ("python", f'"{sys.executable}"')):
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "NO_MKDOCS_2_WARNING": "1",
    }


@pytest.fixture(scope="session")
def demo_run(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of recipes/demo/dnn.yaml, which most pages begin with; the workers of a test run share one."""
    given = os.environ.get("ASR_DEMO_RUN")
    if given:
        return Path(given)
    folder = tmp_path_factory.getbasetemp().parent / "demo_of_docs"
    with FileLock(f"{folder}.lock"):
        if not (folder / "runs/demo/dnn/report.html").exists():
            working_copy(folder)
            command = ["asr", "run", "recipes/demo/dnn.yaml"]
            subprocess.run(command, cwd=folder, env=environment, check=True, timeout=SECONDS)
    return folder / "runs/demo/dnn"


@pytest.mark.docs
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_commands_of_a_page(page: Path, demo_run: Path, environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "asr"
    working_copy(folder)
    shutil.copytree(demo_run, folder / "runs/demo/dnn", copy_function=os.link if "ASR_DEMO_RUN" not in os.environ else shutil.copy2)
    for block in blocks(page):
        if block.needs is None:
            run(block, folder, environment)


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


def working_copy(folder: Path) -> None:
    """A copy of the repository as far as commands read it; what they write into it does not reach the original."""
    folder.mkdir(parents=True)
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy(source, folder / name)
