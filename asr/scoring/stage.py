"""The score stage: error rates, calibration of confidences, and the oracle PER of n-best lists."""

import logging
from pathlib import Path

from asr.config import ScoringConfig
from asr.scoring.calibration import calibrate_files
from asr.scoring.oracle import oracle_files
from asr.scoring.results import ScoreResult
from asr.scoring.score import score_files
from asr.scoring.timing import write_timing
from asr.storage.run_layout import NBEST

log = logging.getLogger(__name__)


def score_stage(
    references: Path, hypotheses: Path, out_dir: Path, config: ScoringConfig, seed: int = 0, nbest: Path | None = None
) -> ScoreResult:
    """Scores hypotheses.jsonl against references.jsonl and writes the score folder.

    That is results.json, utterances.jsonl and confusions.tsv; calibration.json where phones have scores; timing.json
    where both sides have times; and oracle.json where there are n-best lists: `nbest`, or nbest.jsonl next to the
    hypotheses. Raises InputError as `score_files` and `oracle_files` do.
    """
    result = score_files(references, hypotheses, out_dir, config, seed)
    calibrate_files(references, hypotheses, out_dir, config.phone_set)
    write_timing(references, hypotheses, out_dir, config.phone_set)
    lists = nbest or hypotheses.with_name(NBEST)
    if nbest or lists.is_file():
        found = oracle_files(references, hypotheses, lists, out_dir, config.phone_set)
        log.info("PER %.1f; best of %d: %.1f", found.per, found.nbest, found.oracle_per)
    return result
