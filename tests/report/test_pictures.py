"""The PNG of an utterance: read back, it shows where the energy is."""

import struct
import zlib

import numpy as np
import numpy.typing as npt

from asr.report.pictures import HOP, SAMPLE_RATE, SPECTROGRAM, WAVEFORM, WIDEST, picture


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    """The greys [rows, columns] of a PNG of 4 bits a pixel and no filters, 15 is white; checks every chunk's sum."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + content)
        chunks[name], at = content, at + 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (4, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=2).reshape(height, -1)[:, :width]


def test_it_spans_the_utterance() -> None:
    assert pixels(picture(np.zeros(SAMPLE_RATE, np.float32))).shape == (WAVEFORM + SPECTROGRAM, SAMPLE_RATE // HOP)
    assert pixels(picture(np.zeros(HOP * 3 + 1, np.float32))).shape[1] == 4
    assert pixels(picture(np.zeros(1, np.float32))).shape[1] == 1


def test_a_tone_is_dark_at_its_frequency_and_when_it_sounds() -> None:
    tone = np.sin(2 * np.pi * 2000 / SAMPLE_RATE * np.arange(SAMPLE_RATE)).astype(np.float32)
    tone[: SAMPLE_RATE // 2] = 0
    shown = pixels(picture(tone))
    spectrogram = shown[WAVEFORM:]
    row = SPECTROGRAM - 1 - round(2000 / 8000 * SPECTROGRAM)
    assert spectrogram[row, 120:180].max() <= 1
    assert spectrogram[row, :80].min() == 15
    assert spectrogram[:20, 120:180].min() >= 13
    assert shown[2, 120:180].max() < 15
    assert shown[2, :80].min() == 15


def test_a_long_utterance_has_a_bounded_width() -> None:
    assert pixels(picture(np.zeros(WIDEST * HOP * 2, np.float32))).shape[1] == WIDEST
