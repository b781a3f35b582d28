"""A recognition beside what was said: the phone error rate, and each phone with its time."""

import json
from dataclasses import replace

from asr.config import ScoringConfig
from asr.formats.transcript import Transcript
from asr.report.tiers import timed_pairs
from asr.scoring.score import score
from asr.scoring.silence import Treatment

SILENCE: Treatment = "removed"
"""How silence is treated: people who type what is said leave it out."""


def comparison(said: Transcript, recognised: Transcript, config: ScoringConfig) -> bytes:
    """A JSON object of the error rate (per cent), the counts, and the pairs of the edit alignment with the time (s) of
    the recognised phone, or of a deleted one in `said`. Raises InputError where `said` is only silence."""
    said = replace(said, utterance=recognised.utterance)
    (scored,) = score([said], [recognised], config).utterances
    counts = scored.counts[SILENCE]
    pairs = []
    for pair in timed_pairs(scored.alignments[SILENCE], said, recognised, config.phone_set):
        start, end = pair.hypothesis_span or pair.reference_span or (0.0, 0.0)
        pairs.append({"reference": pair.reference, "hypothesis": pair.hypothesis, "start": start, "end": end})
    return json.dumps({"per": counts.per, **counts.to_json(), "pairs": pairs}, ensure_ascii=False).encode()
