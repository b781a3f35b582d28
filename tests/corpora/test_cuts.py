"""Manifests of cuts: what is written comes back, as the same bytes each time."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lhotse import CutSet, MonoCut

from asr.corpora.cuts import (
    phone_segments,
    phone_sequence,
    read_cuts,
    reference,
    utterance_cut,
    with_words,
    word_phones,
    write_cuts,
)
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment


def a_cut(utterance: str = "fabc0-sx1", audio: str = "/corpus/SX1.WAV") -> MonoCut:
    return utterance_cut(
        utterance,
        Path(audio),
        16000,
        8000,
        speaker="fabc0",
        gender="female",
        text="Déjà vu?",
        phones=[("h#", 0.0, 1 / 16000), ("sh", 1 / 16000, 0.3), ("h#", 0.3, 0.5)],
        words=[("she", 0.1, 0.3)],
        custom={"dialect": "dr1"},
    )


def test_cuts_come_back_and_are_read_lazily(tmp_path: Path) -> None:
    cuts = [a_cut(), a_cut("fabc0-sx2")]
    assert write_cuts(tmp_path / "train.cuts.jsonl.gz", cuts) == 2
    read = read_cuts(tmp_path / "train.cuts.jsonl.gz")
    assert isinstance(read, Iterator)
    assert list(read) == cuts


def test_same_cuts_same_bytes_under_any_name(tmp_path: Path) -> None:
    write_cuts(tmp_path / "a.jsonl.gz", [a_cut()])
    write_cuts(tmp_path / "b.jsonl.gz", [a_cut()])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_lhotse_reads_the_manifest(tmp_path: Path) -> None:
    write_cuts(tmp_path / "cuts.jsonl.gz", [a_cut()])
    (cut,) = CutSet.from_jsonl_lazy(tmp_path / "cuts.jsonl.gz")
    assert cut.supervisions[0].custom == {"dialect": "dr1"}
    assert cut.supervisions[0].alignment["word"][0].symbol == "she"


def test_phones_and_reference_have_exact_times() -> None:
    phones = [PhoneSegment("h#", 0.0, 0.0000625), PhoneSegment("sh", 0.0000625, 0.3), PhoneSegment("h#", 0.3, 0.5)]
    assert phone_segments(a_cut()) == phones
    transcript = reference(a_cut())
    assert (transcript.utterance, transcript.speaker, transcript.duration) == ("fabc0-sx1", "fabc0", 0.5)
    assert (transcript.audio, transcript.phones) == ("/corpus/SX1.WAV", phones)


def test_a_cut_without_phones_is_named() -> None:
    cut = utterance_cut("u1", Path("/a.wav"), 16000, 100, speaker="s")
    for phones_of in (phone_segments, phone_sequence, reference):
        with pytest.raises(InputError, match="u1 has no phones"):
            phones_of(cut)
    for other in (cut, a_cut()):
        with pytest.raises(InputError, match="no words with their phones"):
            word_phones(other)


def test_phones_without_times_come_back_in_order(tmp_path: Path) -> None:
    words = [("the", ["dh", "ah"]), ("a", ["ah"])]
    cut = utterance_cut("u1", Path("/a.wav"), 16000, 16000, speaker="s", untimed_words=words, custom={"age": "7"})
    write_cuts(tmp_path / "cuts.jsonl.gz", [cut])
    (read,) = read_cuts(tmp_path / "cuts.jsonl.gz")
    assert phone_sequence(read) == ["dh", "ah", "ah"]
    assert phone_sequence(a_cut()) == ["h#", "sh", "h#"]
    assert word_phones(read) == [("the", [("dh", "ah")]), ("a", [("ah",)])]
    assert reference(read).phones == [PhoneSegment("dh"), PhoneSegment("ah"), PhoneSegment("ah")]
    assert reference(read).duration == 1.0
    with pytest.raises(InputError, match=r"no phones with times; set training\.flat_start, or training\.loss: ctc"):
        phone_segments(read)
    (opened,) = CutSet.from_jsonl_lazy(tmp_path / "cuts.jsonl.gz")
    assert opened.supervisions[0].custom["age"] == "7"


def test_nothing_is_left_of_a_manifest_that_fails(tmp_path: Path) -> None:
    def broken() -> Iterator[MonoCut]:
        yield a_cut()
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_cuts(tmp_path / "cuts.jsonl.gz", broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not gzip", b"cut"])
def test_a_broken_manifest_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cuts.jsonl.gz"
    write_cuts(path, [a_cut()])
    path.write_bytes(path.read_bytes()[:-20] if content == b"cut" else content or b"\x00")
    with pytest.raises(InputError, match=r"cuts\.jsonl\.gz: cannot read: .*prepare stage"):
        list(read_cuts(path))


def test_a_missing_or_foreign_manifest_is_named(tmp_path: Path) -> None:
    import gzip

    with pytest.raises(InputError, match="No such file"):
        list(read_cuts(tmp_path / "none.jsonl.gz"))
    without_file = a_cut().to_dict()
    without_file["recording"]["sources"] = []
    for row in ("{}", "[1]", "{", '{"id": "x", "supervisions": [], "recording": null}', json.dumps(without_file)):
        (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(f"{row}\n".encode()))
        with pytest.raises(InputError, match=r"x\.jsonl\.gz:1: not a Lhotse cut"):
            list(read_cuts(tmp_path / "x.jsonl.gz"))


def test_a_folder_of_folds_is_named(tmp_path: Path) -> None:
    (tmp_path / "prepare/fold-1").mkdir(parents=True)
    with pytest.raises(InputError, match=r"/prepare: has folds; give one, such as its fold-1$"):
        list(read_cuts(tmp_path / "prepare/dev.cuts.jsonl.gz"))
    (tmp_path / "prepare/dev.cuts.jsonl.gz").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"dev\.cuts\.jsonl\.gz: cannot read: not a complete \.gz file"):
        list(read_cuts(tmp_path / "prepare/dev.cuts.jsonl.gz"))


def test_an_utterance_twice_is_named(tmp_path: Path) -> None:
    write_cuts(tmp_path / "cuts.jsonl.gz", [a_cut(), a_cut("fabc0-sx2"), a_cut()])
    with pytest.raises(InputError, match=r"cuts\.jsonl\.gz:3: has utterance fabc0-sx1 twice; run the prepare stage"):
        list(read_cuts(tmp_path / "cuts.jsonl.gz"))


def test_every_flipped_byte_is_named_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cuts.jsonl.gz"
    write_cuts(path, [a_cut()])
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            assert list(read_cuts(path)) == [a_cut()]
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 - most flips are found, not all


def test_rows_are_those_of_lhotse(tmp_path: Path) -> None:
    words = [("the", [("dh", "ah"), ("dh", "iy")])]
    cuts = [a_cut(), with_words(a_cut("u2"), words), replace(a_cut("u3"), custom={"source": None, "nested": {"a": 1}})]
    write_cuts(tmp_path / "cuts.jsonl.gz", cuts)
    rows = [json.loads(line) for line in gzip.decompress((tmp_path / "cuts.jsonl.gz").read_bytes()).splitlines()]
    assert [list(row.items()) for row in rows] == [list(json.loads(json.dumps(cut.to_dict())).items()) for cut in cuts]
