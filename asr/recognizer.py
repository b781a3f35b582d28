"""A model bundle as one object: audio in, phones with times out."""

import math
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from asr.audio import read_audio
from asr.bundle import Bundle, Tuning, read_bundle
from asr.decoding.arpa import read_arpa
from asr.decoding.confidence import Recalibration, phone_groups
from asr.decoding.ctc import GreedyDecoder
from asr.decoding.decode import FrameTimes, Search, decode_utterance
from asr.decoding.graph import build_graph
from asr.decoding.prefix_beam import PrefixBeamDecoder, phone_prior
from asr.decoding.search import Decoder, PathFinder
from asr.decoding.topology import Graph
from asr.decoding.viterbi import BatchViterbi
from asr.errors import InputError
from asr.features.frontend import build_front_end
from asr.features.normalize import model_input
from asr.phones.phone_set import load_phone_set
from asr.transcript import Transcript

CONFIDENCE_ORDER = 3
"""Of the n-gram in the confidences' graph of a prefix beam search, which needs none itself."""

PIECE_FRAMES = 16_384
"""Scored at a time where the model needs a fixed context alone: under three minutes of audio."""


class AcousticScorer:
    """The acoustic model of a bundle, or all of an ensemble, on a device."""

    def __init__(self, bundle: Bundle, device: torch.device | str = "cpu") -> None:
        self.features = bundle.config.features
        self.models = [each.model.to(device) for each in (bundle, *bundle.ensemble)]
        contexts = [model.context for model in self.models]
        self.context = None if None in contexts else max(filter(None, contexts), default=0)
        self.apart = len(self.models) > 1 and bundle.config.decoding.search == "prefix_beam"
        self.device = torch.device(device)

    def log_posteriors(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Log posteriors [T', C] of one utterance's model input [T, D].

        Of an ensemble they are of the models' mean, or, for a prefix beam search, each model's [M, T', C].
        """
        context = self.context
        if context is None or len(features) <= PIECE_FRAMES:
            return self._score(features)
        # A recording of hours, in pieces with each piece's neighbours: the same scores in a bounded memory.
        pieces = []
        for start in range(0, len(features), PIECE_FRAMES):
            first, end = max(start - context, 0), min(start + PIECE_FRAMES, len(features))
            pieces.append(self._score(features[first : end + context])[..., start - first : end - first, :])
        return np.concatenate(pieces, axis=-2)

    @torch.inference_mode()
    def _score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        batch = torch.from_numpy(features)[None].to(self.device)
        lengths = torch.tensor([len(features)], device=self.device)
        posteriors = torch.stack([model(batch, lengths)[0][0].float().log_softmax(dim=-1) for model in self.models])
        if not self.apart:
            posteriors = posteriors.logsumexp(dim=0) - math.log(len(self.models))
        return posteriors.cpu().numpy()


def bundle_graph(bundle: Bundle, lm_weight: float = 1.0, order: int | None = None) -> Graph:
    """The decoding graph of a bundle's phones, topology and language model, of which n-grams of at most `order`.

    Raises InputError for a bundle that has no language model yet.
    """
    config = bundle.config
    phones = load_phone_set(config.targets.phone_set)
    return build_graph(
        _lm_path(bundle),
        phones,
        config.targets.states,
        bundle.statistics.self_loops,
        config.topology,
        lm_weight,
        modified_ctc=config.decoding.ctc == "modified",
        order=order,
    )


def _lm_path(bundle: Bundle) -> Path:
    if not bundle.lm_path.is_file():
        raise InputError("has no lm.arpa, which decoding adds; name the bundle that asr decode wrote", bundle.folder)
    return bundle.lm_path


def bundle_search(bundle: Bundle, tuning: Tuning, device: torch.device | None = None) -> Search:
    """The search that the recipe names, with tuned weights.

    A prefix beam search has a graph for the confidences alone. On a CUDA `device` splits are searched in the graph
    there, exactly and in batches, where it is small enough that this is no more work than the beam search's: with a
    bigram.
    """
    config = bundle.config
    phones = load_phone_set(config.targets.phone_set)
    in_graph = config.decoding.search == "graph"
    batched = in_graph and device is not None and device.type == "cuda" and config.lm.order <= 2
    by_prefixes = config.decoding.search == "prefix_beam"
    graph = bundle_graph(bundle, tuning.lm_weight, CONFIDENCE_ORDER if by_prefixes else None)
    return Search(
        decoder=Decoder(graph, config.decoding.beam, tuning.insertion_penalty),
        acoustic_scale=tuning.acoustic_scale,
        priors=bundle.statistics.priors,
        phones=phones,
        times=FrameTimes.of(config.features, bundle.model.subsampling),
        prior_scale=tuning.prior_scale,
        posterior_scale=tuning.posterior_scale,
        recalibration=Recalibration(tuning.confidence_slope, tuning.confidence_offset),
        groups=phone_groups(phones, config.scoring.phone_set),
        viterbi=BatchViterbi(graph, device or "cpu") if batched else None,
        finder=None if in_graph else path_finders(bundle)(tuning.lm_weight, tuning.insertion_penalty),
    )


def path_finders(bundle: Bundle) -> Callable[[float, float], PathFinder]:
    """Makes the search that the recipe names for a weight of the language model and an insertion penalty."""
    decoding, phones = bundle.config.decoding, load_phone_set(bundle.config.targets.phone_set)
    graph_of = lru_cache(maxsize=1)(partial(bundle_graph, bundle))
    prior = cache(lambda: phone_prior(read_arpa(_lm_path(bundle)), phones))

    def finder(lm_weight: float, insertion_penalty: float) -> PathFinder:
        if decoding.search == "greedy":
            return GreedyDecoder()
        if decoding.search == "prefix_beam":
            return PrefixBeamDecoder(prior(), decoding.prefixes, lm_weight, insertion_penalty)
        return Decoder(graph_of(lm_weight), decoding.beam, insertion_penalty)

    return finder


class Recognizer:
    """Recognises the phones of audio with a model bundle."""

    def __init__(self, bundle: Bundle | Path | str, device: torch.device | str = "cpu") -> None:
        """Raises InputError when the bundle is missing or damaged."""
        self.bundle = bundle if isinstance(bundle, Bundle) else read_bundle(Path(bundle), device)
        self.sample_rate = self.bundle.config.features.sample_rate
        self.scorer = AcousticScorer(self.bundle, device)
        self.front_end = build_front_end(self.bundle.config.features, torch.device(device))
        tuning = self.bundle.tuning
        self.search = bundle_search(self.bundle, tuning)

    def recognize_file(self, path: Path | str, utterance: str | None = None) -> Transcript:
        """Recognises any audio file. Raises InputError when it cannot be read or is shorter than one frame."""
        waveform = read_audio(path, self.sample_rate)
        return self.recognize(waveform, utterance or Path(path).stem, str(path))

    def recognize(
        self, waveform: npt.NDArray[np.float32], utterance: str = "audio", audio: str | None = None
    ) -> Transcript:
        """Recognises samples [S] in [-1, 1] at `sample_rate`.

        Raises InputError when there is not one frame, or the model's scores of it are no numbers.
        """
        static, _ = self.front_end(torch.from_numpy(waveform)[None], torch.tensor([len(waveform)]))
        if static.shape[1] == 0:
            milliseconds = self.bundle.config.features.frame_length
            raise InputError(f"is shorter than one frame ({milliseconds:g} ms); there is nothing to recognise", audio)
        features = model_input(static[0].cpu().numpy(), None, self.bundle.cmvn, self.bundle.config.features)
        duration = len(waveform) / self.sample_rate
        spoken = Transcript(utterance, audio=audio, duration=round(duration, 4))
        try:
            return decode_utterance(spoken, self.scorer.log_posteriors(features), self.search)
        except InputError as error:
            raise InputError(str(error), audio) from error
