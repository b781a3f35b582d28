"""An output folder: what asr wrote into it may be replaced and deleted, and nothing else."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.errors import InputError
from asr.storage.files import adopt, complete_file, growing_file, output_path, remove, share_folder, write_text
from asr.storage.output_folder import OutputFolder, output_folder
from asr.storage.output_record import RECORD, check_record, kind_of


def opened(folder: Path, kind: str = "transcribe"):
    return output_folder(folder, kind, "--out")


@pytest.fixture
def out(tmp_path: Path) -> Iterator[OutputFolder]:
    with opened(tmp_path / "out") as folder:
        yield folder


def test_what_was_written_is_replaced_also_by_a_later_command(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        with opened(tmp_path / "out"):
            write_text(tmp_path / "out" / "a" / "x.txt", text)
    assert (tmp_path / "out" / "a" / "x.txt").read_text() == "three"
    assert kind_of(tmp_path / "out") == "transcribe"


def test_a_file_of_the_user_is_not_replaced(out: OutputFolder) -> None:
    mine = out.folder / "a.TextGrid"
    mine.write_text("hand-made")
    with pytest.raises(InputError, match=r"a\.TextGrid: was not written by asr transcribe.*move it away"):
        write_text(mine, "other")
    assert mine.read_text() == "hand-made"
    assert [path.name for path in out.folder.iterdir() if path.name.endswith("part")] == []


def test_a_file_that_was_changed_since_is_the_user_s(tmp_path: Path) -> None:
    path = tmp_path / "out" / "x.txt"
    with opened(tmp_path / "out"):
        write_text(path, "one")
    path.write_text("eno")
    with opened(tmp_path / "out") as out:
        with pytest.raises(InputError, match="was changed since"):
            write_text(path, "two")
        assert not remove(path)
        assert out.foreign(out.folder / "x.txt") == path
    assert path.read_text() == "eno"


def test_a_file_that_the_user_added_to_is_the_user_s(out: OutputFolder) -> None:
    path = out.folder / "x.txt"
    write_text(path, "one")
    path.write_text("one, and more")
    assert not remove(path)
    with pytest.raises(InputError, match="was changed since"):
        write_text(path, "two")
    assert path.read_text() == "one, and more"


def test_a_large_file_that_was_changed_since_is_the_user_s(out: OutputFolder) -> None:
    """Also one of the same size, which the same command wrote."""
    path = out.folder / "model"
    write_text(path, "a" * (1 << 21))
    assert out.owns(path)
    with open(path, "r+") as file:
        file.write("b")
    os.utime(path, ns=(0, 0))
    assert not remove(path)
    with pytest.raises(InputError, match="was changed since"):
        write_text(path, "two")


def test_the_same_content_is_no_loss(out: OutputFolder) -> None:
    (out.folder / "x.txt").write_text("same")
    write_text(out.folder / "x.txt", "same")
    write_text(out.folder / "x.txt", "another")
    assert (out.folder / "x.txt").read_text() == "another"


def test_a_killed_command_leaves_files_that_are_still_asr_s(tmp_path: Path) -> None:
    """The line stands before the file has its name; whichever of the two contents is there, it is asr's."""
    path = tmp_path / "out" / "x.txt"
    with opened(tmp_path / "out") as out:
        write_text(path, "one")
        (tmp_path / "new").write_text("two")
        out.record(path, tmp_path / "new")
    with opened(tmp_path / "out"):
        write_text(path, "three")
    with open(tmp_path / "out" / RECORD, "a") as record:
        record.write('{"file": "cut sh')
    with opened(tmp_path / "out"):
        write_text(path, "four")
    assert path.read_text() == "four"


def test_incomplete_files_are_swept_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with opened(out):
        pass
    with opened(out / "inner", "align"):
        pass
    share = share_folder(out / "deep", 2) / "lattices.txt"
    left = [out / ".x.txt.123.asr-part", out / "deep" / ".y.npy.9.asr-part", share]
    stay = [out / ".x.txt.part", out / "x.asr-part", out / "inner" / ".z.1.asr-part"]
    for path in (*left, *stay):
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    with opened(out):
        pass
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in stay)


@pytest.mark.parametrize("names", [["recipe.yaml"], ["train/notes.txt"], ["a.wav", "b.wav", "c.wav", "d.wav"]])
def test_a_folder_with_files_of_the_user_is_refused_and_left_alone(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    first = sorted(name.split("/")[0] for name in names)[0]
    with pytest.raises(
        InputError, match=rf"holds files that asr run did not write \({first}.*new or empty folder with --out"
    ):
        output_folder(tmp_path, "run", "--out").__enter__()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        names
    )


def test_a_refusal_names_three_files_and_says_whether_there_are_more(tmp_path: Path) -> None:
    for name, named in (("c", r"\(a, b, c\)"), ("d", r"\(a, b, c, \.\.\.\)")):
        for each in ("a", "b", name):
            (tmp_path / each).write_text("")
        with pytest.raises(InputError, match=named):
            opened(tmp_path).__enter__()


def test_a_folder_belongs_to_one_kind_of_work(tmp_path: Path) -> None:
    with opened(tmp_path, "transcribe"):
        pass
    with pytest.raises(InputError, match="holds the output of asr transcribe; choose another folder with OUT"):
        output_folder(tmp_path, "run", "OUT").__enter__()


