"""The archive: what goes in comes out, complete or not at all."""

import json
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.features.archive import Archive, ArchiveWriter, array_path, index_path


def write(stem: Path, lengths: list[int], dim: int = 4) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    features = [generator.standard_normal((length, dim)).astype(np.float32) for length in lengths]
    with ArchiveWriter(stem, dim) as archive:
        for number, each in enumerate(features):
            archive.append(f"spk{number % 3}-utt{number}", f"spk{number % 3}", each)
    return features


@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=20), dim=st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_round_trip(lengths: list[int], dim: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "train"
        features = write(stem, lengths, dim)
        archive = Archive(stem)
        assert archive.dim == dim
        assert len(archive) == len(lengths)
        assert archive.starts.tolist() == [0, *np.cumsum(lengths)]
        for number, each in enumerate(features):
            assert archive.utterances[number] == f"spk{number % 3}-utt{number}"
            assert archive.speakers[number] == f"spk{number % 3}"
            assert np.array_equal(archive[number], each)


def test_the_array_is_a_plain_npy_file(tmp_path: Path) -> None:
    features = write(tmp_path / "a.b", [3, 5])
    array = np.load(tmp_path / "a.b.npy", mmap_mode="r", allow_pickle=False)
    assert array.dtype == np.float32
    assert np.array_equal(array, np.concatenate(features))
    assert isinstance(Archive(tmp_path / "a.b").frames, np.memmap)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.index.jsonl", "a.b.npy"]


def test_an_error_leaves_no_files(tmp_path: Path) -> None:
    def stopped() -> None:
        with ArchiveWriter(tmp_path / "train", 4) as archive:
            archive.append("a", "a", np.zeros((3, 4), dtype=np.float32))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_features_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"), ArchiveWriter(tmp_path / "train", 4) as archive:
        archive.append("a", "a", np.zeros((3, 5), dtype=np.float32))


@pytest.mark.parametrize("suffix", [".npy", ".index.jsonl"])
@pytest.mark.parametrize("keep", [None, 0.0, 0.2, 0.9])
def test_missing_and_truncated_files_are_named(tmp_path: Path, suffix: str, keep: float | None) -> None:
    stem = tmp_path / "train"
    write(stem, [30, 40, 20])
    path = tmp_path / f"train{suffix}"
    content = path.read_bytes()
    path.unlink()
    if keep is not None:
        path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=r"train\..*run asr features"):
        Archive(stem)


def test_an_index_of_another_archive(tmp_path: Path) -> None:
    write(tmp_path / "train", [30, 40])
    write(tmp_path / "dev", [30, 41])
    index_path(tmp_path / "dev").replace(index_path(tmp_path / "train"))
    with pytest.raises(InputError, match="index"):
        Archive(tmp_path / "train")


@pytest.mark.parametrize(
    "row", [{"utterance": "a", "frames": 30}, {"utterance": "a", "speaker": "b", "frames": "x"}, 3]
)
def test_a_wrong_index_line(tmp_path: Path, row: object) -> None:
    write(tmp_path / "train", [30])
    head = index_path(tmp_path / "train").read_text().splitlines()[0]
    index_path(tmp_path / "train").write_text(f"{head}\n{json.dumps(row)}\n")
    with pytest.raises(InputError, match="run asr features"):
        Archive(tmp_path / "train")


def test_another_array(tmp_path: Path) -> None:
    write(tmp_path / "train", [30])
    np.save(array_path(tmp_path / "train"), np.zeros(30, dtype=np.int16))
    with pytest.raises(InputError, match="float32"):
        Archive(tmp_path / "train")


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("suffix", [".npy", ".index.jsonl"])
def test_every_flipped_byte_is_named_or_changes_nothing(tmp_path: Path, suffix: str) -> None:
    stem = tmp_path / "train"
    features = write(stem, [2, 1], dim=2)
    path = tmp_path / f"train{suffix}"
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(flipped(content, at))
        try:
            archive = Archive(stem)
        except InputError:
            pass
        else:
            assert archive.utterances == ["spk0-utt0", "spk1-utt1"]
            assert all(np.array_equal(archive[number], each) for number, each in enumerate(features))
    path.write_bytes(content + b"\n")
    with pytest.raises(InputError, match="not a complete"):
        Archive(stem)


