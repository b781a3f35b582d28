"""Settings of the corpus."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from asr.config.section import Section

CorpusName = Literal["timit", "demo", "speechocean762"]

TRANSCRIBED_IN: dict[CorpusName, str] = {"timit": "timit61", "demo": "timit61", "speechocean762": "cmu39"}
"""The phone set of each corpus's own transcripts."""


class CorpusConfig(Section):
    """Which corpus, where it is, and how it is split."""

    name: CorpusName = Field(description="timit: also its sample; demo: the corpus that ships here")
    dir: Path | None = Field(None, description="the corpus's folder; relative paths count from the current folder")
    folds: Literal[1, 4] = Field(
        1, description="1: the corpus's own train, dev and test; 4: the TIMIT sample's four folds"
    )
    skip_bad: bool = Field(False, description="leave out broken utterances with a count instead of stopping")

    @model_validator(mode="after")
    def _folds_fit(self) -> "CorpusConfig":
        if self.folds != 1 and self.name == "speechocean762":
            raise ValueError(f"folds: {self.folds} is for the TIMIT sample; speechocean762 has a split of its own (1)")
        return self
