"""One small corpus of telephone calls in each layout that says of which channel of a recording an utterance is.

Each call is a file of two channels with a speaker each, who has two utterances, of noise.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from lhotse import CutSet, Recording, RecordingSet, SupervisionSegment, SupervisionSet

CALLS = (("ann", "bob"), ("cat", "dan"), ("eve", "fay"), ("gus", "hal"))
RATE = 8000
SECONDS = 0.5
PHONES = "sil sh iy sil"


@dataclass(frozen=True)
class Turn:
    """An utterance: its name, speaker, file, channel and start in seconds."""

    id: str
    speaker: str
    audio: Path
    channel: int
    start: float

    @property
    def end(self) -> float:
        return self.start + SECONDS


def speech(speaker: str) -> np.ndarray:
    """What a speaker says in a call."""
    return np.random.default_rng(list(speaker.encode())).normal(0, 0.1, round(2 * SECONDS * RATE))


def write(path: Path, *speakers: str) -> Path:
    """The file of some speakers, each in a channel of its own; with the suffix .sph as SPHERE in mu-law."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"format": "NIST", "subtype": "ULAW"} if path.suffix == ".sph" else {}
    soundfile.write(path, np.stack([speech(speaker) for speaker in speakers], axis=1), RATE, **kind)
    return path


def turns(folder: Path, suffix: str = ".wav") -> Iterator[Turn]:
    """Writes the calls and yields their utterances."""
    for number, speakers in enumerate(CALLS):
        audio = write(folder / f"call{number}{suffix}", *speakers)
        for channel, speaker in enumerate(speakers):
            for place in range(2):
                yield Turn(f"{speaker}{place}", speaker, audio, channel, place * SECONDS)


def mono(root: Path, suffix: str = ".wav") -> None:
    """The same utterances where each speaker has a file."""
    rows = []
    for turn in turns(root / "calls", suffix):
        write(root / f"{turn.speaker}{suffix}", turn.speaker)
        rows.append(f"{turn.speaker}{suffix},{turn.id},{turn.speaker},{turn.start},{turn.end},{PHONES}")
    (root / "mine.csv").write_text("\n".join(["path,utterance,speaker,start,end,phones", *rows]) + "\n")


def csv(root: Path) -> None:
    rows = [
        f"calls/{turn.audio.name},{turn.channel},{turn.id},{turn.speaker},{turn.start},{turn.end},{PHONES}"
        for turn in turns(root / "calls")
    ]
    (root / "mine.csv").write_text("\n".join(["path,channel,utterance,speaker,start,end,phones", *rows]) + "\n")


