"""A run on the channels of calls is the run on a file for each channel, to the byte; and one hears the channel."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from support.commands.asr_command import Command

from asr.formats.phn import SAMPLE_RATE, read_labels

FAST = (
    "model.width=16",
    "model.layers=1",
    "training.epochs=2",
    "features.bins=20",
    "training.batch_size=200",
    "training.resident=false",
    "augmentation.speed=[0.9, 1.0]",
    "scoring.bootstrap=20",
    "decoding.acoustic_scales=[1.0]",
    "decoding.insertion_penalties=[0.0]",
    "decoding.prior_scales=[0.5]",
)
SPLITS = ("train", "train", "dev", "test")


def written(demo_corpus: Path, root: Path, together: bool) -> None:
    """Speech of the demo in calls of two speakers, each in a channel or, the same samples, in a file."""
    speakers = sorted(path for path in demo_corpus.glob("*/dr*/*") if path.is_dir())[:8]
    rows: list[dict[str, Any]] = []
    for number, split in enumerate(SPLITS):
        pair = [sorted(each.glob("*.flac"))[:2] for each in speakers[2 * number : 2 * number + 2]]
        for place, sources in enumerate(zip(*pair, strict=True)):
            call = f"call{number}{place}"
            sides = _padded([soundfile.read(source, dtype="int16")[0] for source in sources])
            (root / call).mkdir(parents=True)
            if together:
                soundfile.write(root / call / "both.wav", np.stack(sides, axis=1), SAMPLE_RATE)
            for channel, (source, samples) in enumerate(zip(sources, sides, strict=True)):
                if not together:
                    soundfile.write(root / call / f"{channel}.wav", samples, SAMPLE_RATE)
                rows.append(
                    {
                        "path": f"{call}/both.wav" if together else f"{call}/{channel}.wav",
                        "utterance": f"{call}-{channel}",
                        "speaker": source.parent.name,
                        "split": split,
                        "phones": [
                            {"phone": each.symbol, "start": each.start / SAMPLE_RATE, "end": each.end / SAMPLE_RATE}
                            for each in read_labels(source.with_suffix(".phn"))
                        ],
                    }
                    | ({"channel": channel} if together else {})
                )
    (root / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _padded(sides: Sequence[np.ndarray]) -> list[np.ndarray]:
    longest = max(map(len, sides))
    return [np.pad(side, (0, longest - len(side))) for side in sides]


def test_a_run_on_channels_is_that_on_files(tmp_path: Path, demo_corpus: Path, asr_command: Command) -> None:
    results = []
    for together in (False, True):
        root = tmp_path / f"corpus-{together}"
        written(demo_corpus, root, together)
        prepared, run = tmp_path / f"prepared-{together}", tmp_path / f"run-{together}"
        outcome = asr_command("prepare", "csv", root / "mine.jsonl", prepared, "--phone-set", "timit61")
        assert outcome.status == 0, outcome.err
        settings = [part for setting in FAST for part in ("--set", setting)]
        outcome = asr_command("run", prepared / "recipe.yaml", "--out", run, "--device", "cpu", *settings)
        assert outcome.status == 0, outcome.err
        results.append(json.loads((run / "results.json").read_text()))
    alone, channels = tmp_path / "run-False", tmp_path / "run-True"
    for name in (
        "features/train.npy",
        "features/test.npy",
        "decode/bundle/model.safetensors",
        "score/utterances.jsonl",
    ):
        assert (alone / name).read_bytes() == (channels / name).read_bytes()
    assert results[0]["counted"] == results[1]["counted"]

    assert asr_command("report", channels, "--audio", "link").status == 0
    data = re.search(r'".*"', (channels / "report" / "data" / "utterances-0.js").read_text())
    assert data
    heard = {row["name"]: row["audio"] for row in json.loads(json.loads(data[0]))}
    assert len(heard) == 4
    for name, audio in heard.items():
        call, channel = name.split("-")
        both, _ = soundfile.read(tmp_path / "corpus-True" / call / "both.wav")
        assert np.allclose(soundfile.read(channels / "report" / audio)[0], both[:, int(channel)], atol=1e-4)
    assert asr_command("report", alone, "--audio", "link").status == 0
    assert not (alone / "report" / "audio").exists()
