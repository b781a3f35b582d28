"""The files of onnxruntime-web in an exported page."""

from pathlib import Path

from asr.serve.web_runtime import WASM, WEBGPU


def test_a_build_takes_the_place_of_the_other(tmp_path: Path) -> None:
    package, out = tmp_path / "package", tmp_path / "out"
    (package / "dist").mkdir(parents=True)
    out.mkdir()
    for build in (WASM, WEBGPU):
        for name in (*build.scripts, build.wasm):
            (package / "dist" / name).write_text(name)
    (out / "notes.txt").write_text("the user's")
    for build in (WASM, WEBGPU, WASM):
        build.write(package, out)
        assert {path.name for path in out.iterdir()} == {*build.files, "notes.txt"}
