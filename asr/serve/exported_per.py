"""How well an exported model recognises: on test speech of the run that it is from, or by the model's card."""

from collections.abc import Sequence
from pathlib import Path

from lhotse import MonoCut

from asr.acoustics.bundle import find_bundle, of_one_fold
from asr.corpora.cuts import read_cuts, reference
from asr.features.extract import read_cut
from asr.progress import track
from asr.recognizer import Recognizer
from asr.scoring.score import score
from asr.sharing.card import header_figures, read_header
from asr.storage.run_layout import PREPARE, TEST, cuts_path, fold_names

UTTERANCES = 100
"""As many are recognised, spread over the test set, by the exported model and by the original."""


def exported_per(model: Path, exported: Path, precision: str) -> str:
    """A sentence with the PER (silence removed, each utterance recognised by itself); "" where nothing is known."""
    bundle = find_bundle(of_one_fold(model))
    fold = bundle.parent.parent
    run = fold.parent if fold.name in fold_names(fold.parent) else fold
    prepared = cuts_path(run / PREPARE / (fold.name if fold != run else ""), TEST)
    cuts = list(read_cuts(prepared)) if prepared.is_file() else []
    if cuts and Path(cuts[0].recording.sources[0].source).is_file():
        chosen = cuts[:: -(-len(cuts) // UTTERANCES)]
        here, before = (_per(Recognizer(folder), chosen) for folder in (exported, bundle))
        return f"PER on {len(chosen)} test utterances: {here:.1f} % in {precision}, {before:.1f} % before the export"
    figures = [f"{per:.1f} % on {name}" for name, per in header_figures(read_header(bundle))]
    return f"PER before the export: {', '.join(figures)}" if figures else ""


def _per(recognizer: Recognizer, cuts: Sequence[MonoCut]) -> float:
    rate = recognizer.sample_rate
    found = [recognizer.recognize(read_cut(cut, rate), cut.id) for cut in track(cuts, "recognising")]
    result = score(map(reference, cuts), found, recognizer.bundle.config.scoring)
    return result.treatments["removed"].counts.per or 0.0
