"""The prepare stage: a corpus on disk becomes manifests of cuts for train, dev and test, and a summary."""

import os
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import cast

from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import phone_sequence, write_cuts
from asr.corpora.pronounced import pronounce_corpus
from asr.data_files import data_path
from asr.errors import InputError
from asr.storage.files import write_json
from asr.storage.run_layout import SUMMARY, cuts_path


@dataclass(frozen=True)
class SplitSummary:
    """The contents of one manifest; `phones` counts those of the corpus's own phone set."""

    utterances: int
    speakers: int
    seconds: float
    phones: int


@dataclass(frozen=True)
class PrepareSummary:
    """The contents of each manifest (`train`, or `fold-1/train`), and what is wrong with the corpus."""

    corpus: str
    folder: str
    splits: dict[str, SplitSummary]
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def prepare(config: CorpusConfig, out_dir: Path) -> PrepareSummary:
    """Writes `[fold-k/]{train,dev,test}.cuts.jsonl.gz` and `summary.json` into `out_dir`.

    Every file is checked before the first is written. Raises InputError at the first broken utterance or missing
    speaker, or, with `skip_bad`, lists them in the summary and goes on.
    """
    corpus = cast(CorpusCuts, import_module(config.entry.module).read_corpus(config, corpus_dir(config)))
    pronounce_corpus(corpus, config, out_dir)
    splits = {}
    for name, cuts in corpus.manifests.items():
        if not cuts:
            raise InputError(f"no utterances are left for {name}", corpus.root)
    for name, cuts in corpus.manifests.items():
        write_cuts(cuts_path(out_dir, name), cuts)
        splits[name] = _summary(cuts)
    summary = PrepareSummary(config.name, str(corpus.root), splits, corpus.skipped, corpus.missing)
    write_json(out_dir / SUMMARY, asdict(summary))
    return summary


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
    )
