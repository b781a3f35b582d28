"""Commands with faults. ASR_FAULTS=all tries every point; without it, some of each command's."""

import shutil
from pathlib import Path

import pytest
from support.commands.faults import Case, FaultyCommand


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> FaultyCommand:
    return FaultyCommand(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def recordings(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for path in sorted(tiny_corpus.glob("*/*/fslt2/*")):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(params=["run", "transcribe", "align", "decode"])
def case(request: pytest.FixtureRequest, tiny_recipe: Path, tiny_run: Path, recordings: Path, tmp_path: Path) -> Case:
    out = tmp_path / "out"
    commands: dict[str, list[object]] = {
        "run": ["run", tiny_recipe, "--out", out, "--device", "cpu"],
        "transcribe": ["transcribe", tiny_run, recordings, "-o", out],
        "align": ["align", tiny_run, recordings, "-o", out, "--format", "textgrid", "--format", "ctm"],
        "decode": ["decode", tiny_run / "train" / "bundle", tiny_run / "prepare", tiny_run / "features", out],
    }
    return Case(commands[request.param], out)
