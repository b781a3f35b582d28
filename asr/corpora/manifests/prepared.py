"""Folders of manifests that asr prepare wrote: reading them, and dividing them again."""

from dataclasses import replace
from pathlib import Path

from lhotse import MonoCut

from asr.config import SplitConfig
from asr.corpora.corpus import NO_SPEAKERS, CorpusCuts
from asr.corpora.cuts import read_cuts
from asr.corpora.manifests.splitting import divide
from asr.corpora.prepare import PrepareSummary, write_prepared
from asr.corpora.stored_phone_set import is_summary, stored_phone_set
from asr.errors import InputError
from asr.storage.json_files import read_json
from asr.storage.run_layout import SPLITS, SUMMARY, cuts_path, has_folds


def read_prepared(folder: Path) -> CorpusCuts:
    """The manifests of a folder, and the phone set of their transcripts.

    Raises InputError for a folder that is not of asr prepare, is broken, or has folds.
    """
    if not folder.is_dir():
        raise InputError("no such folder; give one from asr prepare", folder)
    if has_folds(folder):
        raise InputError("has folds; prepare the corpus with --folds 1, or give the folder of one fold", folder)
    manifests = {split: list(read_cuts(cuts_path(folder, split))) for split in SPLITS}
    summary = folder / SUMMARY
    row = read_json(summary)
    missing = row.get("missing", []) if is_summary(row) else None
    if not isinstance(missing, list):
        raise InputError("is not from asr prepare; run it again", summary)
    known = not any(NO_SPEAKERS in str(line) for line in missing)
    return CorpusCuts(folder, manifests, missing=missing, phone_set=stored_phone_set(folder), speakers_known=known)


def split_prepared(folder: Path, config: SplitConfig, out_dir: Path) -> PrepareSummary:
    """Draws dev and test from all utterances of a folder, and writes the manifests to `out_dir` as `prepare` does.

    Raises InputError as `read_prepared` and `divide` do.
    """
    corpus = read_prepared(folder)
    cuts = sorted(all_cuts(corpus), key=lambda cut: cut.id)
    manifests = divide(cuts, {}, config, folder)
    return write_prepared(out_dir, "lhotse", replace(corpus, manifests=manifests))


def all_cuts(corpus: CorpusCuts) -> list[MonoCut]:
    """The cuts of all manifests."""
    return [cut for cuts in corpus.manifests.values() for cut in cuts]
