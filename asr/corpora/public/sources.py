"""The public corpora that `asr corpus get` can fetch, and where they are kept."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RemoteFile:
    """An archive; `md5` as its source publishes it, None where that is not known."""

    url: str
    md5: str | None = None

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class PublicCorpus:
    """A corpus: its archives, and the command of `asr prepare` that reads the folder `below` in what they hold."""

    about: str
    licence: str
    files: tuple[RemoteFile, ...]
    prepare: str
    below: str = "."


PUBLIC = {
    "timit_sample": PublicCorpus(
        about="NLTK's sample of TIMIT: 16 speakers, 8 minutes, hand-labelled phones (21 MB)",
        licence="CC BY-NC-SA, see its README",
        files=(
            RemoteFile(
                "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/timit.zip",
                "34c047c4749a811287f2c652104d7849",
            ),
        ),
        prepare="timit --folds 4",
        below="timit",
    ),
    "speechocean762": PublicCorpus(
        about="speechocean762 (OpenSLR 101): English of 250 Mandarin speakers, 6 hours (520 MB)",
        licence="CC BY 4.0",
        files=(RemoteFile("https://www.openslr.org/resources/101/speechocean762.tar.gz"),),
        prepare="speechocean762",
        below="speechocean762",
    ),
    "mini_librispeech": PublicCorpus(
        about="mini LibriSpeech (OpenSLR 31): read English, 7 hours (460 MB)",
        licence="CC BY 4.0",
        files=(
            RemoteFile("https://www.openslr.org/resources/31/train-clean-5.tar.gz", "5df7d4e78065366204ca6845bb08f490"),
            RemoteFile("https://www.openslr.org/resources/31/dev-clean-2.tar.gz", "6d7ab67ac6a1d2c993d050e16d61080d"),
        ),
        prepare="librispeech",
        below="LibriSpeech",
    ),
}


def cache_folder() -> Path:
    """ASR_CACHE, or the user's cache folder."""
    if given := os.environ.get("ASR_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asr"
