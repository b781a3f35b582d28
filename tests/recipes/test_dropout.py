import sys
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
from support.commands.recipe_script import load_script

from asr.config import DecodingConfig


@pytest.fixture
def dropout(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The study as a module, of one small network and one seed."""
    module = load_script("timit_sample/dropout.py", monkeypatch)
    monkeypatch.setattr(module, "SIZES", ((1, 16),))
    monkeypatch.setattr(module, "SEEDS", (0,))
    monkeypatch.setattr(module, "GRID", DecodingConfig(acoustic_scales=[0.5], insertion_penalties=[0.0]))
    return module


def table(path: Path) -> list[dict[str, str]]:
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_study_has_a_line_for_each_epoch_and_trains_nothing_twice(
    dropout: ModuleType,
    timit_sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["dropout.py", "--corpus", str(timit_sample), "--out", str(tmp_path / "study"), "--epochs", "2"]
    monkeypatch.setattr(sys, "argv", arguments)
    dropout.main()
    rows = table(tmp_path / "study" / "dropout.tsv")
    assert [(row["dropout"], row["epoch"]) for row in rows] == [("1", "1"), ("1", "2"), ("0", "1"), ("0", "2")]
    errors = [float(row[name]) for row in rows for name in ("train_frame_error", "dev_frame_error", "frame_error")]
    assert all(40 < error < 100 for error in errors)
    assert float(rows[3]["train_frame_error"]) < float(rows[2]["train_frame_error"])
    assert all(30 < float(row["per"]) < 100 for row in rows)
    assert not list((tmp_path / "study").glob("*/checkpoints"))
    printed = capsys.readouterr().out
    monkeypatch.delattr(dropout, "train")
    dropout.main()
    assert capsys.readouterr().out in printed
    assert table(tmp_path / "study" / "dropout.tsv") == rows


def test_means_and_ranges_are_over_the_seeds(dropout: ModuleType, tmp_path: Path) -> None:
    points = [
        dropout.Point(
            1, 16, with_dropout, seed, epoch, 50.0, 60.0, 70.0 - epoch + seed, 50.0 - seed if epoch > 1 else None
        )
        for with_dropout, seed, epoch in product((True, False), (0, 1, 2), (1, 2, 3))
    ]
    with_dropout = [point for point in points if point.dropout]
    assert dropout.spread(with_dropout, "frame_error") == ([1, 2, 3], [69, 68, 67], [70, 69, 68], [71, 70, 69])
    assert dropout.spread(with_dropout, "per") == ([2, 3], [48, 48], [49, 49], [50, 50])
    assert "| 1x16 | yes | 68.0 | 68.0 (3) | 49.0 | 49.0 (2) |" in dropout.markdown(points)
    for name in ("first.svg", "second.svg"):
        dropout.plot(points, tmp_path / name)
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
    assert "layers of 16" in (tmp_path / "first.svg").read_text()
