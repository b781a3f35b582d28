"""What the package imports is what it declares, with bounds, and what is installed lies within them."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
PACKAGE, PYPROJECT = REPOSITORY / "asr", REPOSITORY / "pyproject.toml"


@cache
def imported() -> frozenset[str]:
    """The top-level packages that any file imports, wherever in it."""
    names = {name for path in PACKAGE.rglob("*.py") for name in imports(ast.walk(parsed(path)))}
    return frozenset(name.partition(".")[0] for name in names) - sys.stdlib_module_names - {"asr"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that these statements import, and what else may be a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def declared(*extras: str) -> set[str]:
    """The required distributions in normalised spelling, with those of some extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    requirements = [
        *project["dependencies"],
        *(each for name in extras for each in project["optional-dependencies"][name]),
    ]
    return {normalised(re.split(r"[^\w.-]", each)[0]) for each in requirements}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


DISTRIBUTIONS = packages_distributions() | {"pydantic_core": ["pydantic"]}


def owners(module: str) -> set[str]:
    """The distributions that a top-level package comes from."""
    return {normalised(name) for name in DISTRIBUTIONS.get(module, [module])}


def test_every_import_is_a_declared_dependency() -> None:
    known = declared("av", "export", "hf", "librosa", "numbers", "onnx", "plot", "ray", "serve")
    known |= {"triton"}  # PyTorch brings it where it can
    assert [module for module in sorted(imported()) if not owners(module) & known] == []


EXTRAS = {
    "av", "huggingface_hub", "librosa", "matplotlib", "num2words", "onnx", "onnxruntime", "onnxscript", "ray",
    "starlette", "triton", "uvicorn",
}  # fmt: skip
NEED_AN_EXTRA = {
    "asr.audio.pyav",
    "asr.export.export",
    "asr.export.precision",
    "asr.features.librosa_backend",
    "asr.models.kernels.triton_hidden",
    "asr.models.kernels.triton_moments",
    "asr.models.kernels.triton_recurrent",
}


def test_all_else_can_be_imported_without_the_extras() -> None:
    at_once = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): set(imports(parsed(path).body))
        for path in PACKAGE.rglob("*.py")
    }
    found: set[str] = set()
    while (
        more := {
            name
            for name, modules in at_once.items()
            if found & modules or EXTRAS & {each.partition(".")[0] for each in modules}
        }
        - found
    ):
        found |= more
    assert {name for name in found if not name.startswith("asr.serve")} == NEED_AN_EXTRA


def test_every_dependency_is_imported() -> None:
    used = set().union(*map(owners, imported()))
    assert declared() - used == {"tensorboard"}  # torch imports it


def requirements() -> list[Requirement]:
    """The requirements of the package and all its extras, without the package itself."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    return [each for each in map(Requirement, texts) if each.name != project["name"]]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_dependency_has_a_lower_and_an_upper_bound(requirement: Requirement) -> None:
    operators = {each.operator for each in requirement.specifier}
    assert operators & {"==", "~="} or (operators & {">", ">="} and operators & {"<", "<="})


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_what_is_installed_lies_within_the_bounds(requirement: Requirement) -> None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        pytest.skip(f"{requirement.name} is not installed")
    assert requirement.specifier.contains(installed, prereleases=True)
