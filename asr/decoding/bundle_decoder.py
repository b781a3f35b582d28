"""The decoder that a bundle's recipe asks for, with the bundle's own language model and classes."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.tables import TrainedModel, Tuning
from asr.decoding.confidence import Recalibration, phone_groups
from asr.decoding.decode import Decoder
from asr.decoding.graph.build import build_graph
from asr.decoding.graph.flat_graph import flatten
from asr.decoding.graph.topology import Graph
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.greedy import GreedySearch
from asr.decoding.search.path import PathSearch
from asr.decoding.search.phone_prior import phone_prior
from asr.decoding.search.prefix_beam import PrefixBeamSearch
from asr.errors import InputError
from asr.lm.arpa import read_arpa
from asr.lm.backoff import PackedNgrams

if TYPE_CHECKING:
    import torch

    from asr.decoding.search.batch_viterbi import BatchViterbi

CONFIDENCE_ORDER = 3
"""The order up to which the graph of confidences has n-grams. They need all paths: under a 6-gram, that takes minutes
where the search takes seconds."""


def bundle_ngrams(bundle: TrainedModel) -> PackedNgrams:
    """The language model of a bundle. Raises InputError for a bundle that has none yet."""
    if not bundle.lm_path.is_file():
        raise InputError("has no lm.arpa, which decoding adds; give the bundle that asr decode wrote", bundle.folder)
    return read_arpa(bundle.lm_path)


def bundle_graph(bundle: TrainedModel, ngrams: PackedNgrams, lm_weight: float = 1.0, order: int | None = None) -> Graph:
    """The decoding graph of a bundle's phones, topology and language model, with n-grams up to `order`.

    Raises InputError where the language model is not of the bundle's phones.
    """
    config = bundle.config
    try:
        return build_graph(
            ngrams,
            config.targets.phone_set,
            config.targets.states,
            bundle.statistics.self_loops,
            config.topology,
            lm_weight,
            modified_ctc=config.decoding.ctc == "modified",
            order=order,
        )
    except InputError as error:
        raise InputError(str(error), bundle.lm_path) from error


def bundle_decoder(bundle: TrainedModel, tuning: Tuning, device: "torch.device | None" = None) -> Decoder:
    """The decoder that the recipe asks for, with tuned weights.

    Other searches than that of the graph have one for the confidences only, and so has a graph of longer n-grams. On a
    CUDA `device` splits are searched in the graph exactly and in batches where it suits: see `in_batches`. Raises
    InputError as `bundle_ngrams` and `bundle_graph`.

    >>> from asr.acoustics.loading import audio_scorer, read_model
    >>> from asr.audio.reading import read_audio
    >>> model = read_model("runs/demo/dnn")
    >>> log_posteriors = audio_scorer(model).log_posteriors(read_audio("hello.wav", 16000))
    >>> path = bundle_decoder(model, model.tuning).best_path(log_posteriors)
    >>> path.phones[0]
    PhoneSpan(phone=..., first=0, end=...)
    >>> len(path.classes) == len(log_posteriors)
    True
    """
    config = bundle.config
    phones = config.targets.phone_set
    in_graph = config.decoding.search == "graph"
    ngrams = bundle_ngrams(bundle)
    graph = bundle_graph(bundle, ngrams, tuning.lm_weight, None if in_graph else CONFIDENCE_ORDER)
    separate = in_graph and config.decoding.confidences and config.lm.order > CONFIDENCE_ORDER
    shorter = bundle_graph(bundle, ngrams, tuning.lm_weight, CONFIDENCE_ORDER) if separate else None
    return Decoder(
        graph_search=BeamSearch(graph, config.decoding.beam, tuning.insertion_penalty),
        acoustic_scale=tuning.acoustic_scale,
        priors=bundle.statistics.priors,
        phones=phones,
        times=FrameTimes.of(config.features, bundle.subsampling),
        prior_scale=tuning.prior_scale,
        posterior_scale=tuning.posterior_scale,
        recalibration=Recalibration(tuning.confidence_slope, tuning.confidence_offset),
        groups=phone_groups(phones, config.scoring.phone_set),
        batch_viterbi=_batch_viterbi(graph, device) if in_batches(bundle, device) else None,
        search=None if in_graph else search_factory(bundle, ngrams)(tuning.lm_weight, tuning.insertion_penalty),
        confidence_graph=flatten(shorter, tuning.insertion_penalty) if shorter else None,
        scoring=config.decoding.confidences,
    )


def in_batches(bundle: TrainedModel, device: "torch.device | None") -> bool:
    """Whether a CUDA device searches exactly and in batches: in a graph that is small enough that this takes no more
    work than the beam search, with a bigram."""
    config = bundle.config
    on_gpu = device is not None and device.type == "cuda"
    return on_gpu and config.decoding.search == "graph" and config.lm.order <= 2


def viterbi_factory(
    bundle: TrainedModel, ngrams: PackedNgrams, device: "torch.device | None"
) -> "Callable[[float], BatchViterbi] | None":
    """Makes the exact search of batches on the device, given a weight of the language model; None where beam search is
    better (`in_batches`)."""
    if not in_batches(bundle, device):
        return None
    return lambda weight: _batch_viterbi(bundle_graph(bundle, ngrams, weight), device)


def _batch_viterbi(graph: Graph, device: "torch.device | None") -> "BatchViterbi":
    from asr.decoding.search.batch_viterbi import BatchViterbi

    return BatchViterbi(graph, device or "cpu")


def search_factory(bundle: TrainedModel, ngrams: PackedNgrams) -> Callable[[float, float], PathSearch]:
    """Makes the search that the recipe asks for, given a weight of the language model and a penalty (nats) a phone."""
    decoding, phones = bundle.config.decoding, bundle.config.targets.phone_set
    graph_of = lru_cache(maxsize=1)(partial(bundle_graph, bundle, ngrams))
    prior = cache(lambda: phone_prior(ngrams, phones))

    def search(lm_weight: float, insertion_penalty: float) -> PathSearch:
        if decoding.search == "greedy":
            return GreedySearch()
        if decoding.search == "prefix_beam":
            return PrefixBeamSearch(prior(), decoding.prefixes, lm_weight, insertion_penalty)
        return BeamSearch(graph_of(lm_weight), decoding.beam, insertion_penalty)

    return search
