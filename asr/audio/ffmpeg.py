"""Decodes with the program ffmpeg."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.audio.decoder import block_length, part
from asr.errors import InputError

READ = b"-nostdin -hide_banner -loglevel error -xerror -protocol_whitelist file".split()
WRITE = b"-map 0:a:0 -codec:a pcm_f32be -f au pipe:1".split()

AU_HEADER = 24
"""Bytes of the header of an AU file: magic, where audio begins, size, encoding, rate and channels, 32 bits each."""

LONGEST_REASON = 80

_ORIGIN = re.compile(r"^(\[[^\]]* @ [^\]]*\]|file:.*:) ")


class FfmpegDecoder:
    """The first audio stream of a container, as ffmpeg writes it to a pipe."""

    def __init__(self, path: Path, formats: str) -> None:
        """Raises InputError where the file is not audio that can be read."""
        self.path = path
        self.samples: int | None = None
        self.warnings: list[str] = []
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the decoder
        url = b"file:" + os.fsencode(os.path.abspath(path))  # noqa: PTH100 - a name is never an option or a protocol
        self._process = subprocess.Popen(
            [b"ffmpeg", *READ, b"-format_whitelist", formats.encode(), b"-i", url, *WRITE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        header = self._read(AU_HEADER)
        if len(header) < AU_HEADER:
            reason = self._reason()
            self.__exit__()
            raise InputError(
                f"not an audio file that can be read ({reason}); play it to see what it is, and convert it to FLAC",
                path,
            )
        start, _, _, self.sample_rate, self.channels = (int(each) for each in np.frombuffer(header, ">u4")[1:])
        self._read(start - AU_HEADER)

    def __enter__(self) -> "FfmpegDecoder":
        return self

    def __exit__(self, *error: Any) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def blocks(self, first: int, count: int | None) -> Iterator[NDArray[np.float32]]:
        """See `Decoder.blocks`."""
        yield from part(self._all(), first, count, block_length(self.sample_rate, self.channels))

    def _all(self) -> Iterator[NDArray[np.float32]]:
        size, samples = 4 * self.channels * block_length(self.sample_rate, self.channels), 0
        while content := self._read(size):
            whole = len(content) - len(content) % (4 * self.channels)
            block = np.frombuffer(content[:whole], ">f4").astype(np.float32).reshape(-1, self.channels)
            samples += len(block)
            yield block
        if (reason := self._reason()) or self._process.returncode:
            raise InputError(f"broken audio ({reason}); copy it again from its source", self.path)
        if not samples:
            raise InputError("has no audio samples; record or copy it again", self.path)

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.read(size)

    def _reason(self) -> str:
        """The first line of what ffmpeg says is wrong, once it has ended."""
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read(1 << 14).decode(errors="replace").splitlines()
        return _ORIGIN.sub("", lines[0])[:LONGEST_REASON].rstrip(".") if lines else ""
