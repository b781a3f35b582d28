"""What reading a corpus comes to, whichever it is: the cuts of each manifest, and what is wrong with the corpus."""

from dataclasses import dataclass, field
from pathlib import Path

from lhotse import MonoCut

SKIP = "--skip-bad (corpus.skip_bad)"
"""How a user asks to go on without what is broken."""


@dataclass(frozen=True)
class CorpusCuts:
    """The cuts of each manifest (`train`, or `fold-1/train`), in order; `root` is where the corpus was found.

    `skipped` names each utterance that was left out (`utterance`, `reason`); `missing` says what a whole copy has more.
    """

    root: Path
    manifests: dict[str, list[MonoCut]]
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
