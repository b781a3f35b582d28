"""What the package imports is what it declares: an installation without our tools works."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "asr"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def imported() -> set[str]:
    """The top-level packages that any file imports, wherever in it."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"asr"}


def declared(*extras: str) -> set[str]:
    """The required distributions in normalised spelling, with those of some extras."""
    requirements = [
        *PROJECT["dependencies"],
        *(each for name in extras for each in PROJECT["optional-dependencies"][name]),
    ]
    return {normalised(re.split(r"[^\w.-]", each)[0]) for each in requirements}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


DISTRIBUTIONS = packages_distributions() | {"pydantic_core": ["pydantic"]}


def owners(module: str) -> set[str]:
    """The distributions that a top-level package comes from."""
    return {normalised(name) for name in DISTRIBUTIONS.get(module, [module])}


def test_every_import_is_a_declared_dependency() -> None:
    known = declared("librosa")
    assert [module for module in sorted(imported()) if not owners(module) & known] == []


def test_every_dependency_is_imported() -> None:
    used = set().union(*map(owners, imported()))
    assert declared() - used == {"tensorboard"}  # torch imports it


def test_each_dependency_has_bounds_and_what_is_installed_lies_within_them() -> None:
    for requirement in map(Requirement, PROJECT["dependencies"]):
        operators = {each.operator for each in requirement.specifier}
        assert "==" in operators or {">=", "<"} <= operators, requirement
        assert requirement.specifier.contains(version(requirement.name), prereleases=True), requirement
