"""A file has its name only when it is complete; JSON Lines come back as they were."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.storage.files import complete_file, files_below, make_folder, write_text
from asr.storage.json_files import numbered_jsonl, read_json, read_jsonl, write_json, write_jsonl

# Low surrogates alone, as they stand for the bytes of file names that are not UTF-8.
TEXT = st.text() | st.text('\udc80\udcff\u2028\x85\x00\n\r\\"a')
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 10**18, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=4))
def test_jsonl_comes_back(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        assert write_jsonl(path, rows) == len(rows)
        assert list(read_jsonl(path)) == rows
        assert path.read_bytes().count(b"\n") == len(rows)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60) | st.from_regex(r"[\[{}\]\",:0-9a-z\n ]{0,20}").map(str.encode))
def test_any_bytes_are_objects_or_one_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(content)
        try:
            rows = list(read_jsonl(path))
        except InputError as error:
            message = str(error)
        else:
            assert all(isinstance(row, dict) for row in rows)
            return
    assert message.startswith(str(path))
    assert len(message.splitlines()) == 1


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n[1]\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2: expected a JSON object"):
        list(read_jsonl(path))
    path.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2: not valid JSON"):
        list(read_jsonl(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_json, lambda path: list(read_jsonl(path))):
        with pytest.raises(InputError, match=r"none\.json: cannot read: No such file"):
            read(tmp_path / "none.json")
        with pytest.raises(InputError, match="cannot read: Is a directory"):
            read(tmp_path)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), InputError("bad")])
def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "result.json"
    write_text(path, "old")
    with pytest.raises(type(error)), complete_file(path) as file:  # noqa: PT012 - the error comes while it is open
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.json"]


def test_rows_that_break_off_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"a": 1}])
    with pytest.raises(ZeroDivisionError):
        write_jsonl(path, ({"a": 1 / number} for number in (1, 0)))
    assert list(read_jsonl(path)) == [{"a": 1}]
    assert names(tmp_path) == ["rows.jsonl"]


def test_folders_are_made(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b" / "c.json", {"ü": "ö"})
    assert (tmp_path / "a/b/c.json").read_text(encoding="utf-8") == '{\n  "ü": "ö"\n}\n'


def test_a_name_that_is_not_utf8_stays_readable_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    write_json(tmp_path / "x.json", {"audio": name})
    assert read_json(tmp_path / "x.json") == {"audio": name}
    assert (tmp_path / "x.json").read_bytes().isascii()


@pytest.mark.parametrize("path", ["/dev/null/x", "/dev/null/a/b/x", "/proc/no/such/x"])
def test_an_impossible_folder_is_one_line(path: str) -> None:
    with pytest.raises(InputError, match=r"cannot make the folder: .*; choose another"):
        write_text(path, "x")
    with pytest.raises(InputError, match="cannot make the folder"):
        make_folder(Path(path))


def test_a_folder_in_the_file_s_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match=r"x: cannot write: Is a directory"):
        write_text(tmp_path / "x", "x")
    assert names(tmp_path) == ["x"]


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    expected = pytest.raises(InputError, match="cannot write: No space left on device; free disk space")
    with expected, complete_file(tmp_path / "x") as file:
        os.dup2(os.open(full, os.O_WRONLY), file.fileno())
        file.write("x")
    assert names(tmp_path) == []


def test_an_error_in_reading_another_file_is_not_called_a_failure_to_write(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), complete_file(tmp_path / "x"):
        open(tmp_path / "input")  # noqa: SIM115 - it is not there


def test_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match=r"x\.json: not valid JSON"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_blank_lines_are_passed_over_and_counted(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('\n{"a": 1}\r\n \t\n\n{"a": "é"}\n\n', encoding=encoding)
    assert list(numbered_jsonl(path)) == [(2, {"a": 1}), (5, {"a": "é"})]
    assert list(read_jsonl(path)) == [{"a": 1}, {"a": "é"}]
    path.write_text('\n{"a": 1}\n\n[]\n', encoding=encoding)
    with pytest.raises(InputError, match=r"rows\.jsonl:4: expected a JSON object"):
        list(read_jsonl(path))


def test_json_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == {"a": 1}


def test_json_lines_are_read_one_by_one(tmp_path: Path) -> None:
    """A line that is broken does no harm to those far before it, so the file is not read as a whole."""
    (tmp_path / "rows.jsonl").write_bytes(b'{"a": 1}\n' * 100_000 + b"\xff")
    assert next(read_jsonl(tmp_path / "rows.jsonl")) == {"a": 1}


def test_files_below_a_folder_are_found_once_through_links(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "in").mkdir(parents=True)
    (elsewhere / "in" / "c").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b", "a", ".hidden"):
        (folder / name).touch()
    (folder / "gone").symlink_to("nowhere")
    (folder / ".git").symlink_to(elsewhere)
    for name in ("again", "linked"):
        (folder / name).symlink_to(elsewhere)
    (elsewhere / "in" / "loop").symlink_to(folder)
    found = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    assert found == ["a", "b", "gone", "again/in/c"]
