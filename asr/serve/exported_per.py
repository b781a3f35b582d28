"""How well an exported model recognises: on test speech of the run that it is from, or by the model's card."""

import logging
from collections.abc import Sequence
from pathlib import Path

from lhotse import MonoCut

from asr.acoustics.bundle import find_bundle
from asr.corpora.cuts import read_cuts, reference
from asr.errors import InputError
from asr.features.extract import read_cut
from asr.progress import track
from asr.recognizer import Recognizer
from asr.scoring.score import score
from asr.sharing.card import header_figures, read_header
from asr.storage.run_layout import PREPARE, TEST, cuts_path, run_of

log = logging.getLogger(__name__)

UTTERANCES = 100
"""As many are recognised, spread over the test set, by the exported model and by the original."""


def exported_per(model: Path, exported: Path, precision: str) -> str:
    """A sentence with the PER (silence removed, each utterance recognised by itself); "" where nothing is known."""
    bundle = find_bundle(model)
    run, fold = run_of(bundle) or (None, "")
    prepared = run and cuts_path(run / PREPARE / fold, TEST)
    if prepared and prepared.is_file():
        try:
            cuts = list(read_cuts(prepared))
            chosen = cuts[:: -(-len(cuts) // UTTERANCES)]
            here, before = (_per(Recognizer(folder), chosen) for folder in (exported, bundle))
            return (
                f"PER on {len(chosen)} test utterances: {here:.1f} % in {precision}, {before:.1f} % before the export"
            )
        except InputError as error:
            log.warning("%s; the PER of the export is not measured", error)
    found = header_figures(read_header(bundle))
    figures = [f"{per:.1f} % on {'all' if ', ' in name else name}" for name, per in found]
    return f"PER before the export: {', '.join(figures)}" if figures else ""


def _per(recognizer: Recognizer, cuts: Sequence[MonoCut]) -> float:
    rate = recognizer.sample_rate
    found = [recognizer.recognize(read_cut(cut, rate), cut.id) for cut in track(cuts, "recognising")]
    result = score(map(reference, cuts), found, recognizer.bundle.config.scoring)
    return result.treatments["removed"].counts.per or 0.0
