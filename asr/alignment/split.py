"""Aligning a split of a corpus from its feature archive: to measure accuracy, and for new labels to train on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import torch
from lhotse import MonoCut

from asr.alignment.aligner import AligningModel, LogPosteriors
from asr.alignment.forced_alignment import Indices
from asr.alignment.spoken import Spoken, spoken_phones, spoken_word_phones
from asr.bundle import Bundle
from asr.config import PhoneSetName
from asr.corpora.cuts import WORDS, phone_sequence, read_cuts, word_phones
from asr.errors import InputError
from asr.features.archive import Archive
from asr.features.normalize import model_input, split_cmvn
from asr.phones.phone_set import load_phone_set
from asr.progress import track
from asr.transcript import PhoneSegment


@dataclass(frozen=True)
class StateSegment:
    """A class of the acoustic model with its times in seconds."""

    label: int
    start: float
    end: float


@dataclass(frozen=True)
class Realigned:
    """An utterance as a model aligns it: its phones, its HMM states, and the class of each output frame ([T'])."""

    utterance: str
    phones: list[PhoneSegment]
    states: list[StateSegment]
    classes: Indices


def scored_split(
    model: AligningModel, prepare_dir: Path, features_dir: Path, split: str
) -> Iterator[tuple[MonoCut, LogPosteriors]]:
    """The utterances of a split with their log posteriors [T', C], one at a time, in the manifest's order.

    Raises InputError for an archive that is missing, or of other features than the model's.
    """
    config = model.bundle.config.features
    archive = Archive(features_dir / split, config.static_dim)
    cmvn = split_cmvn(features_dir, split, config)
    numbers = {utterance: number for number, utterance in enumerate(archive.utterances)}
    for cut in track(read_cuts(prepare_dir / f"{split}.cuts.jsonl.gz"), f"aligning {split}", len(archive)):
        if (number := numbers.get(cut.id)) is not None:  # else left out by `corpus.skip_bad`
            features = model_input(archive[number], archive.speakers[number], cmvn, config)
            yield cut, model.scorer.log_posteriors(features)


def spoken_in(cut: MonoCut, phone_set: PhoneSetName) -> Spoken:
    """What a cut says, in a model's phones; where its words are known and its times are not, with optional silences."""
    if (cut.supervisions[0].custom or {}).get(WORDS):
        return spoken_word_phones(word_phones(cut), phone_set)
    return spoken_phones(phone_sequence(cut), phone_set)


def realigned(
    bundle: Bundle, prepare_dir: Path, features_dir: Path, split: str, device: torch.device | str = "cpu"
) -> Iterator[Realigned]:
    """Aligns the transcripts of a split with a trained model, for labels to train the next model on.

    Utterances that cannot be aligned raise InputError that names them. Memory: one utterance.
    """
    model = AligningModel(bundle, device)
    symbols = load_phone_set(model.phone_set)
    for cut, posteriors in scored_split(model, prepare_dir, features_dir, split):
        try:
            aligned = model.align(posteriors, spoken_in(cut, model.phone_set))
        except InputError as error:
            raise InputError(f"utterance {cut.id}: {error}") from error
        times = model.boundaries(aligned, cut.duration)[0].tolist()
        phones = [
            PhoneSegment(symbols[phone], start, end)
            for phone, start, end in zip(aligned.phones.tolist(), times[:-1], times[1:], strict=True)
        ]
        yield Realigned(cut.id, phones, _state_segments(model, aligned.classes), aligned.classes)


def _state_segments(model: AligningModel, classes: Indices) -> list[StateSegment]:
    """The runs of one class; two phones that are equal and follow each other are one where a phone has one state."""
    segments, first, times = [], 0, model.times
    for label, run in groupby(classes.tolist()):
        end = first + len(list(run))
        segments.append(StateSegment(label, times.offset + first * times.shift, times.offset + end * times.shift))
        first = end
    return segments
