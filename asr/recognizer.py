"""A model bundle as one object: audio in, phones with times out."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asr.acoustics.bundle import Bundle, read_bundle
from asr.acoustics.scorer import AcousticScorer
from asr.audio import read_audio
from asr.decoding.alternatives import n_best_hypotheses, with_nbest
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.decode import decode_utterance, with_phones
from asr.errors import InputError
from asr.features.frontend import build_front_end
from asr.features.normalize import model_input
from asr.formats.transcript import Transcript


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
        """Recognises any audio file. Raises InputError when it cannot be read or is shorter than one frame."""
        waveform = read_audio(path, self.sample_rate)
        return self.recognize(waveform, utterance or Path(path).stem, str(path))

    def recognize(
        self, waveform: npt.NDArray[np.float32], utterance: str = "audio", audio: str | None = None, nbest: int = 0
    ) -> Transcript:
        """Recognises samples [S] in [-1, 1] at `sample_rate`; `nbest` is how many hypotheses the transcript also has.

        Raises InputError when it is shorter than one frame, the model's scores are not finite, or its search is greedy
        and n-best hypotheses are asked for.
        """
        static, _ = self.front_end(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
        if static.shape[1] == 0:
            milliseconds = self.bundle.config.features.frame_length
            raise InputError(f"is shorter than one frame ({milliseconds:g} ms); there is nothing to recognise", audio)
        features = model_input(static[0].cpu().numpy(), None, self.bundle.cmvn, self.bundle.config.features)
        duration = len(waveform) / self.sample_rate
        spoken = Transcript(utterance, audio=audio, duration=round(duration, 4))
        try:
            log_posteriors = self.scorer.log_posteriors(features)
            if not nbest:
                return decode_utterance(spoken, log_posteriors, self.decoder)
            path = self.decoder.best_path(log_posteriors)
            found = n_best_hypotheses(log_posteriors, path, self.decoder, self.bundle.config.decoding, nbest)
            return with_nbest(with_phones(spoken, log_posteriors, path, self.decoder), found, self.decoder)
        except InputError as error:
            raise InputError(str(error), audio) from error
