"""The committed JavaScript is what the TypeScript compiles to."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.chromium import WEB, node_tool

COMPILED = WEB.parent / "asr" / "report" / "browser" / "page" / "errors.js"


def test_the_committed_script_is_compiled_from_its_source(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed")
    compiler, output = node_tool("typescript/bin/tsc"), tmp_path / "errors.js"
    done = subprocess.run(
        [node, compiler, "--project", WEB / "browser", "--outFile", output], capture_output=True, text=True
    )
    assert done.stdout == ""
    assert output.read_bytes() == COMPILED.read_bytes()
