"""Names that look like markup are shown as they are."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from asr.report.escaping import fence, markdown, terminal
from asr.report.tables import speaker_table
from asr.scoring.edit_alignment import Counts
from asr.scoring.results import ScoreResult
from asr.scoring.silence import TREATMENTS


def printed(table: Table) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    console.print(table)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["[red]", "[/]", "a\\", "[link=x]y", ":heart:", "\x1b[31mx"])
def test_a_speaker_is_shown_as_named(name: str) -> None:
    counts = dict.fromkeys(TREATMENTS, Counts(1, 0, 0, 2))
    result = ScoreResult("timit39", "speakers", True, {}, {name: counts}, [])
    assert name.replace("\x1b", "\\x1b") in printed(speaker_table(result))


def test_titles_keep_their_style() -> None:
    assert "\x1b[3m" in printed(Table("a", title=terminal("[b]x", "table.title")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\|b"),
        ("[x](y)", "\\[x](y)"),
        ("`x`", "\\`x\\`"),
        ("&lt;", "&amp;lt;"),
        ("a\nb\x1b", "a b\\\\x1b"),
        ("spk_1-ɑː", "spk_1-ɑː"),
    ],
)
def test_markdown_shows_text(name: str, expected: str) -> None:
    assert markdown(name) == expected


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    assert [fence(text) for text in ("a", "``", "x ```` y")] == ["```", "```", "`````"]
