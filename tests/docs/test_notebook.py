"""docs/tutorial.ipynb runs from top to bottom, and holds no outputs."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "tutorial.ipynb"
SECONDS = 900
"""The most that a cell may take, on a machine that is busy; the whole takes about a minute on an idle one."""


def test_it_holds_no_outputs() -> None:
    nbformat = pytest.importorskip("nbformat")
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert any(cell.cell_type == "code" for cell in cells)
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.docs
def test_it_runs(working_copy: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (working_copy / "runs").mkdir()
    nbclient.NotebookClient(
        notebook, timeout=SECONDS, resources={"metadata": {"path": str(working_copy / "docs")}}
    ).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "silence counted" in printed
    assert "garage" in printed
    assert (working_copy / "runs" / "notebook-sx101.TextGrid").exists()
