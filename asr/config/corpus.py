"""Settings of the corpus."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from asr.config.section import Section
from asr.corpus_registry import CORPORA, Corpus
from asr.phones.phone_set import PhoneSet, load_phone_set
from asr.phones.pronounce import CMUDICT

_FOLDS = sorted({folds for corpus in CORPORA.values() for folds in corpus.folds})


def _known(name: str) -> str:
    if name not in CORPORA:
        raise ValueError(f"use {', '.join(CORPORA)}")
    return name


class CorpusConfig(Section):
    """The corpus, where it is, and how it is split."""

    name: Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": list(CORPORA)})] = Field(
        description="which corpus it is; timit: TIMIT or its sample; demo: the synthetic speech that ships"
    )
    dir: Path | None = Field(
        None, description="folder of the corpus, relative to the current folder; null: the one that ships, for demo"
    )
    folds: Annotated[int, WithJsonSchema({"enum": _FOLDS})] = Field(
        1, description="1: the corpus's own train, dev and test; 4: the four folds of the TIMIT sample"
    )
    skip_bad: bool = Field(False, description="leave out broken utterances and count them, instead of stopping")

    lexicon: Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = Field(
        [CMUDICT],
        description="for utterances with words and no phones: pronunciation lexicons, each a file or cmudict (the CMU "
        "Pronouncing Dictionary); a word has the pronunciations of the first that has it",
    )
    g2p: bool = Field(
        False, description="words that are in no lexicon are pronounced by a model of spelling that is trained on them"
    )

    @property
    def entry(self) -> Corpus:
        """What is known of the corpus."""
        return CORPORA[self.name]

    @property
    def lexicon_files(self) -> list[Path]:
        """The lexicons that are files."""
        return [Path(source) for source in self.lexicon if source != CMUDICT]

    @property
    def phone_set(self) -> PhoneSet:
        """The phones of the corpus's own transcripts."""
        return load_phone_set(self.entry.phone_set)

    @model_validator(mode="after")
    def _folds_fit(self) -> "CorpusConfig":
        if self.folds not in self.entry.folds:
            allowed = " or ".join(map(str, self.entry.folds))
            raise ValueError(f"folds: {self.folds} is not for {self.name}; use {allowed}")
        return self
