"""What identifies a model, by its files."""

from pathlib import Path

import pytest

from asr.acoustics.digests import acoustic_digest
from asr.storage.run_layout import ONNX_MANIFEST

TRAINED = ("recipe.yaml", "model.safetensors", "classes.tsv", "cmvn.safetensors")
EXPORTED = ("recipe.yaml", "classes.tsv", ONNX_MANIFEST)


@pytest.mark.parametrize("files", [TRAINED, EXPORTED])
def test_a_model_is_another_if_any_of_its_files_is(tmp_path: Path, files: tuple[str, ...]) -> None:
    for name in files:
        (tmp_path / name).write_text("before")
    digests = {acoustic_digest(tmp_path)}
    for name in files:
        (tmp_path / name).write_text("after")
        digests.add(acoustic_digest(tmp_path))
    assert len(digests) == 1 + len(files)
    (tmp_path / "notes.txt").write_text("mine")
    assert acoustic_digest(tmp_path) in digests
