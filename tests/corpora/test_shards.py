"""Shards: what Lhotse and asr prepare read from them is what was prepared, and a bad shard is one line."""

import gzip
import io
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from lhotse import CutSet
from support.commands.asr_command import Command, snapshot
from support.corpora.own_corpora import BUILDERS, RATE

from asr.corpora.cuts import phone_sequence, read_cuts
from asr.corpora.manifests.prepared import read_prepared
from asr.features.extract import read_cut

SPLITS = ("train", "dev", "test")


def in_shards(layout: str, folder: Path, asr_command: Command, size: int = 3) -> Path:
    BUILDERS[layout](folder / "corpus")
    text = ("--text", "phones") if layout == "kaldi" else ()
    for command in (
        ("prepare", layout, folder / "corpus", folder / "prepared", *text),
        ("corpus", "shards", folder / "prepared", folder / "shards", "--shard-size", size),
    ):
        outcome = asr_command(*command)
        assert outcome.status == 0, outcome.err
    return folder / "shards"


@pytest.mark.parametrize("layout", ["csv", "kaldi"])  # whole files, and parts of files
def test_a_corpus_comes_back(layout: str, tmp_path: Path, asr_command: Command) -> None:
    shards = in_shards(layout, tmp_path, asr_command)
    assert len(list((shards / "train").glob("recording.*.tar"))) == 3
    shutil.rmtree(tmp_path / "corpus" / "audio", ignore_errors=layout == "csv")
    outcome = asr_command("prepare", "lhotse", shards, tmp_path / "again")
    assert outcome.status == 0, outcome.err
    for split in SPLITS:
        before, after = (list(read_cuts(tmp_path / name / f"{split}.cuts.jsonl.gz")) for name in ("prepared", "again"))
        assert [cut.id for cut in after] == [cut.id for cut in before]
        for cut in after:
            assert Path(cut.recording.sources[0].source).is_relative_to(tmp_path / "again" / "audio")
        assert list(map(phone_sequence, after)) == list(map(phone_sequence, before))
        assert [cut.supervisions[0].speaker for cut in after] == [cut.supervisions[0].speaker for cut in before]


@pytest.mark.parametrize("given", ["cmu39", "mine.txt"])
def test_the_phone_set_comes_with_the_shards(given: str, tmp_path: Path, asr_command: Command) -> None:
    own = tmp_path / "mine.txt"
    own.write_text("sil\tsilence\niy\nsh\nzh\n")
    option = str(own) if given == "mine.txt" else given
    BUILDERS["csv"](tmp_path / "corpus")
    for command in (
        ("prepare", "csv", tmp_path / "corpus", tmp_path / "prepared", "--phone-set", option),
        ("corpus", "shards", tmp_path / "prepared", tmp_path / "shards"),
        ("prepare", "lhotse", tmp_path / "shards", tmp_path / "local"),
    ):
        if command[1] == "lhotse":
            own.unlink()
            shutil.rmtree(tmp_path / "prepared")
        outcome = asr_command(*command)
        assert outcome.status == 0, outcome.err
    phones = read_prepared(tmp_path / "local").phone_set
    assert phones is not None
    assert ("zh" in phones, "k" in phones) == (True, given == "cmu39")
    recipe = yaml.safe_load((tmp_path / "local" / "recipe.yaml").read_text())
    assert recipe["targets"]["phone_set"] == ("cmu39" if given == "cmu39" else str(tmp_path / "local" / "phones.txt"))
    other = ("prepare", "lhotse", tmp_path / "shards", tmp_path / "other", "--phone-set", "timit39")
    assert asr_command(*other).status == 0
    assert str(read_prepared(tmp_path / "other").phone_set) == "timit39"


@pytest.mark.parametrize("layout", ["csv", "kaldi"])
def test_lhotse_reads_the_same_audio(layout: str, tmp_path: Path, asr_command: Command) -> None:
    shards = in_shards(layout, tmp_path, asr_command)
    for split in SPLITS:
        stored = {cut.id: cut for cut in CutSet.from_shar(in_dir=shards / split)}
        cuts = list(read_cuts(tmp_path / "prepared" / f"{split}.cuts.jsonl.gz"))
        assert sorted(stored) == sorted(cut.id for cut in cuts)
        for cut in cuts:
            assert np.array_equal(stored[cut.id].load_audio()[0], read_cut(cut, RATE))


