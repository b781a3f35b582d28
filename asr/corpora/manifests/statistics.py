"""Figures of prepared manifests: hours, speakers, phones, rates, levels, and what may be wrong with them."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lhotse import MonoCut

from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import CORPUS, phone_sequence
from asr.corpora.manifests.prepared import all_cuts, read_prepared
from asr.corpora.manifests.same_audio import contents
from asr.corpora.manifests.splitting import copies
from asr.corpora.recorded import recorded
from asr.errors import InputError
from asr.progress import track
from asr.threads import in_threads

SAMPLE_RATE = 16000
"""Hz at which audio is measured."""

FASTEST, SLOWEST = 25.0, 2.0
"""Phones a second of an utterance, silence counted; transcripts outside do not fit their audio, or hardly."""

_FIGURES = re.compile(r"-?\d[\d.,]*(?:e[-+]?\d+)?(?:\s*%)?")


@dataclass(frozen=True)
class Range:
    """The least, the median and the greatest of some figures."""

    least: float
    median: float
    greatest: float

    @staticmethod
    def of(values: Sequence[float]) -> "Range | None":
        """None where there are no figures."""
        return (
            Range(*(round(each, 3) for each in (min(values), statistics.median(values), max(values))))
            if values
            else None
        )


@dataclass(frozen=True)
class Part:
    """A split, or a corpus of several."""

    utterances: int
    speakers: int
    hours: float
    phones: int


@dataclass(frozen=True)
class Statistics:
    """Figures of a corpus; ranges are over utterances, or over speakers for `speaker_minutes`.

    `problems` are the utterances with each problem that the audio shows (`asr.audio.quality`); `bad_rates` are
    those with too many or too few phones for their length, `duplicates` names of those with the same audio, and
    `unreadable` those whose audio cannot be read, each with the reason.
    """

    splits: dict[str, Part]
    corpora: dict[str, Part]
    phones: dict[str, int]
    sample_rates: dict[str, int]
    seconds: Range | None
    speaker_minutes: Range | None
    phones_per_second: Range | None
    level: Range | None
    """dB of full scale."""
    problems: dict[str, list[str]]
    bad_rates: dict[str, float]
    duplicates: list[list[str]]
    unreadable: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def corpus_statistics(prepared: Path) -> Statistics:
    """Reads the manifests and all audio of a folder from asr prepare. Raises InputError as `read_prepared` does."""
    corpus = read_prepared(prepared)
    cuts = all_cuts(corpus)
    levels: list[float] = []
    problems: defaultdict[str, list[str]] = defaultdict(list)
    unreadable: dict[str, str] = {}
    measured = track(in_threads(_measured, cuts), "measure", len(cuts))
    for cut, (level, found, error) in zip(cuts, measured, strict=True):
        for problem in found:
            problems[problem].append(cut.id)
        if error is not None:
            unreadable[cut.id] = error
        elif level is not None:
            levels.append(level)
    rates = {cut.id: len(phone_sequence(cut)) / cut.duration for cut in cuts}
    speakers: defaultdict[str, float] = defaultdict(float)
    for cut in cuts:
        speakers[cut.supervisions[0].speaker] += cut.duration / 60
    return Statistics(
        splits={name: _part(members) for name, members in corpus.manifests.items()},
        corpora=_corpora(corpus),
        phones=dict(Counter(phone for cut in cuts for phone in phone_sequence(cut)).most_common()),
        sample_rates=dict(Counter(f"{cut.recording.sampling_rate} Hz" for cut in cuts).most_common()),
        seconds=Range.of([cut.duration for cut in cuts]),
        speaker_minutes=Range.of(list(speakers.values())),
        phones_per_second=Range.of(list(rates.values())),
        level=Range.of(levels),
        problems=dict(sorted(problems.items(), key=lambda each: -len(each[1]))),
        bad_rates={name: round(rate, 2) for name, rate in rates.items() if not SLOWEST <= rate <= FASTEST},
        duplicates=_duplicates(cuts, unreadable),
        unreadable=unreadable,
    )


def _measured(cut: MonoCut) -> tuple[float | None, list[str], str | None]:
    """The level of an utterance in dB (None: digital silence), its kinds of problems, and why it cannot be read."""
    warnings: list[str] = []
    try:
        samples = recorded(cut).samples(SAMPLE_RATE, warnings)
    except InputError as error:
        return None, [], str(error)
    power = float(np.dot(samples, samples)) / max(len(samples), 1)
    return 10 * np.log10(power) if power else None, [_FIGURES.sub("N", each) for each in warnings], None


def _part(cuts: Iterable[MonoCut]) -> Part:
    cuts = list(cuts)
    return Part(
        len(cuts),
        len({cut.supervisions[0].speaker for cut in cuts}),
        round(sum(cut.duration for cut in cuts) / 3600, 4),
        sum(len(phone_sequence(cut)) for cut in cuts),
    )


def _corpora(corpus: CorpusCuts) -> dict[str, Part]:
    """The parts from each corpus, where there are several."""
    found: defaultdict[str, list[MonoCut]] = defaultdict(list)
    for cut in all_cuts(corpus):
        if name := (cut.supervisions[0].custom or {}).get(CORPUS):
            found[name].append(cut)
    return {name: _part(found[name]) for name in sorted(found)}


def _duplicates(cuts: Sequence[MonoCut], unreadable: dict[str, str]) -> list[list[str]]:
    """The names of utterances that are the same part of the same audio (a channel's, where they have one), but for
    copies that a weight made."""
    expected = copies(cuts)
    readable = [cut for cut in cuts if cut.id not in unreadable and cut.id not in expected]
    content = contents(cut.recording for cut in readable)
    alike: defaultdict[tuple[str, float, float], list[str]] = defaultdict(list)
    for cut in readable:
        place = recorded(cut)
        alike[content[place.path, place.channel], cut.start, cut.duration].append(cut.id)
    return [names for names in alike.values() if len(names) > 1]
