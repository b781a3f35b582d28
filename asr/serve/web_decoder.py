"""decoder.json: what the worker of an exported page needs to turn log posteriors into phones (see web/worker/)."""

from typing import Any

import numpy as np

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.priors import PRIOR_FLOOR
from asr.acoustics.tables import ClassStatistics, TrainedModel
from asr.alignment.spoken import pauses
from asr.decoding.bundle_decoder import bundle_graph
from asr.decoding.graph.flat_graph import FlatGraph, flatten
from asr.features.mel import window_samples
from asr.phones.symbols import WORD_START


def decoder_json(model: TrainedModel) -> dict[str, Any]:
    """The search of a model with its tuned weights, and its phones, priors and times."""
    config, tuning = model.config, model.tuning
    times = FrameTimes.of(config.features, model.subsampling)
    return {
        "search": config.decoding.search,
        **_SEARCHES[config.decoding.search](model),
        "phones": list(config.targets.phone_set),
        "offsets": _log_priors(model.statistics, tuning.prior_scale),
        "offset": times.offset,
        "shift": times.shift,
        "sampleRate": config.features.sample_rate,
        "shortest": window_samples(config.features),
        "timing": _timing(model),
    }


def _log_priors(statistics: ClassStatistics, scale: float = 1.0) -> list[float]:
    """What is subtracted from each class's log posterior."""
    found: list[float] = (scale * np.log(np.maximum(statistics.priors, PRIOR_FLOOR))).astype(np.float32).tolist()
    return found


def _timing(model: TrainedModel) -> dict[str, Any] | None:
    """The HMMs of the second output, if there is one, as `PhoneTimer` aligns to it."""
    config = model.config
    if model.timing is None or config.training.timing is None:
        return None
    times = FrameTimes.of(config.features)
    return {
        "states": config.training.timing.states,
        "stay": (-np.log(model.timing.self_loops)).tolist(),
        "leave": (-np.log1p(-model.timing.self_loops)).tolist(),
        "offsets": _log_priors(model.timing),
        "silences": list(pauses(config.targets.phone_set)),
        "offset": times.offset,
        "shift": times.shift,
    }


def _graph_search(model: TrainedModel) -> dict[str, Any]:
    tuning, beam = model.tuning, model.config.decoding.beam
    flat = flatten(bundle_graph(model, tuning.lm_weight), tuning.insertion_penalty)
    return {
        "graph": _graph_json(flat),
        "scale": tuning.acoustic_scale,
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


def _prefix_beam(model: TrainedModel) -> dict[str, Any]:
    """The weights of `PrefixBeamSearch`; the page reads the n-gram itself from lm.arpa.gz."""
    tuning = model.tuning
    return {
        "prefixes": model.config.decoding.prefixes,
        "weight": tuning.lm_weight / tuning.acoustic_scale,
        "penalty": tuning.insertion_penalty / tuning.acoustic_scale,
        "wordStart": WORD_START,
    }


_SEARCHES = {"graph": _graph_search, "prefix_beam": _prefix_beam, "greedy": lambda _: {}}
