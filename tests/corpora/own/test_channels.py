"""Utterances that are one channel of a recording: in every layout, the features are those of that channel alone."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, MonoCut
from numpy.typing import NDArray
from support.commands.asr_command import Command
from support.corpora import calls
from support.corpora.calls import CALLS, PHONES, RATE, SECONDS, speech
from support.corpora.own_corpora import all_cuts

from asr.audio import reading
from asr.audio.opening import open_audio
from asr.config import FeaturesConfig
from asr.corpora.cuts import read_cuts
from asr.corpora.lists import lhotse_file
from asr.corpora.recorded import Recorded, recorded
from asr.corpora.sph2pipe import sphere_file
from asr.features.extract import computed, read_cut
from asr.report.browser.sound import link
from asr.storage.run_layout import SPLITS, cuts_path
from asr.training.data.waveforms import Waveforms

ROWS = [f"{speaker}{place}" for pair in CALLS for speaker in pair for place in range(2)]
SPHERE = [name for name in calls.BUILDERS if "sph2pipe" in name or "command" in name]


Kind = Literal["fbank", "waveform"]


def features(prepared: Path, kind: Kind = "fbank") -> dict[str, NDArray[np.float32]]:
    config = FeaturesConfig(type=kind, sample_rate=RATE)
    found = (each for split in SPLITS for each in computed(cuts_path(prepared, split), config))
    return {each.utterance: each.features[1] for each in found}  # type: ignore[index]


def sides(prepared: Path) -> dict[str, set[str]]:
    """The splits that the utterances of each call are in."""
    names = {speaker: pair[0] for pair in CALLS for speaker in pair}
    found: dict[str, set[str]] = {}
    for split in SPLITS:
        for cut in read_cuts(cuts_path(prepared, split)):
            found.setdefault(names[cut.supervisions[0].speaker], set()).add(split)
    return found


def done(asr_command: Command, *arguments: object) -> str:
    outcome = asr_command(*arguments)
    assert outcome.status == 0, outcome.err
    return outcome.out


@pytest.mark.parametrize("name", calls.BUILDERS)
def test_features_are_those_of_the_channel(name: str, tmp_path: Path, asr_command: Command) -> None:
    done(asr_command, *calls.prepare(name, tmp_path / "corpus", tmp_path / "out"))
    calls.mono(tmp_path / "mono", ".sph" if name in SPHERE else ".wav")
    done(asr_command, "prepare", "csv", tmp_path / "mono", tmp_path / "alone")
    for kind in get_args(Kind):
        found, expected = features(tmp_path / "out", kind), features(tmp_path / "alone", kind)
        assert sorted(found) == sorted(expected) == sorted(ROWS)
        for utterance, values in expected.items():
            assert np.array_equal(found[utterance], values)


@pytest.mark.parametrize("name", [name for name in calls.BUILDERS if name not in SPHERE])
def test_lhotse_reads_the_same_channel_from_our_manifests(name: str, tmp_path: Path, asr_command: Command) -> None:
    done(asr_command, *calls.prepare(name, tmp_path / "corpus", tmp_path / "out"))
    several = name != "kaldi_alone"
    for split in SPLITS:
        cuts = {cut.id: cut for cut in read_cuts(cuts_path(tmp_path / "out", split))}
        for cut in CutSet.from_file(cuts_path(tmp_path / "out", split)):
            channel = cut.supervisions[0].speaker in {second for _, second in CALLS} if several else 0
            assert cut.recording.channel_ids == ([0, 1] if several else [0])
            assert cut.channel == cut.supervisions[0].channel == channel
            assert np.array_equal(cut.load_audio(), read_cut(cuts[cut.id], RATE)[None])
            first = round(cut.start * RATE)
            said = speech(cut.supervisions[0].speaker)[first : first + round(SECONDS * RATE)]
            assert np.allclose(cut.load_audio()[0], said, atol=1e-4)


@pytest.mark.parametrize("name", ["csv", "kaldi_sph2pipe", "lhotse_multi"])
def test_both_channels_of_a_recording_are_on_one_side(name: str, tmp_path: Path, asr_command: Command) -> None:
    done(asr_command, *calls.prepare(name, tmp_path / "corpus", tmp_path / "out"))
    arguments = ("--dev", "25%", "--test", "25%", "--split-by", "recording", "--seed", 4)
    done(asr_command, "prepare", "split", tmp_path / "out", tmp_path / "other", *arguments)
    for folder in ("out", "other"):
        assert [len(splits) for splits in sides(tmp_path / folder).values()] == [1, 1, 1, 1]


def test_channels_of_a_recording_on_two_sides_are_refused_or_kept_on_one(tmp_path: Path, asr_command: Command) -> None:
    prepare = calls.prepare("csv", tmp_path / "corpus", tmp_path / "out")
    table = tmp_path / "corpus" / "mine.csv"
    lines = table.read_text().splitlines()
    test = ",gus,", ",eve,", ",fay,"
    given = [f"{line},{'test' if any(name in line for name in test) else 'train'}" for line in lines[1:]]
    table.write_text("\n".join([f"{lines[0]},split", *given]) + "\n")
    outcome = asr_command(*prepare)
    assert outcome.status == 1
    assert "utterance hal0 in train has the same recording as gus0 in test; move one" in outcome.err
    done(asr_command, *prepare, "--skip-bad")
    assert {cut.id for cut in all_cuts(tmp_path / "out")} == {*ROWS} - {"hal0", "hal1"}


def test_prepared_channels_are_a_corpus_again(tmp_path: Path, asr_command: Command) -> None:
    done(asr_command, *calls.prepare("csv", tmp_path / "corpus", tmp_path / "a"))
    done(asr_command, "prepare", "lhotse", tmp_path / "a", tmp_path / "b")
    for split in SPLITS:
        assert cuts_path(tmp_path / "a", split).read_bytes() == cuts_path(tmp_path / "b", split).read_bytes()
    done(asr_command, "prepare", "merge", tmp_path / "a", tmp_path / "merged", "--weight", "a=2")
    before, after = features(tmp_path / "a"), features(tmp_path / "merged")
    assert len(after) > len(before)
    for name, values in after.items():
        assert np.array_equal(before[name.removeprefix("a/").removesuffix("#2")], values)


def test_names_and_speakers_that_a_list_lacks_have_the_channel(
    tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file's header is read once."""
    opened: list[str] = []
    monkeypatch.setattr(reading, "open_audio", lambda path: opened.append(path.name) or open_audio(path))
    paths = [calls.write(tmp_path / f"call{number}.wav", *pair) for number, pair in enumerate(CALLS)]
    calls.write(tmp_path / "alone.wav", "alone")
    rows = [f"{path.name},{channel},{PHONES}" for path in paths for channel in range(2)]
    (tmp_path / "mine.csv").write_text("\n".join(["path,channel,phones", *rows, f"alone.wav,0,{PHONES}"]) + "\n")
    outcome = asr_command("prepare", "csv", tmp_path / "mine.csv", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert opened == [*(path.name for path in paths), "alone.wav"]
    assert "of 9 utterances: each channel of an audio file counts as a speaker" in outcome.err
    expected = {f"call{number}-channel{channel}" for number in range(len(CALLS)) for channel in range(2)} | {"alone"}
    assert {cut.id for cut in all_cuts(tmp_path / "out")} == expected
    assert {cut.supervisions[0].speaker for cut in all_cuts(tmp_path / "out")} == expected


def of_csv(root: Path) -> None:
    (root / "mine.csv").write_text((root / "mine.csv").read_text().replace("call0.wav,1,", "call0.wav,2,", 1))


def of_segments(root: Path) -> None:
    (root / "segments").write_text((root / "segments").read_text().replace("0.5 1\n", "0.5 2\n", 1))


def of_a_name(root: Path) -> None:
    (root / "segments").write_text((root / "segments").read_text().replace("0.5 1\n", "0.5 B\n", 1))


def of_a_missing_side(root: Path) -> None:
    path = root / "reco2file_and_channel"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def of_no_sides(root: Path) -> None:
    (root / "reco2file_and_channel").unlink()


def of_lhotse(root: Path) -> None:
    """The manifest has two channels, and the file now has one."""
    calls.write(root / "calls" / "call0.wav", "ann")


def of_mono_sphere(root: Path) -> None:
    calls.write(root / "calls" / "call0.sph", "ann")


def of_a_command(root: Path) -> None:
    (root / "segments").write_text((root / "segments").read_text().replace("0.5 1.0\n", "0.5 1.0 1\n", 1))


def of_sides(root: Path) -> None:
    path = root / "reco2file_and_channel"
    path.write_text(path.read_text().replace("call0 A", "call0 1"))


def of_supervisions(root: Path) -> None:
    cuts = list(CutSet.from_file(root / "mine_cuts_all.jsonl.gz"))
    cuts[2].supervisions[0].channel = 0
    CutSet.from_cuts(cuts).to_file(root / "mine_cuts_all.jsonl.gz")


def of_several(root: Path) -> None:
    cuts = list(CutSet.from_file(root / "mine_cuts_all.jsonl.gz"))
    cuts[0].supervisions[1].channel = [0, 1]
    CutSet.from_cuts(cuts).to_file(root / "mine_cuts_all.jsonl.gz")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("csv", of_csv, r"mine\.csv:4: channel 2 (from 0), but call0.wav has 2 channels; correct the channel"),
        ("kaldi_segments", of_segments, r"segments:3: channel 2 (from 0), but call0.wav has 2 channels"),
        ("kaldi_segments", of_a_name, "segments:3: its channel 'B' is not a number from 0; correct it"),
        ("kaldi_sides", of_a_missing_side, "reco2file_and_channel: has no line of call0-A, and "),
        ("kaldi_sides", of_no_sides, "wav.scp:2: call0-A and call0-B are the same channels of "),
        ("kaldi_sph2pipe", of_mono_sphere, "segments:3: channel 1 (from 0), but call0.sph has 1 channel; correct"),
        ("kaldi_sph2pipe", of_a_command, "segments:2: channel 1 (from 0), but the command of call0-A in wav.scp gives"),
        ("kaldi_sides", of_sides, "reco2file_and_channel:1: the channel '1' of call0-A is not A or B, and "),
        ("lhotse", of_lhotse, "supervisions_all.jsonl.gz:3: channel 1 (from 0), but call0.wav has 1 channel"),
        (
            "lhotse_cuts",
            of_supervisions,
            "cuts_all.jsonl.gz:3: not a Lhotse cut that can be read: supervision 'bob0'",
        ),
        ("lhotse_multi", of_several, "cuts_all.jsonl.gz:1: is of several channels at once (0, 1); give one"),
    ],
)
def test_a_channel_that_is_not_there_is_one_line_with_its_place(
    name: str, change: Callable[[Path], None], message: str, tmp_path: Path, asr_command: Command
) -> None:
    prepare = calls.prepare(name, tmp_path / "corpus", tmp_path / "out")
    change(tmp_path / "corpus")
    outcome = asr_command(*prepare)
    assert outcome.status == 1
    [line] = outcome.err.splitlines()
    assert message.replace("\\", "") in line
    assert "--skip-bad" in line