def test_the_same_corpus_gives_the_same_shards(tmp_path: Path, asr_command: Command) -> None:
    shards = in_shards("csv", tmp_path, asr_command)
    before = {name: content for name, content in snapshot(shards).items() if not name.startswith(".")}
    assert asr_command("corpus", "shards", tmp_path / "prepared", shards, "--shard-size", 3).status == 0
    assert {name: content for name, content in snapshot(shards).items() if not name.startswith(".")} == before


def test_shards_of_another_size_take_the_place_of_the_old_ones(tmp_path: Path, asr_command: Command) -> None:
    shards = in_shards("csv", tmp_path, asr_command)
    assert asr_command("corpus", "shards", tmp_path / "prepared", shards, "--shard-size", 100).status == 0
    assert [path.name for path in (shards / "train").glob("*.tar")] == ["recording.000000.tar"]
    assert asr_command("prepare", "lhotse", shards, tmp_path / "again").status == 0


def rewritten(tar: Path, change: Callable[[tarfile.TarInfo], tarfile.TarInfo]) -> None:
    with tarfile.open(tar) as old:
        members = [(old.extractfile(member).read(), change(member)) for member in old.getmembers()]
    with tarfile.open(tar, "w") as new:
        for content, member in members:
            new.addfile(member, io.BytesIO(content))


def outside(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.name = f"../../{member.name}"
    return member


def link(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
    return member


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda tar: tar.unlink(), r"cuts\.000001\.jsonl\.gz: its audio, recording\.000001\.tar, is not next to it"),
        (
            lambda tar: tar.with_name("cuts.000001.jsonl.gz").unlink(),
            r"recording\.000001\.tar: its manifest of cuts is not next to it",
        ),
        (lambda tar: tar.write_bytes(tar.read_bytes()[:9000]), r"recording\.000001\.tar: is "),
        (lambda tar: tar.write_bytes(b"not a tar" * 100), r"recording\.000001\.tar: is not a complete \.tar"),
        (lambda tar: shutil.copy(tar.with_name("recording.000000.tar"), tar), "has the audio of .* where the cut is"),
        (lambda tar: rewritten(tar, outside), r"has the audio of '\.\./\.\./"),
        (lambda tar: rewritten(tar, link), r"in it is a link or a device; do not use this shard"),
        (lambda tar: tar.with_name("cuts.000001.jsonl.gz").write_bytes(b"{}"), r"cuts\.000001\.jsonl\.gz: cannot read"),
    ],
)
def test_a_bad_shard_is_one_line(
    damage: Callable[[Path], object], line: str, tmp_path: Path, asr_command: Command
) -> None:
    shards = in_shards("csv", tmp_path, asr_command)
    damage(shards / "train" / "recording.000001.tar")
    outcome = asr_command("prepare", "lhotse", shards, tmp_path / "again")
    assert outcome.status == 1
    message = outcome.err.splitlines()[-1]
    assert str(shards) in message
    assert re.search(line, message), message


def test_a_name_that_leads_out_is_not_followed(tmp_path: Path, asr_command: Command) -> None:
    shards = in_shards("csv", tmp_path, asr_command, size=100)
    manifest, tar = shards / "test" / "cuts.000000.jsonl.gz", shards / "test" / "recording.000000.tar"
    rewritten(tar, outside)
    rows = gzip.decompress(manifest.read_bytes()).decode().replace('{"id": "', '{"id": "../../', 1)
    manifest.write_bytes(gzip.compress(rows.encode()))
    outcome = asr_command("prepare", "lhotse", shards, tmp_path / "again")
    assert outcome.status == 1
    assert "leads out of its folder; do not use this shard" in outcome.err
    assert not list(tmp_path.glob("*.wav"))
