"""The documentation as a site: every page and link is there, and nothing is requested from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import typer
from support.pages.chromium import chromium

from asr.cli.main import app
from asr.config.settings import recipe_settings

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 600
"""The most that building may take."""
LOADED = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=["']?(https?:)?//""")
"""A tag that makes the browser ask another host."""


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs" / "site"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.docs
def test_pages_ask_no_other_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [str(page) for page in pages if LOADED.search(page.read_text(encoding="utf-8"))] == []


@pytest.mark.docs
@pytest.mark.parametrize("page", ["index.html", "tutorial/features.html", "reference/settings.html"])
def test_a_page_in_a_browser(site: Path, page: str) -> None:
    """Straight from the disk: no error, no request to elsewhere, and the search finds something."""
    with chromium() as browser:
        opened = browser.new_page()
        problems: list[str] = []
        opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        opened.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else problems.append(asked.url),
        )
        opened.goto((site / page).as_uri())
        opened.keyboard.press("/")
        opened.keyboard.type("dropout")
        opened.wait_for_selector(".md-search-result__item", timeout=20_000)
        assert problems == []


def test_links_to_other_folders_are_those_of_the_site() -> None:
    from site_links import rewritten

    text = "[a](../recipes/x/RESULTS.md#b) [c](gpu.md) [`d`](../asr/errors.py) [e](../nowhere.md) `[f](../asr)`"
    pages = {"recipes/x/RESULTS.md": "results/x.md"}
    found = rewritten(text, PurePosixPath("docs/page.md"), PurePosixPath("page.md"), pages, REPOSITORY)
    assert found == "[a](results/x.md#b) [c](gpu.md) `d` [e](../nowhere.md) `[f](../asr)`"


def test_the_home_page_is_the_readme() -> None:
    from outside import outside_files
    from site_links import rewritten

    assert outside_files(REPOSITORY)["index.md"] == "README.md"
    found = rewritten("[x](docs/gpu.md)", PurePosixPath("README.md"), PurePosixPath("index.md"), {}, REPOSITORY)
    assert found == "[x](gpu.md)"


def test_the_reference_has_every_command_and_setting() -> None:
    from reference import generated_pages

    pages = generated_pages()
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"## asr {name}\n" in pages["reference/commands.md"]
        for inner in getattr(command, "commands", {}):
            assert f"## asr {name} {inner}\n" in pages["reference/commands.md"]
    for section in recipe_settings():
        for setting in section.settings:
            assert f"| `{setting.name}` |" in pages["reference/settings.md"]
    assert "## asr.load\n" in pages["reference/python.md"]
    assert "| `textgrid` |" in pages["reference/registries.md"]


def test_tables_of_the_reference_have_as_many_cells_as_their_head() -> None:
    from reference import generated_pages

    for page in generated_pages().values():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table[:300]
