import sys
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
from support.commands.asr_command import Command
from support.commands.recipe_script import load_script
from support.corpora.own_corpora import BUILDERS

from asr.corpora.cuts import has_phones, has_times, read_cuts


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The study as a module, of small networks and one seed."""
    module = load_script("mini_librispeech/course.py", monkeypatch)
    tiny = ("training.epochs=2", "decoding.acoustic_scales=[0.5]", "decoding.insertion_penalties=[0]")
    tiny += ("model.layers=1", "model.width=8")
    settings = [module.Setting("dropout", name, "course_dnn", tiny) for name in ("without", "with")]
    monkeypatch.setattr(module, "SETTINGS", settings)
    monkeypatch.setattr(module, "SEEDS", (0,))
    return module


def test_the_study_trains_each_network_once_and_writes_its_figures(
    course: ModuleType,
    tmp_path: Path,
    asr_command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    BUILDERS["librispeech"](tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    lexicon = ("--lexicon", tmp_path / "lexicon.txt")
    assert asr_command("prepare", "librispeech", tmp_path / "corpus", tmp_path / "words", *lexicon).status == 0
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["course.py", str(tmp_path / "words"), "--out", str(out)])
    course.main()
    printed = capsys.readouterr().out
    train, dev, test = (list(read_cuts(out / "prepare" / f"{split}.cuts.jsonl.gz")) for split in course.SPLITS)
    assert all(has_times(cut) for cut in [*train, *dev])
    assert (len(train), len(dev), len(test)) == (4, 2, 4)
    assert all(has_phones(cut) and not has_times(cut) for cut in test)
    epochs, scores = ((out / name).read_text().splitlines() for name in ("dropout.tsv", "dropout_scores.tsv"))
    assert (len(epochs), len(scores)) == (1 + 2 * 2, 1 + 2)
    rows, last = (
        [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
        for lines in (epochs, scores)
    )
    for score in last:
        of_setting = [row for row in rows if row["setting"] == score["setting"]]
        best = min(of_setting, key=lambda row: float(row["dev_frame_error"]))
        assert (score["epoch"], score["dev_frame_error"]) == (best["epoch"], best["dev_frame_error"])
        assert score["train_frame_error"] == of_setting[-1]["train_frame_error"]
        assert float(score["low"]) <= float(score["per"]) <= float(score["high"])
    assert "| with | 0 | " in printed
    assert "<polyline" in (out / "dropout.svg").read_text()
    monkeypatch.delattr(course, "train")
    course.main()
    assert capsys.readouterr().out in printed


def test_means_are_over_the_seeds(course: ModuleType) -> None:
    rows = [
        {
            "setting": name,
            "seed": seed,
            "parameters": 1234,
            "epoch": 2 + seed,
            "dev_frame_error": 50.0 + seed,
            "train_frame_error": 40.0 + seed,
            "dev_per": 20.0 + seed,
            "per": 30.0 + seed,
            "low": 29.0,
            "high": 33.0,
        }
        for name, seed in product(("GRU", "LSTM"), (0, 1, 2))
    ]
    table = course.markdown(rows)
    assert "| GRU | 2 | 52.0 (4) | 42.0 | 22.0 | 32.0 (29.0 to 33.0) |\n" in table
    assert "| GRU | mean | 51.0 | 41.0 | 21.0 | 31.0 |\n" in table
