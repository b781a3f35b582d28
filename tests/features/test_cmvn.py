"""Normalisation: what it does to features, merging of statistics, files, and the input of a model."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.archive import ArchiveWriter
from asr.features.cmvn import Cmvn, Statistics, cmvn_path, load_cmvn, save_cmvn
from asr.features.dataset import Dataset
from asr.features.normalize import model_input


def by(statistics: Statistics, features: np.ndarray) -> np.ndarray:
    """Features [T, D] normalised by the statistics."""
    return (features - statistics.mean) / statistics.deviation


def features(frames: int, seed: int, dim: int = 3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((frames, dim)) * 4 + 10).astype(np.float32)


def same(one: Statistics, other: Statistics) -> bool:
    return one.count == other.count and np.allclose(one.sum, other.sum) and np.allclose(one.squares, other.squares)


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(deadline=None)
def test_statistics_of_parts_add_up(cuts: list[int]) -> None:
    parts = [features(frames, seed) for seed, frames in enumerate(cuts)]
    together = Cmvn()
    for part in parts:
        together.add("a", Statistics.of(part))
    assert same(together.speakers["a"], Statistics.of(np.concatenate(parts)))
    first, *rest = (Statistics.of(part) for part in parts)
    assert same(sum(rest, first), together.total())


def test_zero_mean_and_unit_variance() -> None:
    data = features(500, 0)
    normalized = model_input(data, None, None, FeaturesConfig(cmvn="utterance"))
    assert normalized.dtype == np.float32
    assert np.allclose(normalized.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(normalized.std(axis=0), 1, atol=1e-5)
    centred = model_input(data, None, None, FeaturesConfig(cmvn="utterance", cmvn_variance=False))
    assert np.allclose(centred, data - data.mean(axis=0), atol=1e-5)


def test_a_constant_column_becomes_zero() -> None:
    data = np.full((7, 2), -15.9424, dtype=np.float32)
    assert np.abs(model_input(data, None, None, FeaturesConfig(cmvn="utterance"))).max() < 1e-2


def test_file_round_trip_and_same_bytes(tmp_path: Path) -> None:
    cmvn = Cmvn()
    for number, speaker in enumerate(["fvmh0", "mjdé", "fvmh0"]):
        cmvn.add(speaker, Statistics.of(features(20, number)))
    save_cmvn(tmp_path / "a", cmvn)
    save_cmvn(tmp_path / "b", cmvn)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read = load_cmvn(tmp_path / "a")
    assert list(read.speakers) == ["fvmh0", "mjdé"]
    assert all(same(read.speakers[name], cmvn.speakers[name]) for name in read.speakers)


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.*run asr features"):
        load_cmvn(tmp_path / "absent")
    cmvn = Cmvn()
    cmvn.add("a", Statistics.of(features(9, 0)))
    save_cmvn(tmp_path / "whole", cmvn)
    for content in (b"", b"not a tensor file", (tmp_path / "whole").read_bytes()[:-8]):
        (tmp_path / "broken").write_bytes(content)
        with pytest.raises(InputError, match=r"broken.*run asr features"):
            load_cmvn(tmp_path / "broken")


def test_model_input_by_kind() -> None:
    mine, others = features(30, 0), features(300, 1)
    cmvn = Cmvn()
    cmvn.add("a", Statistics.of(mine))
    cmvn.add("b", Statistics.of(others))

    def normalized(kind: str, speaker: str | None, deltas: int = 0) -> np.ndarray:
        return model_input(mine, speaker, cmvn, FeaturesConfig(bins=3, cmvn=kind, deltas=deltas))

    assert np.array_equal(normalized("none", "a"), mine)
    assert np.allclose(normalized("utterance", "b").mean(axis=0), 0, atol=1e-5)
    assert np.allclose(normalized("speaker", "a").mean(axis=0), 0, atol=1e-5)
    assert np.allclose(normalized("speaker", "b"), by(Statistics.of(others), mine))
    assert np.allclose(normalized("speaker", None), normalized("utterance", None))
    assert np.allclose(normalized("global", None), by(cmvn.total(), mine))
    assert normalized("speaker", "a", deltas=2).shape == (30, 9)
    assert np.array_equal(normalized("speaker", "a", deltas=2)[:, :3], normalized("speaker", "a"))


def test_model_input_leaves_the_archive_alone() -> None:
    mine = features(30, 0)
    mine.flags.writeable = False
    for kind in ("none", "speaker"):
        model_input(mine, "a", Cmvn(), FeaturesConfig(bins=3, cmvn=kind))[:] = 0


def test_a_split_is_normalised_by_its_own_speakers_or_by_the_training_set(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "dev")):
        cmvn = Cmvn()
        cmvn.add(split, Statistics.of(features(20, number)))
        save_cmvn(cmvn_path(tmp_path / split), cmvn)
        with ArchiveWriter(tmp_path / split, 3) as archive:
            archive.append("u", split, features(20, number))

    def normalizing(cmvn: str) -> Cmvn:
        return Dataset(tmp_path, tmp_path).split("dev", FeaturesConfig(bins=3, cmvn=cmvn)).cmvn

    assert list(normalizing("speaker").speakers) == ["dev"]
    assert same(normalizing("global").total(), Statistics.of(features(20, 0)))


def test_every_flipped_byte_is_named_or_changes_nothing(tmp_path: Path) -> None:
    cmvn = Cmvn()
    for number, speaker in enumerate(["a", "b"]):
        cmvn.add(speaker, Statistics.of(features(9, number)))
    save_cmvn(tmp_path / "whole", cmvn)
    content = (tmp_path / "whole").read_bytes()
    for at in range(len(content)):
        (tmp_path / "flipped").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            read = load_cmvn(tmp_path / "flipped")
        except InputError as error:
            assert "run asr features again" in str(error)  # noqa: PT017 - most flips are found, not all
        else:
            assert all(same(read.speakers[name], cmvn.speakers[name]) for name in ("a", "b"))


def test_statistics_of_wrong_shapes_or_values_are_named(tmp_path: Path) -> None:
    bad = (
        {"a": Statistics(1.0, np.zeros(3), np.zeros(4))},
        {"a": Statistics(1.0, np.full(3, np.nan), np.zeros(3))},
        {"a": Statistics(1.0, np.zeros(3, np.float32), np.zeros(3))},
    )
    for speakers in bad:
        save_cmvn(tmp_path / "bad", Cmvn(speakers))
        with pytest.raises(InputError, match="not a complete file of CMVN statistics"):
            load_cmvn(tmp_path / "bad")


def test_statistics_of_version_0_1_can_be_read(tmp_path: Path) -> None:
    tensors = {"count": np.ones(1), "sum": np.ones((1, 3)), "squares": np.ones((1, 3))}
    save_file(tensors, tmp_path / "old", {"cmvn": json.dumps({"schema": "asr-cmvn-1", "speakers": ["a"]})})
    assert list(load_cmvn(tmp_path / "old").speakers) == ["a"]
