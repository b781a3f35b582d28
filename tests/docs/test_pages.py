"""README.md and docs/: which commands are not run, and links."""

import os
import re
from pathlib import Path

import pytest
from support.commands.doc_commands import NEEDS, Block, blocks, pages

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = pages(REPOSITORY)
LINK = re.compile(r"\]\(([^()\s]+)\)")
COMMAND_LINE = re.compile(r"^ {4}(?:\S*/)?(?:asr|python|make|pip) \S", re.MULTILINE)
MOST_SKIPPED = 25


def skipped() -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if not block.runs]


def test_commands_that_are_not_run_say_why() -> None:
    assert {block.needs for block in skipped()} <= set(NEEDS)


def test_few_commands_are_not_run() -> None:
    every = [block for page in PAGES for block in blocks(page)]
    assert len(skipped()) <= MOST_SKIPPED
    assert len(skipped()) < len(every) / 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_command_escapes(page: Path) -> None:
    """Commands stand in fenced blocks, which tests/docs/test_commands.py runs."""
    without_fences = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert COMMAND_LINE.findall(without_fences) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = [link.partition("#")[0] for link in LINK.findall(text) if "://" not in link]
    missing = [
        target
        for target in targets
        if target
        and not Path(os.path.normpath(page.parent / target)).exists()
        and not target.startswith(("reference/", "../reference/"))
    ]
    assert missing == []