@pytest.mark.parametrize("change", ["swap", "repeat", "drop"])
def test_index_rows_that_moved_are_named(tmp_path: Path, change: str) -> None:
    stem = tmp_path / "train"
    write(stem, [30, 30, 30])
    head, first, second, third, last = index_path(stem).read_text().splitlines()
    rows = {"swap": [second, first, third], "repeat": [first, first, third], "drop": [first, third]}[change]
    index_path(stem).write_text("\n".join([head, *rows, last]) + "\n")
    with pytest.raises(InputError, match=r"index\.jsonl: was changed since it was written; run asr features again"):
        Archive(stem)


def sealed(stem: Path, rows: list[str]) -> None:
    """Writes an index with a true checksum of its own."""
    text = "".join(f"{row}\n" for row in rows)
    last = {"utterances": len(rows) - 1, "crc32": zlib.crc32(text.encode())}
    index_path(stem).write_text(text + json.dumps(last) + "\n")


def test_features_of_another_utterance_are_named(tmp_path: Path) -> None:
    stem = tmp_path / "train"
    write(stem, [30, 30, 30])
    head, first, second, third, _ = index_path(stem).read_text().splitlines()
    sealed(stem, [head, second, first, third])
    with pytest.raises(InputError, match=r"train\.npy: the features of utterance spk1-utt1 have changed"):
        Archive(stem)
    sealed(stem, [head, first, second, second])
    with pytest.raises(InputError, match=r"index\.jsonl:4: has utterance spk1-utt1 twice; run asr features again"):
        Archive(stem)
    sealed(stem, [head.replace("4", "5"), first, second, third])
    with pytest.raises(InputError, match="has 4 features a frame, but its index has 5"):
        Archive(stem)


def test_a_large_archive_is_checked_in_part_and_each_utterance_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem = tmp_path / "train"
    features = write(stem, [10] * 100)
    monkeypatch.setattr("asr.features.archive.CHECKED_AT_OPENING", 10 * 4 * 4 * 5)  # 5 utterances
    damaged = 0
    content = array_path(stem).read_bytes()
    for number in range(100):
        array_path(stem).write_bytes(flipped(content, len(content) - 160 * number - 1))
        try:
            archive = Archive(stem)
        except InputError:
            damaged += 1
            continue
        assert np.array_equal(archive[98 - number], features[98 - number])
        with pytest.raises(InputError, match=f"utterance spk{(99 - number) % 3}-utt{99 - number} "):
            archive[99 - number]
    assert damaged == 5


def test_an_utterance_twice(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a: is in the archive"), ArchiveWriter(tmp_path / "train", 4) as archive:  # noqa: PT012
        archive.append("a", "a", np.zeros((3, 4), dtype=np.float32))
        archive.append("a", "a", np.zeros((3, 4), dtype=np.float32))


def test_an_archive_of_an_older_version(tmp_path: Path) -> None:
    write(tmp_path / "train", [30])
    path = index_path(tmp_path / "train")
    path.write_text(path.read_text().replace("asr-features-2", "asr-features-1"))
    with pytest.raises(InputError, match="schema 'asr-features-1' is not 'asr-features-2'; run asr features again"):
        Archive(tmp_path / "train")


def test_a_transposed_array(tmp_path: Path) -> None:
    write(tmp_path / "train", [4])
    np.save(array_path(tmp_path / "train"), np.asfortranarray(np.load(array_path(tmp_path / "train"))))
    with pytest.raises(InputError, match="not a complete feature archive"):
        Archive(tmp_path / "train")
