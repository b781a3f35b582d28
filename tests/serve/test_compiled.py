"""The committed JavaScript is what the TypeScript compiles to."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.chromium import WEB, node_tool

from asr.serve.app import PAGE


@pytest.mark.parametrize(("project", "name"), [("live", "live.js"), ("recorder", "recorder.js")])
def test_the_committed_script_is_compiled_from_its_source(tmp_path: Path, project: str, name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed")
    compiler, output = node_tool("typescript/bin/tsc"), tmp_path / name
    done = subprocess.run(
        [node, compiler, "--project", WEB / project, "--outFile", output], capture_output=True, text=True
    )
    assert done.stdout == ""
    assert output.read_bytes() == (PAGE / name).read_bytes()
