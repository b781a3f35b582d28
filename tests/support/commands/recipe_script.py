"""The programs in recipes/, which are not modules of a package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

RECIPES = Path(__file__).resolve().parents[3] / "recipes"


def load_script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A program below recipes/ as a module."""
    path = RECIPES / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module
