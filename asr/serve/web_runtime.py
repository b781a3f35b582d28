"""onnxruntime-web, which an exported page runs its model with: the npm package, and the files of it that a page has."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import InputError
from asr.storage.files import remove, write_bytes

RUNTIME_VERSION = "1.22.0"
"""As pinned in web/package.json."""
SOURCE_TREE = Path(__file__).parents[2] / "web" / "node_modules" / "onnxruntime-web"


@dataclass(frozen=True)
class Build:
    """A build of onnxruntime-web: its scripts, the first of which the worker loads, and its WebAssembly, which is
    written packed, a quarter as large; the page unpacks it."""

    scripts: tuple[str, ...]
    wasm: str
    webgpu: bool

    @property
    def files(self) -> tuple[str, ...]:
        """Those of a page."""
        return *self.scripts, f"{self.wasm}.gz"

    def write(self, package: Path, out: Path) -> None:
        """Writes them, in place of those of another build."""
        for name in {name for build in BUILDS for name in build.files} - set(self.files):
            remove(out / name)
        for name in self.scripts:
            write_bytes(out / name, (package / "dist" / name).read_bytes())
        write_bytes(out / f"{self.wasm}.gz", gzip.compress((package / "dist" / self.wasm).read_bytes(), mtime=0))

    def to_json(self) -> dict[str, Any]:
        """As the worker reads it."""
        return {"script": self.scripts[0], "wasm": f"{self.wasm}.gz", "webgpu": self.webgpu}


WASM = Build(("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs"), "ort-wasm-simd-threaded.wasm", webgpu=False)
WEBGPU = Build(
    ("ort.webgpu.min.js", "ort-wasm-simd-threaded.jsep.mjs"), "ort-wasm-simd-threaded.jsep.wasm", webgpu=True
)
"""Runs on the CPU too, where there is no WebGPU."""
BUILDS = (WASM, WEBGPU)


def find_runtime(folder: Path, build: Build) -> Path:
    """The folder of the npm package. Raises InputError where it is not there, or of another version."""
    fix = f"npm pack onnxruntime-web@{RUNTIME_VERSION}, unpack it, and give its folder package/ as --runtime"
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"onnxruntime-web is not there: {fix}", folder) from error
    if version != RUNTIME_VERSION:
        raise InputError(f"onnxruntime-web is {version}; the page needs {RUNTIME_VERSION}: {fix}", folder)
    for name in (*build.scripts, build.wasm):
        if not (folder / "dist" / name).is_file():
            raise InputError(f"dist/{name} is missing: {fix}", folder)
    return folder
