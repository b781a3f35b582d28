"""Writing recordings, and reading what a command made of them."""

import json
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


def write_audio(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Path:
    """Writes a recording, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def rows(out: Path, name: str = "transcripts.jsonl") -> list[dict]:
    """The lines of a file in an output folder."""
    return [json.loads(line) for line in (out / name).read_text(encoding="utf-8").splitlines()]


def errors(out: Path) -> list[dict]:
    """What failed in the last run; nothing where there is no such file."""
    return rows(out, "errors.jsonl") if (out / "errors.jsonl").exists() else []


def names(out: Path) -> list[str]:
    """The utterances that were transcribed."""
    return [row["utterance"] for row in rows(out)]
