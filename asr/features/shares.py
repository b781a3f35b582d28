"""Features divided among machines: each computes its share of a split, and process 0 joins the shares."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import torch

from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.archive import Archive, ArchiveWriter
from asr.features.extract import ExtractSummary, Found, computed, extract, not_skipped
from asr.processes.ranks import on_this_machine, rank
from asr.processes.share import Share, of_machine
from asr.processes.tasks import Others
from asr.storage.files import share_folder

ARCHIVE = "features"

SharedRows = list[tuple[str, int | str]]
"""Each utterance of a share, with its number of samples, or why it has none of use."""


def extract_by_all(
    cuts_path: Path,
    stem: Path,
    config: FeaturesConfig,
    device: torch.device | str,
    skip_bad: bool,
    others: Others,
) -> ExtractSummary:
    """As `extract`, on all machines: the processes of one share its cores, so that one of them is enough."""
    wait = others()

    def further() -> Iterator[Found]:
        for number, rows in enumerate(wait(), 1):
            if rows is not None:
                yield from _read(share_folder(stem.parent, number) / ARCHIVE, rows)
                shutil.rmtree(share_folder(stem.parent, number))

    return extract(cuts_path, stem, config, device, skip_bad, further=further(), share=Share(0, others.machines))


def extract_share(
    cuts_path: Path, stem: Path, config: FeaturesConfig, device: torch.device | str, skip_bad: bool
) -> SharedRows | None:
    """In another process: writes the archive of this machine's share, if it is the machine's first process."""
    if rank() % on_this_machine():
        return None
    rows: SharedRows = []
    with (
        ArchiveWriter(share_folder(stem.parent, rank()) / ARCHIVE, config.static_dim) as archive,
        closing(computed(cuts_path, config, device, share=of_machine())) as found,
    ):
        for utterance, speaker, result in found:
            if isinstance(result, InputError):
                if not skip_bad:
                    raise not_skipped(result)
                rows.append((utterance, str(result)))
                continue
            samples, features = result
            archive.append(utterance, speaker, features)
            rows.append((utterance, samples))
    return rows


def _read(stem: Path, rows: Sequence[tuple[str, int | str]]) -> Iterator[Found]:
    archive = Archive(stem)
    number = 0
    for utterance, samples in rows:
        if isinstance(samples, str):
            yield Found(utterance, "", InputError(samples))
            continue
        yield Found(utterance, archive.speakers[number], (samples, archive[number]))
        number += 1
