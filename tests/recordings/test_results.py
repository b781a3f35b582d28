"""Which results are kept: those of the same content, in the order of the inputs."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from asr.recordings.digests import AudioDigests
from asr.recordings.failures import Failures
from asr.recordings.results import Results
from asr.recordings.sources import Source
from asr.storage.json_files import write_jsonl
from asr.storage.output_folder import output_folder

Run = Callable[..., list[str]]


@pytest.fixture
def audio(tmp_path: Path) -> dict[str, Path]:
    """Files a, b, c and d of different content."""
    (tmp_path / "audio").mkdir()
    files = {name: tmp_path / "audio" / f"{name}.wav" for name in "abcd"}
    for name, path in files.items():
        path.write_text(f"content of {name}")
    return files


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(out: Path) -> Run:
    """Processes sources, except those that fail; returns the names of those that were processed."""

    def process(sources: Sequence[Source], failing: str = "") -> list[str]:
        with output_folder(out, "test", "--out"):
            digests = AudioDigests(out / "audio.jsonl")
            with Failures(out / "errors.jsonl") as failures:
                results = Results(out / "results.jsonl", sources, digests, failures)
                done = [source for source in results.waiting() if source.utterance not in failing]
                results.append(
                    (
                        source,
                        {
                            "utterance": source.utterance,
                            "audio": str(source.path),
                            "sha256": digests.of(source.path),
                            "content": source.path.read_text(),
                            **source.part,
                        },
                    )
                    for source in done
                )
            digests.write()
        return [source.utterance for source in done]

    return process


def whole(audio: dict[str, Path], names: str = "abcd") -> list[Source]:
    return [Source(name, audio[name]) for name in names]


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def order(out: Path) -> str:
    return "".join(row["utterance"] for row in lines(out))


def test_a_file_with_other_content_is_done_again(audio: dict[str, Path], out: Path, run: Run) -> None:
    assert run(whole(audio)) == list("abcd")
    assert run(whole(audio)) == []
    status = audio["b"].stat()
    audio["b"].write_text("content of x")
    os.utime(audio["b"], ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    assert run(whole(audio)) == ["b"]
    assert [row["content"] for row in lines(out)] == [f"content of {name}" for name in "axcd"]


def test_a_file_that_was_only_touched_or_moved_is_done(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio))
    os.utime(audio["a"], (1, 1))
    moved = audio["b"].with_name("moved")
    moved.mkdir()
    shutil.move(audio["b"], moved / "b.wav")
    audio["b"] = moved / "b.wav"
    assert run(whole(audio)) == []
    assert lines(out)[1]["audio"] == str(audio["b"])


def test_two_recordings_of_one_name_are_a_failure_of_the_second(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio))
    assert run([Source("a", audio["b"])]) == []
    [error] = map(json.loads, (out / "errors.jsonl").read_text().splitlines())
    assert error["path"] == str(audio["b"])
    assert error["what"] == f"{out / 'results.jsonl'} already has a result of {audio['a']} named a"
    assert error["fix"] == "choose another folder with --out"
    audio["a"].unlink()
    assert run([Source("a", audio["b"])]) == ["a"]
    assert order(out) == "bcda"


def test_the_result_of_a_file_that_cannot_be_read_stays(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio))
    audio["b"].rename(audio["b"].with_name("away"))
    assert run(whole(audio)) == []
    assert order(out) == "abcd"
    [error] = map(json.loads, (out / "errors.jsonl").read_text().splitlines())
    assert (error["path"], error["what"]) == (str(audio["b"]), "no such audio file")


def test_lines_come_in_the_inputs_order(audio: dict[str, Path], out: Path, run: Run) -> None:
    assert run(whole(audio), failing="ac") == ["b", "d"]
    assert order(out) == "bd"
    assert run(whole(audio), failing="c") == ["a"]
    assert order(out) == "abd"
    assert run(whole(audio)) == ["c"]
    assert order(out) == "abcd"
    assert run(whole(audio, "db")) == []
    assert order(out) == "acdb"


def test_a_current_line_stays_where_an_outdated_one_has_its_name(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio, "ab"))
    first, second = lines(out)
    with open(out / "results.jsonl", "a") as file:
        file.writelines(json.dumps(row) + "\n" for row in (first | {"sha256": "old"}, second))
    assert run(whole(audio, "ab")) == []
    assert order(out) == "abb"


def test_blank_lines_cost_no_result(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio, "bc"))
    with open(out / "results.jsonl", "a") as file:
        file.write("\n\n")
    assert run(whole(audio)) == ["a", "d"]
    assert order(out) == "abcd"


def test_lines_of_other_inputs_stay(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio, "cd"))
    assert run(whole(audio, "ab")) == ["a", "b"]
    assert order(out) == "cdab"


def test_another_part_of_the_file_is_done_again(audio: dict[str, Path], out: Path, run: Run) -> None:
    parts = [Source("a", audio["a"], 0.5, 1.0, 1), Source("b", audio["a"], 0.5)]
    assert run(parts) == ["a", "b"]
    assert [{key: row.get(key) for key in ("start", "end", "channel")} for row in lines(out)] == [
        {"start": 0.5, "end": 1.5, "channel": 1},
        {"start": 0.5, "end": None, "channel": None},
    ]
    assert run(parts) == []
    assert run([Source("a", audio["a"], 0.5, 1.0, 0), Source("b", audio["a"], 0.5, 1.0)]) == ["a", "b"]
    assert run(whole(audio, "a")) == ["a"]


def test_lines_without_a_digest_are_done_again(audio: dict[str, Path], out: Path, run: Run) -> None:
    run(whole(audio))
    with output_folder(out, "test", "--out"):
        write_jsonl(out / "results.jsonl", [{**row, "sha256": None} for row in lines(out)])
    assert run(whole(audio)) == list("abcd")
    assert order(out) == "abcd"


def test_a_digest_is_made_once(audio: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("asr.recordings.digests.file_digest", lambda path: read.append(path) or "ab" * 32)
    digests = AudioDigests(tmp_path / "audio.jsonl")
    assert [digests.of(audio["a"]) for _ in range(3)] == ["ab" * 32] * 3
    digests.write()
    assert AudioDigests(tmp_path / "audio.jsonl").of(audio["a"]) == "ab" * 32
    assert read == [audio["a"]]