def test_a_placeholder_in_reco2file_and_channel_changes_nothing_of_a_file_of_one_channel(
    tmp_path: Path, asr_command: Command
) -> None:
    prepare = calls.prepare("kaldi_alone", tmp_path / "corpus", tmp_path / "out")
    table = tmp_path / "corpus" / "reco2file_and_channel"
    table.write_text(table.read_text().replace(" A\n", " 1\n"))
    done(asr_command, *prepare)
    assert {cut.recording.num_channels for cut in all_cuts(tmp_path / "out")} == {1}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sph2pipe -f wav -p -c 1 a.sph |", ("a.sph", 0)),
        ("/opt/kaldi/tools/sph2pipe_v2.5/sph2pipe -f wav -p -c 2 /corpora/a.sph|", ("/corpora/a.sph", 1)),
        ("sph2pipe a.sph -f wav -c 2 -p | ", ("a.sph", 1)),
        ("sph2pipe -f rif 'a call.sph' |", ("a call.sph", None)),
        ("sph2pipe -c 1 a.sph |", None),  # SPHERE, which Kaldi cannot read
        ("sph2pipe -f wav -p -c 3 a.sph |", None),
        ("sph2pipe -f wav -p -c 1 -c 2 a.sph |", None),
        ("sph2pipe -f wav -p -t 1:2 a.sph |", None),
        ("sph2pipe -f wav -u a.sph |", None),
        ("sph2pipe -f wav -p a.sph b.wav |", None),
        ("sph2pipe -f wav -p |", None),
        ("sph2pipe -f wav -p a.sph | sox -t wav - -r 16000 -t wav - |", None),
        ("sph2pipe -f wav -p $(touch a) |", None),
        ("sph2pipe -f wav -p *.sph |", None),
        ("sph2pipe -f wav -p a.sph > b |", None),
        ("sph2pipe -f wav -p a.sph; touch b |", None),
        ("LD_PRELOAD=x sph2pipe -f wav -p a.sph |", None),
        ("mysph2pipe -f wav -p a.sph |", None),
        ("sph2pipe -f wav -p 'a.sph |", None),
        ("|", None),
    ],
)
def test_only_the_plain_command_of_sph2pipe_is_understood(command: str, expected: object) -> None:
    assert sphere_file(command) == expected


