"""The prepare stage: a corpus on disk becomes manifests of cuts for train, dev and test, and a summary."""

import os
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import phone_sequence, write_cuts
from asr.corpora.pronounced import write_coverage
from asr.corpora.shards import find_shards, unpack_shards
from asr.corpora.stored_phone_set import store_phone_set, stored_phone_set
from asr.data_files import data_path
from asr.errors import InputError, count
from asr.storage.json_files import write_json
from asr.storage.run_layout import AUDIO, SUMMARY, cuts_path

LHOTSE = "lhotse"
"""The name of the corpora that may be in shards."""


@dataclass(frozen=True)
class SplitSummary:
    """The contents of one manifest; `phones` counts those of the corpus's own phone set.

    `timed` are the utterances whose phones have times.
    """

    utterances: int
    speakers: int
    seconds: float
    phones: int
    timed: int = 0


@dataclass(frozen=True)
class PrepareSummary:
    """The contents of each manifest (`train`, or `fold-1/train`), and what is wrong with the corpus."""

    corpus: str
    folder: str
    splits: dict[str, SplitSummary]
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    phone_set: str | None = None
    """Of a corpus of one's own: the set of its transcripts; PHONE_SET where it does not ship."""
    speakers_known: bool = True
    """Whether each utterance has a speaker of its own corpus, not the name of its audio file."""
    sample_rate: int = 0
    """The highest of the recordings (Hz)."""

    def to_json(self) -> dict[str, Any]:
        """The content of summary.json."""
        row = asdict(self)
        del row["speakers_known"], row["sample_rate"]
        for split in row["splits"].values():
            del split["timed"]
        if self.phone_set is None:
            del row["phone_set"]
        return row


def prepare(config: CorpusConfig, out_dir: Path) -> PrepareSummary:
    """Writes `[fold-k/]{train,dev,test}.cuts.jsonl.gz` and `summary.json` into `out_dir`.

    For a corpus of one's own that has phones of no set that ships, also the set, in PHONE_SET. Shards are first
    unpacked into `out_dir`/AUDIO. Shards and manifests from asr are in the set that they were prepared in, unless
    `config` has another or reads them as broad IPA.
    Every file is checked before the first is written. Raises InputError at the first broken utterance or missing
    speaker, or, with `skip_bad`, lists them in the summary and goes on.
    """
    root = folder = corpus_dir(config)
    if config.name == LHOTSE:
        if config.phone_set is None and not config.broad_ipa and root.is_dir():
            config = config.model_copy(update={"phone_set": stored_phone_set(root)})
        if shards := find_shards(root):
            folder = unpack_shards(shards, out_dir / AUDIO)
    corpus = cast(CorpusCuts, import_module(config.entry.module).read_corpus(config, folder))
    corpus = replace(corpus, root=root if folder != root else corpus.root)
    write_coverage(corpus.words, out_dir)
    if config.entry.own and corpus.phone_set is None:
        corpus = replace(corpus, phone_set=config.transcribed_in)  # the lexicon's
    return write_prepared(out_dir, config.name, corpus)


def write_prepared(out_dir: Path, name: str, corpus: CorpusCuts) -> PrepareSummary:
    """Writes the manifests of a corpus, its summary, and its phone set, as `prepare` does."""
    splits = {}
    for split, cuts in corpus.manifests.items():
        if not cuts:
            raise InputError(f"no utterances are left for {split}; {_why(corpus)}", corpus.root)
    for split, cuts in corpus.manifests.items():
        write_cuts(cuts_path(out_dir, split), cuts)
        splits[split] = _summary(cuts)
    set_name = store_phone_set(corpus.phone_set, out_dir)
    summary = PrepareSummary(
        name,
        str(corpus.root),
        splits,
        corpus.skipped,
        corpus.missing,
        set_name,
        corpus.speakers_known,
        max(cut.recording.sampling_rate for cuts in corpus.manifests.values() for cut in cuts),
    )
    write_json(out_dir / SUMMARY, summary.to_json())
    return summary


def _why(corpus: CorpusCuts) -> str:
    """What to do about a set that is empty."""
    if not corpus.skipped:
        return "add some, or divide the corpus again"
    first = "{utterance}: {reason}".format(**corpus.skipped[0])
    fix = "fix them, or draw others (--seed)" if any(corpus.manifests.values()) else "fix them"
    return f"{count(len(corpus.skipped), 'utterance')} left out, the first {first}; {fix}"


def corpus_dir(config: CorpusConfig) -> Path:
    """The absolute path of the corpus. Raises InputError if the recipe has none and the corpus does not ship."""
    if config.dir is not None:
        # Links are kept as the user wrote them, and a ~ that names no user is a folder's name.
        return Path(os.path.abspath(os.path.expanduser(config.dir)))  # noqa: PTH100, PTH111
    if config.entry.folder is not None:
        return data_path(config.entry.folder)
    raise InputError(f"corpus.dir: {config.entry.where_to_get}")


def _summary(cuts: list[MonoCut]) -> SplitSummary:
    return SplitSummary(
        utterances=len(cuts),
        speakers=len({cut.supervisions[0].speaker for cut in cuts}),
        seconds=round(sum(cut.duration for cut in cuts), 3),
        phones=sum(len(phone_sequence(cut)) for cut in cuts),
        timed=sum(bool((cut.supervisions[0].alignment or {}).get("phone")) for cut in cuts),
    )
