"""Digests that identify a bundle or an exported model by its files."""

import hashlib
from pathlib import Path

from asr.acoustics.bundle_manifest import model_folders
from asr.storage.files import file_digest
from asr.storage.run_layout import BUNDLE_FILES, CLASSES, CMVN, ONNX_MANIFEST, RECIPE, TIMING_CLASSES, WEIGHTS


def acoustic_digest(folder: Path) -> str:
    """A digest of all files of a bundle or an exported model that the posteriors of its own model, and so its
    alignments, depend on."""
    digest = hashlib.sha256()
    exported = (RECIPE, CLASSES, ONNX_MANIFEST)
    trained = (RECIPE, WEIGHTS, CLASSES, CMVN)
    names = exported if (folder / ONNX_MANIFEST).is_file() else trained
    for name in (*names, *([TIMING_CLASSES] if (folder / TIMING_CLASSES).is_file() else [])):
        digest.update(bytes.fromhex(file_digest(folder / name)))
    return digest.hexdigest()


def bundle_digest(folder: Path) -> str:
    """A digest of the bundle's own files, those of its ensemble among them; other files in the folder do not count."""
    digest = hashlib.sha256()
    for number, model in enumerate(model_folders(folder)):
        for name in (*BUNDLE_FILES, ONNX_MANIFEST):
            if (path := model / name).is_file():
                digest.update(f"{number}/{name}:{file_digest(path)}\n".encode())
    return digest.hexdigest()
