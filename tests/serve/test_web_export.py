"""What `asr export --format web` needs: no web server, and onnxruntime-web of one version."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.pages.chromium import node_tool

from asr.errors import InputError
from asr.serve.web_export import export_web
from asr.serve.web_runtime import RUNTIME_VERSION


def test_the_export_needs_no_web_server() -> None:
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'websockets', 'multipart'): sys.modules[name] = None\n"
        "import asr.serve.web_export"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize("content", [None, "{}", '{"version": "1.0.0"}'])
def test_a_missing_or_other_runtime_says_how_to_get_it(tiny_run: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "package.json").write_text(content)
    with pytest.raises(InputError, match=rf"npm pack onnxruntime-web@{RUNTIME_VERSION}"):
        export_web(tiny_run, tmp_path / "out", "int8", tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_version_is_the_one_that_npm_installs() -> None:
    package = json.loads((node_tool("onnxruntime-web") / "package.json").read_text())
    assert package["version"] == RUNTIME_VERSION
