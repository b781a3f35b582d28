"""The confusion matrix: every pair in its cell, darker where it is more frequent."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

from support.pages.svg import SVG, outside, titles

from asr.report.confusions import confusion_matrix


def test_every_pair_has_a_cell_with_its_counts() -> None:
    pairs = Counter({("aa", "aa"): 3, ("aa", "b"): 1, ("b", "b"): 2, ("b", None): 2, (None, "b"): 1, (None, "aa"): 3})
    assert titles(confusion_matrix(["aa", "b"], pairs)) == [
        "aa as aa: 3 of 4 (75.0%)",
        "aa as b: 1 of 4 (25.0%)",
        "b as b: 2 of 4 (50.0%)",
        "b deleted: 2 of 4 (50.0%)",
        "aa inserted: 3 of 4 insertions (75.0%)",
        "b inserted: 1 of 4 insertions (25.0%)",
    ]


def test_a_matrix_without_errors_or_phones() -> None:
    assert titles(confusion_matrix(["aa"], Counter())) == []


def cells(svg: str) -> dict[str, ElementTree.Element]:
    """The cells by the first words of their hints."""
    found = {}
    for element in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        if (title := element.find(f"{SVG}title")) is not None:
            found[str(title.text).partition(":")[0]] = element
    return found


def test_rows_are_references_and_columns_hypotheses() -> None:
    phones = ["aa", "b", "k"]
    pairs = Counter({("aa", "b"): 1, ("aa", "aa"): 9, ("b", "k"): 4, ("k", None): 2, (None, "aa"): 1})
    matrix = confusion_matrix(phones, pairs)
    found = cells(matrix)
    places = {name: (float(cell.get("x", 0)), float(cell.get("y", 0))) for name, cell in found.items()}
    assert places["aa as b"][1] == places["aa as aa"][1] < places["b as k"][1] < places["k deleted"][1]
    assert places["aa as aa"][0] == places["aa inserted"][0] < places["aa as b"][0] < places["b as k"][0]
    assert places["k deleted"][0] > places["b as k"][0]
    assert places["aa inserted"][1] > places["k deleted"][1]


def test_nothing_lies_outside_the_figure() -> None:
    assert outside(confusion_matrix([f"p{number}" for number in range(39)], Counter({("p38", None): 1}))) == []


def test_shades_follow_the_share_and_colours_the_error() -> None:
    found = cells(confusion_matrix(["aa", "b"], Counter({("aa", "aa"): 96, ("aa", "b"): 4, ("b", "aa"): 1})))
    shades = {name: float(cell.get("fill-opacity", 0)) for name, cell in found.items()}
    assert shades == {"aa as aa": 1.0, "aa as b": 0.2, "b as aa": 1.0}
    assert {name: cell.get("class") for name, cell in found.items()} == {
        "aa as aa": "good",
        "aa as b": "bad",
        "b as aa": "bad",
    }


def test_each_cell_links_to_its_examples() -> None:
    pairs = Counter({("s", "z"): 2, ("z", None): 1, (None, "s"): 1})
    svg = confusion_matrix(["s", "z"], pairs, lambda **filters: "?" + "+".join(filters.values()))
    assert sorted(re.findall('href="([^"]*)"', svg)) == ["?-+s", "?s+z", "?z+-"]
