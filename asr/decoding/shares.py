"""Decoding divided among processes: each scores, or decodes, its share of a split, and process 0 joins the shares."""

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asr.acoustics.bundle import Bundle
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.scored_split import scored_split
from asr.acoustics.scorer import AcousticScorer
from asr.acoustics.tables import Tuning
from asr.config import DecodingConfig
from asr.corpora.cuts import reference
from asr.decoding.alternatives import SYMBOLS, alternatives_files
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.decode import Decoder, SplitSummary, decode_split
from asr.device import describe_device
from asr.errors import listed
from asr.features.dataset import Dataset
from asr.formats.transcript import Transcript
from asr.processes.ranks import on_this_machine, rank, world_size
from asr.processes.share import WHOLE, Share
from asr.processes.tasks import Others, Task
from asr.storage.files import complete_file, make_folder, share_folder
from asr.threads import side_by_side

log = logging.getLogger(__name__)

Scored = tuple[Transcript, LogPosteriors]
"""A reference and the log posteriors of its utterance."""

POSTERIORS = "posteriors.npz"


@dataclass(frozen=True)
class Work:
    """A model, with its language model, and the speech that it decodes; shares are exchanged in `out_dir`."""

    bundle: Bundle
    dataset: Dataset
    out_dir: Path
    device: torch.device

    def scored(self, split: str, share: Share) -> Iterator[Scored]:
        """A share of a split."""
        scorer = AcousticScorer(self.bundle, self.device)
        return ((reference(cut), scored) for cut, scored in scored_split(scorer, self.dataset, split, share=share))


@dataclass
class _Timed:
    """Passes scored utterances on and counts the seconds of their audio, and those in which it waits for their scores;
    on a CPU, threads score a few of them ahead."""

    items: Iterable[Scored]
    audio: float = 0.0
    scoring: float = 0.0

    def __iter__(self) -> Iterator[Scored]:
        started = time.perf_counter()
        for item in self.items:
            self.scoring += time.perf_counter() - started
            self.audio += item[0].duration or 0.0
            yield item
            started = time.perf_counter()


@dataclass(frozen=True)
class _Decoded:
    """How the decoding of a share went, in seconds."""

    summary: SplitSummary
    audio: float
    scoring: float
    search: float


def scored_by_all(work: Work, split: str, others: Others) -> list[Scored]:
    """All utterances of a split, in the manifest's order."""
    wait = others(step="score", split=split)
    found = _all_scored(work, split, Share(0, others.count + 1))
    wait()
    if not others.count:
        return found
    cuts = work.dataset.split(split, work.bundle.config.features).cuts()
    posteriors = [scored for _, scored in found]
    for number in range(1, others.count + 1):
        folder = share_folder(work.out_dir, number)
        with np.load(folder / POSTERIORS, allow_pickle=False) as arrays:
            posteriors += [arrays[f"arr_{place}"] for place in range(len(arrays.files))]
        shutil.rmtree(folder)
    return [(reference(cut), scored) for cut, scored in zip(cuts, posteriors, strict=True)]


def decoded_by_all(
    work: Work, split: str, decoder: Decoder, tuning: Tuning, out_dir: Path, others: Others
) -> dict[str, object]:
    """Writes the hypotheses of a split, and whatever else the recipe asks for; returns how long they took."""
    wait = others(step="decode", split=split, tuning=asdict(tuning))
    processes = others.count + 1
    if processes == 1:
        shares = [_decode(work, split, decoder, out_dir, WHOLE)]
    else:
        own = _decode(work, split, decoder, share_folder(work.out_dir, 0), Share(0, processes))
        shares = [own, *map(_read, wait())]
        _join(work, out_dir, processes)
    names = [name for each in shares for name in each.summary.incomplete]
    warn_of_incomplete(split, SplitSummary(sum(each.summary.utterances for each in shares), names))
    speed = {
        "audio": sum(each.audio for each in shares),
        "acoustic_model": max(each.scoring for each in shares),
        "search": max(each.search for each in shares),
    }
    device = describe_device(work.device)
    rounded = {name: round(value, 3) for name, value in speed.items()}
    return {**rounded, "device": device if processes == 1 else f"{processes} x {device}"}


def do_share(work: Work, task: Task) -> object:
    """In another process: scores or decodes its share; the result is for process 0. Raises OutputError when the disk is
    full."""
    share, folder = Share(rank(), world_size()), share_folder(work.out_dir, rank())
    if task["step"] == "score":
        posteriors = [scored for _, scored in _all_scored(work, task["split"], share)]
        with complete_file(folder / POSTERIORS, "wb") as file:
            np.savez(file, *posteriors)
        return None
    decoder = bundle_decoder(work.bundle, Tuning(**task["tuning"]), work.device)
    return asdict(_decode(work, task["split"], decoder, folder, share))


def decode_files(items: Iterable[Scored], decoder: Decoder, out_dir: Path, config: DecodingConfig) -> SplitSummary:
    """Writes the hypotheses of utterances, and whatever else the recipe asks for."""
    make_folder(out_dir)
    with alternatives_files(out_dir, config, decoder) as write_alternatives:
        return decode_split(items, decoder, out_dir, write_alternatives)


def warn_of_incomplete(split: str, summary: SplitSummary) -> None:
    if names := summary.incomplete:
        log.warning(
            "%s: %d of %d utterances are too short for a whole path, or decoding.beam is too narrow; kept the best "
            "incomplete path of each: %s",
            *(split, len(names), summary.utterances, listed(names)),
        )


def _all_scored(work: Work, split: str, share: Share) -> list[Scored]:
    with _cores_of(share):
        return list(work.scored(split, share))


def _cores_of(share: Share) -> AbstractContextManager[None]:
    """Within it, work takes the part of this machine's cores that a share has."""
    return side_by_side(on_this_machine() if share.of > 1 else 1)


def _decode(work: Work, split: str, decoder: Decoder, out_dir: Path, share: Share) -> _Decoded:
    timed = _Timed(work.scored(split, share))
    started = time.perf_counter()
    with _cores_of(share):
        summary = decode_files(timed, decoder, out_dir, work.bundle.config.decoding)
    return _Decoded(summary, timed.audio, timed.scoring, time.perf_counter() - started - timed.scoring)


def _read(result: dict[str, Any]) -> _Decoded:
    return _Decoded(**{**result, "summary": SplitSummary(**result["summary"])})


def _join(work: Work, out_dir: Path, processes: int) -> None:
    """Writes the files of all shares, one after another, as those of the whole split."""
    folders = [share_folder(work.out_dir, number) for number in range(processes)]
    make_folder(out_dir)
    for path in sorted(folders[0].iterdir()):
        _concatenate([folder / path.name for folder in folders], out_dir / path.name)
    for folder in folders:
        shutil.rmtree(folder)


def _concatenate(parts: Sequence[Path], path: Path) -> None:
    with complete_file(path, "wb") as joined:
        for part in parts[:1] if path.name == SYMBOLS else parts:
            with open(part, "rb") as file:
                shutil.copyfileobj(file, joined)