def json_lines(root: Path) -> None:
    rows = [
        {
            "path": str(turn.audio),
            "channel": turn.channel,
            "utterance": turn.id,
            "speaker": turn.speaker,
            "start": turn.start,
            "duration": SECONDS,
            "phones": PHONES,
        }
        for turn in turns(root / "calls")
    ]
    (root / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _kaldi(root: Path, suffix: str, wav: str, sides: bool, segment: str = "") -> None:
    """A data folder with a recording for each side of a call; `wav` and `segment` are formatted with the turn."""
    tables: dict[str, dict[str, None]] = {"wav.scp": {}, "segments": {}, "text": {}, "utt2spk": {}}
    if sides:
        tables["reco2file_and_channel"] = {}
    for turn in turns(root / "calls", suffix):
        side, call = "AB"[turn.channel], turn.audio.stem
        write(root / "mono" / f"{turn.speaker}{suffix}", turn.speaker)
        lines = {
            "wav.scp": f"{call}-{side} " + wav.format(call=call, number=turn.channel + 1, speaker=turn.speaker),
            "segments": f"{turn.id} {call}-{side} {turn.start} {turn.end}" + segment.format(channel=turn.channel),
            "text": f"{turn.id} {PHONES}",
            "utt2spk": f"{turn.id} {turn.speaker}",
            "reco2file_and_channel": f"{call}-{side} {call} {side}",
        }
        for name, table in tables.items():
            table[lines[name]] = None
    for name, table in tables.items():
        (root / name).write_text("\n".join(table) + "\n")


def kaldi_sides(root: Path) -> None:
    """Files of both sides, and reco2file_and_channel."""
    _kaldi(root, ".wav", "calls/{call}.wav", sides=True)


def kaldi_alone(root: Path) -> None:
    """Files of one side each, of which reco2file_and_channel says which it is."""
    _kaldi(root, ".wav", "mono/{speaker}.wav", sides=True)


def kaldi_segments(root: Path) -> None:
    """The channel is the last field of `segments`."""
    _kaldi(root, ".wav", "calls/{call}.wav", sides=False, segment=" {channel}")


def kaldi_sph2pipe(root: Path) -> None:
    _kaldi(root, ".sph", "/no/such/sph2pipe -f wav -p -c {number} calls/{call}.sph |", sides=True)


def kaldi_sph2pipe_sides(root: Path) -> None:
    """The command writes both channels."""
    _kaldi(root, ".sph", "sph2pipe -f wav -p calls/{call}.sph |", sides=True)


def _manifests(root: Path) -> tuple[RecordingSet, SupervisionSet]:
    recordings: dict[str, Recording] = {}
    supervisions = []
    for turn in turns(root / "calls"):
        recordings[turn.audio.stem] = Recording.from_file(turn.audio)
        supervisions.append(
            SupervisionSegment(
                id=turn.id,
                recording_id=turn.audio.stem,
                start=turn.start,
                duration=SECONDS,
                channel=turn.channel,
                speaker=turn.speaker,
                custom={"phones": PHONES},
            )
        )
    return RecordingSet.from_recordings(recordings.values()), SupervisionSet.from_segments(supervisions)


def lhotse(root: Path) -> None:
    """Recordings and supervisions, as `lhotse prepare switchboard` writes them."""
    recordings, supervisions = _manifests(root)
    recordings.to_file(root / "mine_recordings_all.jsonl.gz")
    supervisions.to_file(root / "mine_supervisions_all.jsonl.gz")


def lhotse_cuts(root: Path) -> None:
    """Cuts of one channel."""
    cuts = CutSet.from_manifests(*_manifests(root)).trim_to_supervisions(keep_overlapping=False)
    named = [cut.with_id(cut.supervisions[0].id) for cut in cuts]
    CutSet.from_cuts(named).to_file(root / "mine_cuts_all.jsonl.gz")


def lhotse_multi(root: Path) -> None:
    """Cuts of both channels, of which each supervision has one."""
    CutSet.from_manifests(*_manifests(root)).to_file(root / "mine_cuts_all.jsonl.gz")


def lhotse_command(root: Path) -> None:
    """As Lhotse imports a data folder of Kaldi's with sph2pipe."""
    recordings, supervisions = [], []
    for turn in turns(root / "calls", ".sph"):
        command = f"sph2pipe -f wav -p -c {turn.channel + 1} {turn.audio} "
        source = {"type": "command", "channels": [0], "source": command}
        samples = round(2 * SECONDS * RATE)
        recordings.append(
            {
                "id": f"{turn.id}-rec",
                "sources": [source],
                "sampling_rate": RATE,
                "num_samples": samples,
                "duration": samples / RATE,
            }
        )
        supervision = SupervisionSegment(
            turn.id, f"{turn.id}-rec", turn.start, SECONDS, speaker=turn.speaker, custom={"phones": PHONES}
        )
        supervisions.append(supervision.to_dict())
    for kind, rows in (("recordings", recordings), ("supervisions", supervisions)):
        (root / f"mine_{kind}_all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


BUILDERS: dict[str, Callable[[Path], None]] = {
    "csv": csv,
    "json_lines": json_lines,
    "kaldi_sides": kaldi_sides,
    "kaldi_alone": kaldi_alone,
    "kaldi_segments": kaldi_segments,
    "kaldi_sph2pipe": kaldi_sph2pipe,
    "kaldi_sph2pipe_sides": kaldi_sph2pipe_sides,
    "lhotse": lhotse,
    "lhotse_cuts": lhotse_cuts,
    "lhotse_multi": lhotse_multi,
    "lhotse_command": lhotse_command,
}


def prepare(name: str, root: Path, out: Path) -> list[object]:
    """Writes the corpus in a layout; returns the command that prepares it."""
    BUILDERS[name](root)
    layout = "csv" if name == "json_lines" else name.partition("_")[0]
    return ["prepare", layout, root, out, *(("--text", "phones") if layout == "kaldi" else ())]
