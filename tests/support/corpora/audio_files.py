"""Audio files for tests."""

from pathlib import Path

import numpy as np

RATE = 16000


def tone(rate: int = RATE, seconds: float = 0.5, frequency: float = 440.0) -> np.ndarray:
    """Samples [S]."""
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def wav_bytes(samples: np.ndarray, size: int | None = None, rate: int = RATE, before: bytes = b"") -> bytes:
    """A 16-bit WAV file whose header says `size` bytes of audio (None: what there is), `before` its data chunk."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    audio = np.round(samples * 32767).astype("<i2").tobytes()
    fields = (16).to_bytes(4, "little") + b"\x01\x00" + channels.to_bytes(2, "little") + rate.to_bytes(4, "little")
    fields += (2 * channels * rate).to_bytes(4, "little") + (2 * channels).to_bytes(2, "little") + b"\x10\x00"
    data = b"data" + (len(audio) if size is None else size).to_bytes(4, "little") + audio
    content = b"WAVEfmt " + fields + before + data
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def write_container(path: Path, samples: np.ndarray, codec: str, rate: int = RATE) -> None:
    """Writes one audio stream [S] or [S, 2] with PyAV, in the format of the suffix."""
    import av

    layout = "mono" if samples.ndim == 1 else "stereo"
    planes = np.ascontiguousarray(np.atleast_2d(samples.T), np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        context = stream.codec_context
        resampler = av.AudioResampler(context.format.name, layout, rate, context.frame_size or 1024)
        for each in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(each))
