"""The committed JavaScript is what the TypeScript compiles to."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.pages.chromium import WEB, node_tool

from asr.serve.page_files import PAGE, WORKER

ERRORS = WEB.parent / "asr" / "report" / "browser" / "page" / "errors.js"


@pytest.mark.parametrize(
    ("project", "committed"),
    [
        ("service_worker", WORKER / "service_worker.js"),  # the smallest
        pytest.param("worker", WORKER / "worker.js", marks=pytest.mark.pages),
        pytest.param("live", PAGE / "live.js", marks=pytest.mark.pages),
        pytest.param("recorder", PAGE / "recorder.js", marks=pytest.mark.pages),
        pytest.param("browser", ERRORS, marks=pytest.mark.pages),
    ],
)
def test_the_committed_script_is_compiled_from_its_source(tmp_path: Path, project: str, committed: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed")
    compiler, output = node_tool("typescript/bin/tsc"), tmp_path / committed.name
    done = subprocess.run(
        [node, compiler, "--project", WEB / project, "--outFile", output], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == ""
    assert output.read_bytes() == committed.read_bytes()
