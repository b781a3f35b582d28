"""A copy of the repository in which the commands of the documentation run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands.made_once import made_once

REPOSITORY = Path(__file__).resolve().parents[2]
LINKED = ("data", "benchmarks", "asr", "tests", "web", "pyproject.toml", "Makefile")
COPIED = ("docs", "recipes", "README.md", "mkdocs.yml")
SECONDS = 900
"""The most that the training of the demo may take."""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for the commands: `asr` and `python` are those under test, and no model hub is asked."""
    folder = tmp_path_factory.mktemp("bin")
    for name, command in (("asr", f'"{sys.executable}" -m asr'), ("python", f'"{sys.executable}"')):
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


@pytest.fixture
def working_copy(tmp_path: Path) -> Path:
    """A copy of the repository as far as commands read it; what they write does not reach the original."""
    return copied(tmp_path / "asr")


@pytest.fixture(scope="session")
def demo_run(environment: dict[str, str], shared: Path) -> Path:
    """The run of recipes/demo/dnn.yaml, which most pages begin with: ASR_DEMO_RUN, or trained once for all workers."""
    if "ASR_DEMO_RUN" in os.environ:
        return Path(os.environ["ASR_DEMO_RUN"])

    def make(folder: Path) -> None:
        command = ["asr", "run", "recipes/demo/dnn.yaml"]
        subprocess.run(command, cwd=copied(folder), env=environment, check=True, timeout=SECONDS)

    return made_once(shared / "demo", make) / "runs/demo/dnn"


def copied(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    for name in COPIED:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder
