"""Speed of the front end on one thread and of four other libraries, on real speech: audio seconds per second.

    python benchmarks/features.py [--corpus FOLDER] [--rounds 7]

Every system gets the same decoded files, one call per file, and computes 40 log-mel filterbanks or 13 MFCC of 25 ms
windows every 10 ms with a 512-point FFT from 20 to 8,000 Hz, without dither. Tables that a library can keep (mel
filters, windows) are made before the clock starts. torchaudio.transforms and librosa pre-emphasise the whole file by
their own functions, without DC removal or Povey's window, so they do less than the other three. `asr, batched`
is the same front end with 16 files a call. Time is the processor's, so that other programs on the machine do not count.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import kaldi_native_fbank
import librosa
import numpy as np
import torch
import torchaudio
from rich.console import Console
from rich.table import Table
from torchaudio.compliance import kaldi

from asr.audio import read_audio
from asr.config import FeaturesConfig
from asr.features.frontend import FrontEnd

REPOSITORY = Path(__file__).resolve().parent.parent
RATE, WINDOW, SHIFT, FFT, BINS, CEPSTRA, LOW = 16000, 400, 160, 512, 40, 13, 20.0
FLOOR = float(np.finfo(np.float32).eps)
BATCH = 16

Waveforms = list[torch.Tensor]
System = Callable[[Waveforms], None]


def ours(kind: str) -> System:
    front_end = FrontEnd(FeaturesConfig(type=kind, bins=BINS, cepstra=CEPSTRA))

    def run(waveforms: Waveforms) -> None:
        for waveform in waveforms:
            front_end(waveform[None], torch.tensor([len(waveform)]))

    return run


def ours_batched(kind: str) -> System:
    front_end = FrontEnd(FeaturesConfig(type=kind, bins=BINS, cepstra=CEPSTRA))

    def run(waveforms: Waveforms) -> None:
        for start in range(0, len(waveforms), BATCH):
            batch = waveforms[start : start + BATCH]
            padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
            front_end(padded, torch.tensor([len(waveform) for waveform in batch]))

    return run


def torchaudio_compliance(kind: str) -> System:
    def run(waveforms: Waveforms) -> None:
        for waveform in waveforms:
            if kind == "fbank":
                kaldi.fbank(waveform[None] * 32768, num_mel_bins=BINS, dither=0.0, energy_floor=0.0)
            else:
                kaldi.mfcc(waveform[None] * 32768, num_mel_bins=BINS, num_ceps=CEPSTRA, dither=0.0, energy_floor=0.0)

    return run


def torchaudio_transforms(kind: str) -> System:
    settings = {"n_fft": FFT, "win_length": WINDOW, "hop_length": SHIFT, "f_min": LOW, "n_mels": BINS, "center": False}
    if kind == "fbank":
        mel = torchaudio.transforms.MelSpectrogram(RATE, **settings)
    else:
        mel = torchaudio.transforms.MFCC(RATE, n_mfcc=CEPSTRA, log_mels=True, melkwargs=settings)

    @torch.inference_mode()
    def run(waveforms: Waveforms) -> None:
        for waveform in waveforms:
            features = mel(torchaudio.functional.preemphasis(waveform[None]))
            if kind == "fbank":
                features.clamp_(min=FLOOR).log_()

    return run


def librosa_library(kind: str) -> System:
    filters = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=BINS, fmin=LOW, htk=True, norm=None)

    def run(waveforms: Waveforms) -> None:
        for waveform in waveforms:
            emphasized = librosa.effects.preemphasis(waveform.numpy())
            spectrum = librosa.stft(emphasized, n_fft=FFT, hop_length=SHIFT, win_length=WINDOW, center=False)
            logarithms = np.log(np.maximum(filters @ (spectrum.real**2 + spectrum.imag**2), FLOOR))
            if kind == "mfcc":
                librosa.feature.mfcc(S=logarithms, n_mfcc=CEPSTRA, lifter=22)

    return run


def native_fbank(kind: str) -> System:
    options = kaldi_native_fbank.FbankOptions() if kind == "fbank" else kaldi_native_fbank.MfccOptions()
    computer = kaldi_native_fbank.OnlineFbank if kind == "fbank" else kaldi_native_fbank.OnlineMfcc
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = BINS
    options.use_energy = False
    if kind == "mfcc":
        options.num_ceps = CEPSTRA

    def run(waveforms: Waveforms) -> None:
        for waveform in waveforms:
            online = computer(options)
            online.accept_waveform(RATE, (waveform * 32768).tolist())
            online.input_finished()
            np.stack([online.get_frame(frame) for frame in range(online.num_frames_ready)])

    return run


SYSTEMS: dict[str, Callable[[str], System]] = {
    "asr": ours,
    "asr, batched": ours_batched,
    "torchaudio.compliance.kaldi": torchaudio_compliance,
    "torchaudio.transforms": torchaudio_transforms,
    "librosa": librosa_library,
    "kaldi_native_fbank": native_fbank,
}


def measure(kind: str, waveforms: Waveforms, rounds: int) -> dict[str, float]:
    """Median audio seconds per second of each system; the systems take turns in every round, after one to warm up."""
    systems = {name: make(kind) for name, make in SYSTEMS.items()}
    audio = sum(len(waveform) for waveform in waveforms) / RATE
    speeds: dict[str, list[float]] = {name: [] for name in systems}
    for number in range(rounds + 1):
        for name, run in systems.items():
            start = time.process_time()
            run(waveforms)
            if number > 0:
                speeds[name].append(audio / (time.process_time() - start))
    return {name: statistics.median(values) for name, values in speeds.items()}


def speech(folder: Path) -> Iterator[torch.Tensor]:
    """All audio files below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".wav", ".flac", ".ogg", ".opus"):
            yield torch.from_numpy(read_audio(path, RATE))


def default_corpus() -> Path:
    """Real speech where this machine has it, else the demo corpus."""
    corpora = Path(os.environ.get("ASR_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    sample = corpora / "timit_sample"
    return sample if sample.is_dir() else REPOSITORY / "data" / "demo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=default_corpus(), help="folder of audio files")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    waveforms = list(speech(arguments.corpus))
    if not waveforms:
        parser.error(f"{arguments.corpus} has no audio files")
    minutes = sum(map(len, waveforms)) / RATE / 60
    for kind, title in (("fbank", f"{BINS}-bin log-mel"), ("mfcc", f"{CEPSTRA} MFCC")):
        speeds = measure(kind, waveforms, arguments.rounds)
        table = Table(
            "system",
            "audio s / s",
            "asr is faster by",
            title=f"{title}, {len(waveforms)} files, {minutes:.1f} min, 1 thread",
        )
        for name, speed in speeds.items():
            row = {
                "benchmark": f"features-{kind}",
                "system": name,
                "figure": round(speed, 1),
                "unit": "audio s/s",
                "threads": 1,
            }
            print(json.dumps(row), flush=True)
            table.add_row(name, f"{speed:,.0f}", f"{speeds['asr'] / speed:.2f}x")
        Console().print(table)


if __name__ == "__main__":
    main()
