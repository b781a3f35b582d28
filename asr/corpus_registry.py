"""The corpora that can be read: one registry of what a recipe and the commands need to know of each.

A new corpus is a module with a function `read_corpus(config, folder)`, which returns `asr.corpora.corpus.CorpusCuts`,
and an entry here. A layout for corpora of one's own has no phone set: see `asr.corpora.own`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Corpus:
    """A corpus: the module that reads it, and the phone set in which it is transcribed."""

    module: str
    about: str
    """For help texts: which corpus it is, and which forms of it can be read."""
    where_to_get: str = "give its folder"
    """What to do where the recipe does not say where the corpus is."""
    phone_set: str | None = None
    """None for a layout of corpora of one's own, whose phones and split are settings."""
    folder: str | None = None
    """The folder below data/ where it ships."""
    folds: tuple[int, ...] = (1,)
    """Numbers of folds that can be chosen; 1 is the corpus's own train, dev and test."""

    @property
    def own(self) -> bool:
        """Whether it is a layout of corpora of one's own."""
        return self.phone_set is None


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
    "kaldi": Corpus(
        module="asr.corpora.own.kaldi",
        about="a Kaldi data folder (wav.scp, segments, text or phones, utt2spk), or several named train, dev and test",
    ),
    "lhotse": Corpus(
        module="asr.corpora.own.lhotse",
        about="Lhotse's manifests, of cuts or of recordings and supervisions, or manifests that asr prepare wrote",
    ),
    "textgrid": Corpus(
        module="asr.corpora.own.textgrid",
        about="audio files with a Praat TextGrid each, labelled by hand or by an aligner such as MFA",
    ),
    "csv": Corpus(
        module="asr.corpora.own.csv",
        about="a CSV, TSV or JSON Lines file with the path, speaker, and text or phones of each utterance",
    ),
    "librispeech": Corpus(
        module="asr.corpora.own.librispeech",
        about="LibriSpeech or another corpus in its layout, with audio files of any kind",
    ),
    "commonvoice": Corpus(
        module="asr.corpora.own.commonvoice",
        about="a language of Mozilla Common Voice (train.tsv, dev.tsv, test.tsv and clips)",
    ),
    "folder": Corpus(
        module="asr.corpora.own.folder",
        about="audio files with a transcript each (.phn, .lab or .txt), a folder for each speaker",
    ),
}