def test_links_are_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    with opened(tmp_path / "out") as out:
        write_text(out.folder / "train" / "x.txt", "text")
        (out.folder / "train").rename(target / "train")
        (out.folder / "train").symlink_to(target / "train")
        assert not remove(out.folder / "train")
        assert not remove(out.folder / "train" / "x.txt")
        assert out.foreign(out.folder / "train") == out.folder / "train"
        with pytest.raises(InputError, match="train: is a link"):
            write_text(out.folder / "train" / "y.txt", "")
    assert (target / "train" / "x.txt").read_text() == "text"


def test_a_link_in_the_place_of_a_file_is_the_user_s(out: OutputFolder, tmp_path: Path) -> None:
    path = out.folder / "x.txt"
    write_text(path, "text")
    path.rename(tmp_path / "moved.txt")
    path.symlink_to(tmp_path / "moved.txt")
    assert not remove(path)
    with pytest.raises(InputError, match="move it away"):
        write_text(path, "other")
    assert path.is_symlink()


def test_removing_leaves_what_is_the_user_s(out: OutputFolder) -> None:
    write_text(out.folder / "train" / "model", "")
    write_text(out.folder / "train" / "deep" / "model", "")
    (out.folder / "train" / "notes.txt").write_text("mine")
    assert out.foreign(out.folder / "train") == out.folder / "train" / "notes.txt"
    assert not remove(out.folder / "train")
    assert [path.name for path in (out.folder / "train").rglob("*")] == ["notes.txt"]


def test_a_file_that_grows_is_asr_s_however_a_command_ended(tmp_path: Path) -> None:
    path = tmp_path / "out" / "lines.jsonl"
    for number in range(3):
        with opened(tmp_path / "out"), growing_file(path) as file:
            file.write(f"{number}\n")
    with open(path, "a") as file:
        file.write("killed after this\n")
    with opened(tmp_path / "out"), growing_file(path) as file:
        file.write("3\n")
    assert path.read_text() == "0\n1\n2\nkilled after this\n3\n"
    path.write_text(path.read_text().replace("1", "one"))
    with (
        opened(tmp_path / "out"),
        pytest.raises(InputError, match="changed since"),
        growing_file(path),
    ):
        pass


def test_a_file_that_grows_while_it_is_recorded_is_asr_s(out: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    events = out.folder / "events"
    events.write_text("first")
    digest = hashlib.file_digest

    def grow_after(file: BinaryIO, name: str) -> object:
        digested = digest(file, name)
        with open(events, "a") as thread:
            thread.write(", then more")
        return digested

    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", grow_after)
        adopt(events)
    assert out.owns(events)


def test_a_folder_that_is_moved_keeps_its_files(out: OutputFolder) -> None:
    write_text(out.folder / ".unfinished" / "test" / "x", "text")
    out.record_move(out.folder / ".unfinished" / "test", out.folder / "test")
    (out.folder / ".unfinished" / "test").rename(out.folder / "test")
    assert out.owns(out.folder / "test" / "x")


def test_an_empty_file_is_replaced_but_not_a_link_to_one(out: OutputFolder, tmp_path: Path) -> None:
    path, empty = out.folder / "x.txt", tmp_path / "empty"
    empty.touch()
    path.symlink_to(empty)
    with pytest.raises(InputError, match="move it away"):
        write_text(path, "text")
    path.unlink()
    path.touch()
    write_text(path, "text")
    assert path.read_text() == "text"


def test_where_a_folder_was_moved_from_nothing_is_asr_s_any_more(out: OutputFolder) -> None:
    before, after = out.folder / ".unfinished", out.folder / "test"
    write_text(before / "x", "text")
    out.record_move(before, after)
    before.rename(after)
    out.record_gone(before)
    before.mkdir()
    (before / "x").write_text("text")
    assert not out.owns(before / "x")
    assert out.owns(after / "x")


def test_a_check_leaves_out_what_is_hidden(out: OutputFolder) -> None:
    write_text(out.folder / ".unfinished" / "x", "text")
    write_text(out.folder / "y", "text")
    (out.folder / ".unfinished" / "x").unlink()
    assert list(check_record(out.folder)) == [(out.folder / "y", None)]


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / RECORD).write_text('{"schema": 1, "kind": "transcribe"}\n{"file": 1}\n')
    with pytest.raises(InputError, match=r"\.asr\.jsonl:2: is damaged"):
        opened(tmp_path).__enter__()
    (tmp_path / RECORD).write_text('{"schema": 2, "kind": "transcribe"}\n')
    with pytest.raises(InputError, match="schema 1"):
        opened(tmp_path).__enter__()


def test_names_that_are_not_text_are_recorded(out: OutputFolder) -> None:
    path = out.folder / os.fsdecode(b"caf\xe9.txt")
    for text in ("one", "two"):
        write_text(path, text)
    assert all(json.loads(line) for line in (out.folder / RECORD).read_text().splitlines())


def test_without_an_output_folder_files_are_simply_written(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    with complete_file(tmp_path / "x") as file:
        file.write("new")
    assert (tmp_path / "x").read_text() == "new"
    assert remove(tmp_path / "x")


NAMES = st.text(st.sampled_from("ab./\\\0:~ ..") | st.characters(), max_size=12)


@given(NAMES)
@example("../x")
@example("/etc/passwd")
@example("a/../../b")
@example("C:\\x")
@example("..\\x")
def test_no_name_leads_out_of_a_folder(name: str) -> None:
    folder = Path("/out")
    try:
        path = output_path(folder, name)
    except InputError:
        return
    assert os.path.normpath(path) == str(path)
    assert path != folder
    assert path.is_relative_to(folder)
