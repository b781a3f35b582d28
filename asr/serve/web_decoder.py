"""decoder.json.gz: what the worker of an exported page needs to turn log posteriors into phones (see web/worker/)."""

from typing import Any

import numpy as np

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.tables import TrainedModel
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.confidence import CERTAINTY, POSTERIOR_BEAM
from asr.decoding.decode import Decoder
from asr.decoding.graph.flat_graph import FlatGraph
from asr.features.mel import window_samples
from asr.phones.symbols import WORD_START
from asr.serve.web_alignment import aligning_json, log_priors


def decoder_json(model: TrainedModel) -> dict[str, Any]:
    """The search of a model with its tuned weights, its confidences, what it aligns with, and its phones and times."""
    config, tuning = model.config, model.tuning
    times = FrameTimes.of(config.features, model.subsampling)
    decoder = bundle_decoder(model, tuning)
    return {
        "search": config.decoding.search,
        **_SEARCHES[config.decoding.search](model, decoder),
        "phones": list(config.targets.phone_set),
        "offsets": log_priors(model.statistics.priors, tuning.prior_scale),
        "offset": times.offset,
        "shift": times.shift,
        "sampleRate": config.features.sample_rate,
        "shortest": window_samples(config.features),
        "confidences": _confidences(decoder, config.decoding.search == "graph") if decoder.scoring else None,
        "timed": model.timing is not None,
        "aligning": aligning_json(model),
    }


def _confidences(decoder: Decoder, in_graph: bool) -> dict[str, Any]:
    """What `Decoder.confidences` needs; without a graph where it is that of the search."""
    assert decoder.groups is not None
    shared = in_graph and decoder.confidence_graph is None
    graph = decoder.confidence_graph or decoder.graph_search.flat
    return {
        "graph": None if shared else _graph_json(graph),
        "acousticScale": decoder.acoustic_scale,
        "posteriorScale": decoder.posterior_scale,
        "beam": POSTERIOR_BEAM,
        "slope": decoder.recalibration.slope,
        "offset": decoder.recalibration.offset,
        "certainty": CERTAINTY,
        "groups": decoder.groups.tolist(),
        "classPhones": graph.class_phones.tolist(),
    }


def _graph_search(model: TrainedModel, decoder: Decoder) -> dict[str, Any]:
    beam = model.config.decoding.beam
    return {
        "graph": _graph_json(decoder.graph_search.flat),
        "scale": decoder.acoustic_scale,
        "beam": beam if np.isfinite(beam) else 1e30,
    }


def _graph_json(flat: FlatGraph) -> dict[str, Any]:
    entering = flat.entering
    return {
        "start": flat.start,
        "states": flat.states,
        "first": entering.first.tolist(),
        "sources": entering.sources.tolist(),
        "labels": entering.labels.tolist(),
        "phones": flat.phones[entering.numbers].tolist(),
        "costs": entering.costs.tolist(),
        "freeSources": flat.free_sources.tolist(),
        "freeTargets": flat.free_targets.tolist(),
        "freePhones": flat.free_phones.tolist(),
        "freeCosts": flat.free_costs.tolist(),
        "finals": [cost if np.isfinite(cost) else None for cost in flat.finals.tolist()],
    }


def _prefix_beam(model: TrainedModel, _: Decoder) -> dict[str, Any]:
    """The weights of `PrefixBeamSearch`; the page reads the n-gram itself from lm.arpa.gz."""
    tuning = model.tuning
    return {
        "prefixes": model.config.decoding.prefixes,
        "weight": tuning.lm_weight / tuning.acoustic_scale,
        "penalty": tuning.insertion_penalty / tuning.acoustic_scale,
        "wordStart": WORD_START,
    }


_SEARCHES = {"graph": _graph_search, "prefix_beam": _prefix_beam, "greedy": lambda *_: {}}
