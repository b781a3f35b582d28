"""A model bundle as one object: audio in, phones with times out."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.bundle import Bundle, read_bundle
from asr.acoustics.pieces import scored_pieces
from asr.acoustics.scorer import AcousticScorer
from asr.audio import read_blocks
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.decode import decode_utterance
from asr.decoding.join import join, shifted
from asr.errors import InputError
from asr.features.frontend import build_front_end
from asr.features.pieces import MARGIN
from asr.formats.transcript import PhoneSegment, Transcript


class Recognizer:
    """Recognises the phones of audio with a model bundle."""

    def __init__(self, bundle: Bundle | Path | str, device: torch.device | str = "cpu") -> None:
        """Raises InputError when the bundle is missing or damaged."""
        self.bundle = bundle if isinstance(bundle, Bundle) else read_bundle(Path(bundle), device)
        self.sample_rate = self.bundle.config.features.sample_rate
        self.scorer = AcousticScorer(self.bundle, device)
        self.front_end = build_front_end(self.bundle.config.features, torch.device(device))
        tuning = self.bundle.tuning
        self.decoder = bundle_decoder(self.bundle, tuning)

    def recognize_file(self, path: Path | str, utterance: str | None = None) -> Transcript:
        """Recognises any audio file of any length. Raises InputError when it cannot be read or is shorter than one
        frame."""
        blocks = read_blocks(path, self.sample_rate)
        return self.recognize_blocks(blocks, utterance or Path(path).stem, str(path))

    def recognize(
        self, waveform: npt.NDArray[np.float32], utterance: str = "audio", audio: str | None = None
    ) -> Transcript:
        """Recognises samples [S] in [-1, 1] at `sample_rate`, as `recognize_blocks`."""
        return self.recognize_blocks([waveform], utterance, audio)

    def recognize_blocks(
        self, blocks: Iterable[npt.NDArray[np.float32]], utterance: str = "audio", audio: str | None = None
    ) -> Transcript:
        """Recognises a recording that comes in blocks of samples [S] in [-1, 1] at `sample_rate`, in bounded memory.

        One that is longer than `asr.features.pieces.WHOLE` seconds is cut at pauses, and its pieces are joined. Raises
        InputError when it is shorter than one frame, or the model's scores are not finite.
        """
        phones: list[PhoneSegment] = []
        samples = 0
        try:
            for scored in scored_pieces(blocks, self.bundle, self.front_end, self.scorer):
                piece, samples = scored.piece, scored.piece.end
                spoken = Transcript(utterance, duration=round(len(piece.samples) / self.sample_rate, 4))
                found = decode_utterance(spoken, scored.log_posteriors, self.decoder).phones
                if piece.first == 0:
                    phones = found
                else:
                    join(phones, shifted(found, piece.first / self.sample_rate), piece.begin / self.sample_rate, MARGIN)
        except InputError as error:
            raise InputError(str(error), audio) from error
        return Transcript(utterance, phones, audio=audio, duration=round(samples / self.sample_rate, 4))
