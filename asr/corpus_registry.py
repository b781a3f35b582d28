"""The corpora that can be read: one registry of what a recipe and the commands need to know of each.

A new corpus is a module with a function `read_corpus(config, folder)`, which returns `asr.corpora.corpus.CorpusCuts`,
and an entry here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Corpus:
    """A corpus: the module that reads it, and the phone set in which it is transcribed."""

    module: str
    phone_set: str
    about: str
    """For help texts: which corpus it is, and which forms of it can be read."""
    where_to_get: str
    """What to do where the recipe does not say where the corpus is."""
    folder: str | None = None
    """The folder below data/ where it ships."""
    folds: tuple[int, ...] = (1,)
    """Numbers of folds that can be chosen; 1 is the corpus's own train, dev and test."""


CORPORA = {
    "timit": Corpus(
        module="asr.corpora.timit",
        phone_set="timit61",
        about="TIMIT (LDC93S1) in any of its forms, or NLTK's sample of it",
        where_to_get="TIMIT is licensed and does not ship; give the folder of your copy",
        folds=(1, 4),
    ),
    "demo": Corpus(
        module="asr.corpora.timit",
        phone_set="timit61",
        about="the synthetic speech in data/demo, or another corpus in TIMIT's layout with speaker lists",
        where_to_get="give the folder of the demo corpus",
        folder="demo",
        folds=(1, 4),
    ),
    "speechocean762": Corpus(
        module="asr.corpora.speechocean762",
        phone_set="cmu39",
        about="speechocean762 (OpenSLR 101), as WAV or FLAC, or a part of it",
        where_to_get="speechocean762 does not ship; give the folder of your copy (https://www.openslr.org/101)",
    ),
}
