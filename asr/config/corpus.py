"""Settings of the corpus."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from asr.config.phone_set import PhoneSetSetting
from asr.config.section import Section
from asr.corpus_registry import CORPORA, Corpus
from asr.phones.lexicon import CMUDICT, LEXICON_PHONES
from asr.phones.phone_set import PhoneSet, load_phone_set

_FOLDS = sorted({folds for corpus in CORPORA.values() for folds in corpus.folds})
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|min)")


def _known(name: str) -> str:
    if name not in CORPORA:
        raise ValueError(f"use {', '.join(CORPORA)}")
    return name


def _amount(text: str) -> str:
    match = _AMOUNT.fullmatch(text)
    if match is None or not float(match[1]) or (match[2] == "%" and float(match[1]) >= 100):
        raise ValueError("use a share of the speech or minutes, such as 10% or 30min")
    return text


Amount = Annotated[str, AfterValidator(_amount)]


class SplitConfig(Section):
    """How utterances are divided among train, dev and test where the corpus does not say."""

    dev: Amount = Field("10%", description="speech for dev: a share such as 10%, or minutes such as 30min")
    test: Amount = Field("10%", description="speech for test: a share or minutes")
    by: Literal["speaker", "recording"] = Field(
        "speaker",
        description="speaker: each is in one set only; recording: a speaker may be in several",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="random seed of the draw")

    def seconds(self, amount: str, total: float) -> float:
        """The seconds of an amount (`dev` or `test`), given those of the whole."""
        number, unit = _AMOUNT.fullmatch(amount).groups()  # type: ignore[union-attr]
        return float(number) * (60 if unit == "min" else total / 100)


class CorpusConfig(Section):
    """The corpus, where it is, and how it is split."""

    name: Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": list(CORPORA)})] = Field(
        description="which corpus it is, or the layout of your own; timit: TIMIT or its sample; demo: the synthetic "
        "speech that ships"
    )
    dir: Path | None = Field(
        None,
        description="folder or list of the corpus, relative to the current folder; null: the one that ships, for demo",
    )
    folds: Annotated[int, WithJsonSchema({"enum": _FOLDS})] = Field(
        1, description="1: the corpus's own train, dev and test; 4: the four folds of the TIMIT sample"
    )
    skip_bad: bool = Field(False, description="leave out broken utterances and count them, instead of stopping")
    phone_set: PhoneSetSetting | None = Field(
        None,
        description="phones of the transcripts of your own corpus, or of its lexicon: a set that ships or the path of "
        "a file; null: targets.phone_set",
    )
    broad_ipa: bool = Field(
        False,
        description="the phones of your own corpus, or of its lexicon, are IPA, of which the letters are wanted, not "
        "their diacritics, length and tone: t for tʰ, a for ãː; characters that look alike are one",
    )
    tier: str = Field("phones", description="textgrid: the tier with the phones")
    text: Literal["words", "phones"] = Field(
        "words", description="what the texts of your own corpus are, such as Kaldi's text and .txt files"
    )
    split: SplitConfig = SplitConfig()
    lexicon: Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = Field(
        [CMUDICT],
        description="for utterances with words and no phones: pronunciation lexicons, each a file or cmudict (the CMU "
        "Pronouncing Dictionary); a word has the pronunciations of the first that has it",
    )
    g2p: bool = Field(
        False, description="guess how words that no lexicon has are pronounced, by a model of the lexicons' spelling"
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
    def transcribed_in(self) -> PhoneSet:
        """The phones of the corpus's transcripts; of one's own, if nothing is set, those of the default lexicon."""
        return self.phone_set or load_phone_set(self.entry.phone_set or LEXICON_PHONES)

    @model_validator(mode="after")
    def _folds_fit(self) -> "CorpusConfig":
        if self.folds not in self.entry.folds:
            allowed = " or ".join(map(str, self.entry.folds))
            raise ValueError(f"folds: {self.folds} is not for {self.name}; use {allowed}")
        return self

    @model_validator(mode="after")
    def _own_settings_fit(self) -> "CorpusConfig":
        if not self.entry.own and (
            self.phone_set or self.broad_ipa or self.text != "words" or self.split != SplitConfig()
        ):
            raise ValueError(f"phone_set, broad_ipa, text and split are for corpora of your own, not for {self.name}")
        if self.tier != "phones" and self.name != "textgrid":
            raise ValueError("tier is for corpus.name: textgrid")
        return self