@pytest.mark.parametrize(("options", "expected"), [("", 1), ("-c 1", 0)])
def test_a_command_of_lhotse_that_writes_both_channels_leaves_one_to_be_chosen(
    options: str, expected: int, tmp_path: Path
) -> None:
    source = {"type": "command", "channels": [0, 1], "source": f"sph2pipe -f wav -p {options} a.sph |"}
    found = lhotse_file({"sources": [source]}, 1, tmp_path / "recordings.jsonl", 1)
    assert found == (str(tmp_path / "a.sph"), expected)


def test_no_command_is_run(tmp_path: Path, asr_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = calls.prepare("kaldi_sph2pipe_sides", tmp_path / "corpus", tmp_path / "out")
    program = tmp_path / "bin" / "sph2pipe"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/run\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    done(asr_command, *prepare)
    assert not (tmp_path / "run").exists()


def test_training_reads_the_channel_held_or_from_disk(tmp_path: Path, asr_command: Command) -> None:
    import torch

    done(asr_command, *calls.prepare("csv", tmp_path / "corpus", tmp_path / "out"))
    cuts = list(read_cuts(cuts_path(tmp_path / "out", "train")))
    for held in (True, False):
        waveforms = Waveforms(RATE, torch.device("cpu"), held)
        assert [length for _, length in waveforms.added(cuts)] == [round(SECONDS * RATE)] * len(cuts)
        for number, cut in enumerate(cuts):
            samples = waveforms.samples(number).numpy() / 2**15
            first = round(cut.start * RATE)
            assert np.allclose(samples, speech(cut.supervisions[0].speaker)[first : first + len(samples)], atol=1e-4)


def test_statistics_are_of_the_channel(tmp_path: Path, asr_command: Command) -> None:
    prepare = calls.prepare("csv", tmp_path / "corpus", tmp_path / "out")
    folder = tmp_path / "corpus" / "calls"
    square = np.sign(np.sin(np.arange(2 * SECONDS * RATE) / 9))
    soundfile.write(folder / "call0.wav", np.stack([square, 0.01 * speech("bob")], axis=1), RATE)
    soundfile.write(folder / "call1.wav", np.stack([speech("dan"), speech("dan")], axis=1), RATE)
    calls.write(tmp_path / "corpus" / "alone.wav", "fay")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(f"{table.read_text()}alone.wav,0,alone0,alone,0,{SECONDS},{PHONES}\n")
    done(asr_command, *prepare)
    found = json.loads(done(asr_command, "corpus", "stats", tmp_path / "out", "--json"))
    assert [names for problem, names in found["problems"].items() if "clipped" in problem] == [["ann0", "ann1"]]
    assert found["level"]["greatest"] == pytest.approx(0, abs=0.1)
    assert found["level"]["least"] == pytest.approx(-60, abs=0.5)
    assert sorted(map(sorted, found["duplicates"])) == [["alone0", "fay0"], ["cat0", "dan0"], ["cat1", "dan1"]]


def stored(shards: Path) -> Iterator[MonoCut]:
    for split in SPLITS:
        yield from CutSet.from_shar(in_dir=shards / split)


def test_shards_hold_the_channel_alone(tmp_path: Path, asr_command: Command) -> None:
    prepare = calls.prepare("csv", tmp_path / "corpus", tmp_path / "out")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text() + f"calls/call3.wav,1,whole,hal,,,{PHONES}\n")
    done(asr_command, *prepare)
    done(asr_command, "corpus", "shards", tmp_path / "out", tmp_path / "shards")
    expected = {cut.id: read_cut(cut, RATE) for cut in all_cuts(tmp_path / "out")}
    assert len(expected["whole"]) == 2 * SECONDS * RATE
    cuts = list(stored(tmp_path / "shards"))
    assert {(cut.channel, *cut.recording.channel_ids, cut.supervisions[0].channel) for cut in cuts} == {(0, 0, 0)}
    found = {cut.id: cut.load_audio() for cut in cuts}
    assert found.keys() == expected.keys()
    before = features(tmp_path / "out")
    shutil.rmtree(tmp_path / "corpus")
    done(asr_command, "prepare", "lhotse", tmp_path / "shards", tmp_path / "again")
    after = features(tmp_path / "again")
    for name, samples in expected.items():
        assert np.array_equal(found[name], samples[None])
        assert np.array_equal(before[name], after[name])


