"""Features that several machines compute are those of one."""

from pathlib import Path

import pytest
from support.commands.other_processes import others_here

from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.features import extract
from asr.features.stage import compute_features, help_features


@pytest.mark.parametrize(("processes", "each_machine"), [(3, 1), (4, 2), (2, 2)])
def test_machines_join_to_the_archives_of_one(
    tiny_recipe: Path,
    prepared: Path,
    tmp_path: Path,
    processes: int,
    each_machine: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With an utterance that is skipped; the processes of one machine leave all to its first."""
    config = read_recipe(tiny_recipe, ["corpus.skip_bad=true"])
    monkeypatch.setitem(extract.BATCH_SECONDS, "cpu", 8.0)
    lost = tmp_path / "lost.flac"
    replace_audio(prepared / "train.cuts.jsonl.gz", lost)
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    compute_features(config, prepared, alone)
    worked = []

    def do(task: dict[str, object]) -> object:
        worked.append(rows := help_features(config, prepared, shared, "cpu", task))
        return rows

    compute_features(config, prepared, shared, others=others_here(monkeypatch, processes, each_machine, do))
    assert contents(shared) == contents(alone)
    assert b"lost.flac" in contents(alone)["summary.json"]
    machines = processes // each_machine
    assert len(worked) == 3 * (processes - 1) * (machines > 1)
    assert sum(bool(rows) for rows in worked) >= machines - 1


def test_audio_that_another_machine_cannot_read_stops_it_at_once(
    tiny_recipe: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_recipe(tiny_recipe)
    monkeypatch.setitem(extract.BATCH_SECONDS, "cpu", 8.0)
    replace_audio(prepared / "train.cuts.jsonl.gz", tmp_path / "lost.flac")
    ended = []

    def do(task: dict[str, object]) -> object:
        rows = help_features(config, prepared, tmp_path / "shared", "cpu", task)
        ended.append(task["split"])
        return rows

    others = others_here(monkeypatch, 2, 1, do)
    with pytest.raises(InputError, match=r"lost\.flac"):
        compute_features(config, prepared, tmp_path / "shared", others=others)
    assert "train" not in ended


def replace_audio(manifest: Path, audio: Path) -> None:
    """The last utterance's audio is not there."""
    from asr.corpora.cuts import read_cuts, write_cuts

    cuts = list(read_cuts(manifest))
    cuts[-1].recording.sources[0].source = str(audio)
    write_cuts(manifest, cuts)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
