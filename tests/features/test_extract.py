"""From a manifest to an archive: order, content, statistics, broken audio, and the command."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from lhotse import MonoCut
from typer.testing import CliRunner

from asr.audio import read_audio
from asr.config import FeaturesConfig
from asr.corpora.cuts import read_cuts, utterance_cut, write_cuts
from asr.errors import InputError
from asr.features import extract as extraction
from asr.features.archive import Archive
from asr.features.cmvn import Statistics, cmvn_path, load_cmvn
from asr.features.extract import extract
from asr.features.frontend import FrontEnd
from asr.features.stage import extract_folder
from asr.storage.json_files import read_json

RATE = 16000
CONFIG = FeaturesConfig()


def utterance(folder: Path, number: int, seconds: float, rate: int = RATE) -> MonoCut:
    name = f"spk{number % 2}-utt{number}"
    samples = np.random.default_rng(number).standard_normal(round(seconds * rate)) * 0.1
    soundfile.write(folder / f"{name}.wav", samples, rate)
    return utterance_cut(name, folder / f"{name}.wav", rate, len(samples), speaker=f"spk{number % 2}")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lengths = (0.5, 2.0, 0.1, 1.0, 3.0, 0.2)
    audio = tmp_path / "audio with space"
    audio.mkdir()
    write_cuts(tmp_path / "train.cuts.jsonl.gz", (utterance(audio, number, s) for number, s in enumerate(lengths)))
    return tmp_path / "train.cuts.jsonl.gz"


@pytest.mark.parametrize("batch_seconds", [0.01, 2.5, 60.0])
def test_archive_holds_each_utterance_in_order(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_seconds: float
) -> None:
    monkeypatch.setitem(extraction.BATCH_SECONDS, "cpu", batch_seconds)
    summary = extract(manifest, tmp_path / "out" / "train", CONFIG)
    archive = Archive(tmp_path / "out" / "train")
    assert archive.utterances == [f"spk{number % 2}-utt{number}" for number in range(6)]
    assert archive.speakers == ["spk0", "spk1"] * 3
    assert (summary.utterances, summary.frames, summary.skipped) == (6, len(archive.frames), [])
    assert summary.seconds == pytest.approx(6.8)
    front_end = FrontEnd(CONFIG)
    for number, name in enumerate(archive.utterances):
        samples = read_audio(tmp_path / "audio with space" / f"{name}.wav", RATE)
        alone, _ = front_end(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
        assert np.array_equal(archive[number], alone[0].numpy())


def test_a_file_that_is_longer_than_its_manifest_says_does_not_lengthen_others(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterance(tmp_path / "audio with space", 1, seconds=20.0)
    sizes: list[int] = []

    class Measured(FrontEnd):
        def __call__(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            sizes.append(waveforms.numel())
            return super().__call__(waveforms, lengths)

    monkeypatch.setattr(extraction, "build_front_end", lambda config, device: Measured(config))
    assert extract(manifest, tmp_path / "train", CONFIG).seconds == pytest.approx(24.8)
    assert max(sizes) <= extraction.BATCH_SECONDS["cpu"] * RATE


def test_statistics_are_of_the_archive(manifest: Path, tmp_path: Path) -> None:
    extract(manifest, tmp_path / "train", CONFIG)
    archive, cmvn = Archive(tmp_path / "train"), load_cmvn(cmvn_path(tmp_path / "train"))
    for speaker in ("spk0", "spk1"):
        frames = np.concatenate([archive[n] for n in range(6) if archive.speakers[n] == speaker])
        expected = Statistics.of(frames)
        assert cmvn.speakers[speaker].count == expected.count
        assert np.allclose(cmvn.speakers[speaker].sum, expected.sum)
        assert np.allclose(cmvn.speakers[speaker].squares, expected.squares)


def test_same_manifest_same_bytes(manifest: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        extract(manifest, tmp_path / name / "train", CONFIG)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["train.cmvn.safetensors", "train.index.jsonl", "train.npy"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_part_of_a_recording_at_another_rate(tmp_path: Path) -> None:
    cut = utterance(tmp_path, 0, 2.0, rate=8000).truncate(offset=0.5, duration=1.0)
    write_cuts(tmp_path / "train.cuts.jsonl.gz", [cut])
    summary = extract(tmp_path / "train.cuts.jsonl.gz", tmp_path / "train", CONFIG)
    assert (summary.frames, summary.seconds) == (98, 1.0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such"), (b"", "empty"), (b"notes", "not an audio file"), ("short", "shorter than one frame")],
)
def test_broken_audio_is_named_or_skipped(
    manifest: Path, tmp_path: Path, content: bytes | str | None, reason: str
) -> None:
    bad = tmp_path / "audio with space" / "spk1-utt3.wav"
    bad.unlink()
    if isinstance(content, bytes):
        bad.write_bytes(content)
    elif content is not None:
        soundfile.write(bad, np.zeros(399), RATE)
    with pytest.raises(InputError, match=f"spk1-utt3.*{reason}.*; --skip-bad .* leaves it out"):
        extract(manifest, tmp_path / "train", CONFIG)
    assert not list(tmp_path.glob("train.npy")) + list(tmp_path.glob("*.part"))
    summary = extract(manifest, tmp_path / "train", CONFIG, skip_bad=True)
    assert summary.utterances == len(Archive(tmp_path / "train")) == 5
    assert [utterance["utterance"] for utterance in summary.skipped] == ["spk1-utt3"]
    assert reason in summary.skipped[0]["reason"]


def test_the_summary_says_what_the_archives_hold_and_what_was_left_out(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "prepared").mkdir()
    for split in ("train", "dev"):
        (tmp_path / "prepared" / manifest.name.replace("train", split)).write_bytes(manifest.read_bytes())
    (tmp_path / "audio with space" / "spk1-utt3.wav").write_bytes(b"notes")
    for out in ("a", "b"):
        extract_folder(tmp_path / "prepared", tmp_path / out, CONFIG, skip_bad=True)
    summary = read_json(tmp_path / "a" / "summary.json")
    assert list(summary["splits"]) == ["train", "dev"]
    assert summary["splits"]["train"]["utterances"] == 5
    assert summary["splits"]["train"]["seconds"] == 5.8
    assert [(row["split"], row["utterance"]) for row in summary["skipped"]] == [
        ("train", "spk1-utt3"),
        ("dev", "spk1-utt3"),
    ]
    assert "not an audio file" in summary["skipped"][0]["reason"]
    assert (tmp_path / "a" / "summary.json").read_bytes() == (tmp_path / "b" / "summary.json").read_bytes()


def test_an_utterance_in_two_splits_is_warned_of(
    manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cuts = list(read_cuts(manifest))
    parts = {"fold-1/train": cuts[:3], "fold-1/test": cuts[2:4], "fold-2/train": cuts[3:], "fold-2/test": cuts[:1]}
    for name, part in parts.items():
        (tmp_path / "prepared" / name).parent.mkdir(parents=True, exist_ok=True)
        write_cuts(tmp_path / "prepared" / f"{name}.cuts.jsonl.gz", part)
    extract_folder(tmp_path / "prepared", tmp_path / "out", CONFIG)
    (said,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert said.startswith("fold-1/train and fold-1/test share 1 utterance, such as spk0-utt2: ")


def test_nothing_left(manifest: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "audio with space").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no utterance"):
        extract(manifest, tmp_path / "train", CONFIG, skip_bad=True)


def test_the_librosa_backend_fills_an_archive_of_the_same_shape(manifest: Path, tmp_path: Path) -> None:
    extract(manifest, tmp_path / "a", CONFIG)
    extract(manifest, tmp_path / "b", FeaturesConfig(backend="librosa"))
    assert Archive(tmp_path / "a").starts.tolist() == Archive(tmp_path / "b").starts.tolist()
    assert Archive(tmp_path / "a").frames.shape == Archive(tmp_path / "b").frames.shape


def test_command(manifest: Path, tmp_path: Path) -> None:
    from asr.cli.main import app

    fold = tmp_path / "prepared" / "fold-1"
    fold.mkdir(parents=True)
    for split in ("train", "dev"):
        (fold / f"{split}.cuts.jsonl.gz").write_bytes(manifest.read_bytes())
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("corpus: {name: demo}\nfeatures: {type: mfcc}\n")
    arguments = [
        "features",
        str(tmp_path / "prepared"),
        str(tmp_path / "out"),
        "--device",
        "cpu",
        "--recipe",
        str(recipe),
    ]
    result = CliRunner().invoke(app, [*arguments, "--set", "features.cepstra=12"])
    assert result.exit_code == 0, result.output
    assert "fold-1/dev" in result.output
    assert Archive(tmp_path / "out" / "fold-1" / "train").dim == 12
    result = CliRunner().invoke(app, ["features", str(tmp_path / "out"), str(tmp_path / "more"), "--device", "cpu"])
    assert isinstance(result.exception, InputError)
    assert "asr prepare" in str(result.exception)