@pytest.mark.parametrize("name", ["lhotse_cuts", "lhotse_multi"])
def test_channels_in_the_shards_of_others_are_read(name: str, tmp_path: Path, asr_command: Command) -> None:
    calls.BUILDERS[name](tmp_path / "corpus")
    cuts = CutSet.from_file(tmp_path / "corpus" / "mine_cuts_all.jsonl.gz")
    (tmp_path / "shards").mkdir()
    cuts.to_shar(tmp_path / "shards", fields={"recording": "flac"}, shard_size=3)
    done(asr_command, "prepare", "lhotse", tmp_path / "shards", tmp_path / "out")
    assert {cut.id for cut in all_cuts(tmp_path / "out")} == {*ROWS}
    for cut in all_cuts(tmp_path / "out"):
        speaker, place = cut.id[:3], int(cut.id[3])
        said = speech(speaker)[round(place * SECONDS * RATE) : round((place + 1) * SECONDS * RATE)]
        assert np.allclose(read_cut(cut, RATE), said, atol=1e-4)


def test_a_channel_or_a_part_is_not_linked_to_but_copied(tmp_path: Path, asr_command: Command) -> None:
    prepare = calls.prepare("csv", tmp_path / "corpus", tmp_path / "out")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text() + f"calls/call3.wav,1,whole,hal,,,{PHONES}\n")
    done(asr_command, *prepare)
    [place] = [recorded(cut) for cut in all_cuts(tmp_path / "out") if cut.id == "whole"]
    assert (place.start, place.duration, place.channel) == (0.0, None, 1)
    assert link(place, tmp_path) is None
    assert link(Recorded(place.path, 0.0, SECONDS), tmp_path) is None
    assert link(Recorded(place.path), tmp_path) == "corpus/calls/call3.wav"
    assert np.allclose(place.samples(RATE), speech("hal"), atol=1e-4)


def test_a_list_of_channels_is_transcribed_by_channel(tmp_path: Path, asr_command: Command) -> None:
    from asr.recordings.sources import find_sources, read_source

    for name in ("csv", "kaldi_sides", "kaldi_sph2pipe", "lhotse_cuts", "lhotse_command", "prepared"):
        root = tmp_path / name
        if name == "prepared":
            done(asr_command, *calls.prepare("csv", tmp_path / "corpus", root))
            given = cuts_path(root, "train")
        else:
            calls.BUILDERS[name](root)
            lists = {"csv": "mine.csv", "lhotse_cuts": "mine_cuts_all.jsonl.gz"}
            given = root / ("mine_recordings_all.jsonl" if name == "lhotse_command" else lists.get(name, ""))
        sources = find_sources([given]).sources
        assert len(sources) == (len(list(read_cuts(given))) if name == "prepared" else len(ROWS))
        for source in sources:
            [samples] = read_source(source, RATE)
            first = round(source.start * RATE)
            said = speech(source.utterance[:3])[first : first + len(samples)]
            assert np.allclose(samples, said, atol=0.02 if name in SPHERE else 1e-4)
