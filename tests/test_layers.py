"""The layers of the package: no import upwards, and no circle among folders or among files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "asr"

LAYERS = (
    (
        "asr.version",
        "asr.errors",
        "asr.compiled",
        "asr.batches",
        "asr.processes",
        "asr.progress",
        "asr.device",
        "asr.threads",
        "asr.termination",
        "asr.data_files",
        "asr.png",
        "asr.corpus_registry",
        "asr.kneser_ney",
    ),
    ("asr.engines",),
    ("asr.audio",),
    ("asr.storage",),
    ("asr.formats",),
    ("asr.g2p",),
    ("asr.phones",),
    ("asr.config.section",),
    ("asr.config.models",),
    ("asr.config",),
    ("asr.corpora",),
    ("asr.corpora.public",),
    ("asr.corpora.manifests",),
    ("asr.corpora.own",),
    ("asr.features",),
    ("asr.features.augmentation",),
    ("asr.models.kernels",),
    ("asr.models",),
    ("asr.named_models",),
    ("asr.acoustics",),
    ("asr.export",),
    ("asr.lm",),
    ("asr.scoring",),
    ("asr.alignment",),
    ("asr.decoding.graph",),
    ("asr.decoding.search",),
    ("asr.decoding.lattice",),
    ("asr.decoding",),
    ("asr.training.data",),
    ("asr.training",),
    ("asr.report",),
    ("asr.report.browser",),
    ("asr.report.plotting",),
    ("asr.runs",),
    ("asr.sharing",),
    ("asr.library",),
    ("asr.recognizer",),
    ("asr.recordings",),
    ("asr.serve",),
    ("asr.cli",),
    ("asr", "asr.__main__"),
)
"""From the ground up; a layer imports itself and those before it. docs/architecture.md has the same table."""


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            inner = [name for name in submodules if name in known]
            yield from inner
            if len(inner) < len(submodules):
                yield node.module


def layer_of(module: str) -> int:
    """The layer of a module: that of the longest name that it begins with."""
    names = {name for layer in LAYERS for name in layer}
    parts = module.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    best = next(prefix for prefix in prefixes if prefix in names)
    return next(number for number, layer in enumerate(LAYERS) if best in layer)


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle of a graph, or nothing."""
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(node: str) -> list[str]:
        state[node] = 1
        path.append(node)
        for target in sorted(arrows.get(node, ())):
            if state.get(target) == 1:
                return [*path[path.index(target) :], target]
            if target not in state and (found := visit(target)):
                return found
        path.pop()
        state[node] = 2
        return []

    for node in sorted(arrows):
        if node not in state and (found := visit(node)):
            return found
    return []


KNOWN = modules()
ARROWS = {name: set(imports(path, KNOWN)) - {name} for name, path in KNOWN.items()}


def folder_of(module: str) -> str:
    """The folder of a module; a file at the top stands for itself."""
    alone = KNOWN[module].name == "__init__.py" or module.count(".") == 1
    return module if alone else module.rpartition(".")[0]


def documented(module: str) -> str:
    """The name of a layer's folder or file in the table of docs/architecture.md."""
    name = module.removeprefix("asr.").replace(".", "/")
    return f"{name}/" if name != "asr" and KNOWN[module].name == "__init__.py" else name


def test_the_documentation_has_the_same_layers() -> None:
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Layers")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    expected = [set(map(documented, layer)) - {"__main__"} for layer in LAYERS]
    assert [set(re.findall("`([^`]+)`", cell)) for cell in cells] == expected


def test_every_module_has_a_layer() -> None:
    folders = {name for name, path in KNOWN.items() if path.name == "__init__.py" or name.count(".") == 1}
    named = {name for layer in LAYERS for name in layer}
    assert folders - named == set()
    assert named - KNOWN.keys() == set()


@pytest.mark.parametrize("module", sorted(KNOWN))
def test_nothing_imports_upwards(module: str) -> None:
    assert [target for target in sorted(ARROWS[module]) if layer_of(target) > layer_of(module)] == []


def test_no_circle_among_files() -> None:
    assert circle(ARROWS) == []


def test_no_circle_among_folders() -> None:
    folders: dict[str, set[str]] = {}
    for module, targets in ARROWS.items():
        here = folder_of(module)
        folders.setdefault(here, set()).update({folder_of(target) for target in targets} - {here})
    assert circle(folders) == []
