"""Which files are read, and the names that they get."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.recordings.sources import Channels, Source, distinct_names, find_sources


@pytest.mark.parametrize("name", ["x.wave", "x.nist", "x.mp2", "x.mpga"])
def test_rare_suffixes_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert [source.path.name for source in find_sources([tmp_path]).sources] == [name]


def test_files_with_the_same_stem_get_different_names(tmp_path: Path) -> None:
    for name in ("a/x.wav", "a/x.flac", "a/y.wav", "b/x.wav", "b/y.wav", "b/.hidden.wav", "b/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    whole = [source.utterance for source in find_sources([tmp_path]).sources]
    assert whole == ["a/x.flac", "a/x.wav", "a/y", "b/x", "b/y"]
    two = {source.utterance for source in find_sources([tmp_path / "a", tmp_path / "b"]).sources}
    inside = str(tmp_path)[1:]
    assert two == {"x.flac", *(f"{inside}/{name}" for name in ("a/x.wav", "b/x.wav", "a/y.wav", "b/y.wav"))}


def test_a_file_named_twice_is_done_once_and_keeps_its_link_s_name(tmp_path: Path) -> None:
    (tmp_path / "blob").touch()
    (tmp_path / "x.wav").symlink_to(tmp_path / "blob")
    sources = find_sources([tmp_path / "x.wav", tmp_path, tmp_path / ".." / tmp_path.name / "x.wav"]).sources
    assert sources == [Source("x", tmp_path / "x.wav")]


def test_no_name_leads_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for path in (tmp_path / "x.wav", inner / "x.wav", tmp_path / "..wav", inner / "...wav", tmp_path / "~.wav"):
        path.touch()
    monkeypatch.chdir(inner)
    inputs = ["..", ".", "../..", "../../x.wav", "x.wav", str(inner / ".." / "b"), "...wav", "../../..wav"]
    for source in find_sources([Path(name) for name in inputs]).sources:
        target = Path(os.path.normpath(tmp_path / "out" / "textgrids" / f"{source.utterance}.TextGrid"))
        assert target.is_relative_to(tmp_path / "out" / "textgrids")
        assert not Path(source.utterance).is_absolute()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.none()), max_size=8))
def test_names_are_distinct(pairs: list[tuple[str, str, None]]) -> None:
    choices = [(first, second, f"{'abc'[number % 3]}{number}") for number, (first, second, _) in enumerate(pairs)]
    chosen = distinct_names(choices, tuple.__getitem__, 3)
    assert len(set(chosen)) == len(choices)
    assert all(name in names for name, names in zip(chosen, choices, strict=True))


def test_patterns_that_the_shell_did_not_expand(tmp_path: Path) -> None:
    for name in ("a/x.wav", "b/y.wav", "[1].wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [source.utterance for source in find_sources([tmp_path / "**" / "?.wav"]).sources] == ["x", "y"]
    assert [source.utterance for source in find_sources([tmp_path / "[1].wav"]).sources] == ["[1]"]
    with pytest.raises(InputError, match="no file matches this pattern"):
        find_sources([tmp_path / "*.flac"])


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
def test_paths_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("z.wav", "a b.wav", "folder/x.wav"):
        (tmp_path / name).touch()
    lines = [str(tmp_path / name) for name in ("z.wav", "a b.wav", "folder")]
    data = io.TextIOWrapper(io.BytesIO((separator.join(lines) + separator).encode()))
    monkeypatch.setattr("sys.stdin", data)
    assert [source.utterance for source in find_sources([Path("-")]).sources] == ["z", "a b", "x"]


def test_no_path_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    with pytest.raises(InputError, match="standard input: has no paths; give one per line"):
        find_sources([Path("-")])


def test_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.zeros((160, 2)), 16000)
    soundfile.write(tmp_path / "one.wav", np.zeros(160), 16000)
    (tmp_path / "broken.wav").touch()

    def found(channels: Channels) -> list[tuple[str, int | None]]:
        return [(source.utterance, source.channel) for source in find_sources([tmp_path], channels).sources]

    assert found("mix") == [("broken", None), ("one", None), ("two", None)]
    assert found("each") == [("broken", None), ("one", None), ("two-channel0", 0), ("two-channel1", 1)]
    assert found(1) == [("broken", 1), ("one", 1), ("two", 1)]


def test_an_input_without_audio_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "x.wav").touch()
    (tmp_path / "x.csv").write_text("path,text\n")
    find_sources([tmp_path / "empty", tmp_path / "full", tmp_path / "x.csv"])
    assert caplog.messages == [f"no audio file in {tmp_path / 'empty'}, {tmp_path / 'x.csv'}"]


def test_names_that_stay_the_same_are_an_error() -> None:
    with pytest.raises(InputError, match="two recordings have the name 'a'"):
        distinct_names(["a", "a"], lambda item, _: item, 3)


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InputError, match="cannot read the folder: Permission denied"):
        find_sources([tmp_path])
