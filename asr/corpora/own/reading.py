"""Utterances of a corpus of one's own as cuts: checked, with their phones, and divided into train, dev and test."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import shorten

from lhotse import MonoCut

from asr.audio import AudioInfo, audio_info
from asr.config import CorpusConfig
from asr.corpora.corpus import NO_SPEAKERS, SKIP, CorpusCuts
from asr.corpora.cuts import WORDS, has_phones, utterance_cut
from asr.corpora.manifests.splitting import divide
from asr.corpora.own.long_utterances import LongUtterances
from asr.corpora.own.turns import WHOLE
from asr.corpora.own.utterance import Found, Segment, Utterance
from asr.corpora.pronounced import pronounce, what_is_missing
from asr.corpora.recorded import recorded
from asr.errors import InputError, count, listed
from asr.phones.ipa import look_alikes
from asr.phones.labels import Labels, are_phones, words_among
from asr.phones.lexicon import phones_of_lexicons
from asr.phones.phone_set import PhoneSet
from asr.progress import track
from asr.storage.files import can_name_output
from asr.storage.run_layout import SPLITS

log = logging.getLogger(__name__)

OVERSHOOT = 0.02
"""Seconds by which labels, or a part of a file, may pass the end of the audio, where they are cut off."""

Timed = list[tuple[str, float, float]]


@dataclass
class _Read:
    """The cuts by utterance, the splits that the corpus gives for them, and what was left out (as in SUMMARY)."""

    cuts: dict[str, MonoCut] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    skipped: list[dict[str, str]] = field(default_factory=list)
    without_speaker: int = 0
    channels: int = 0
    """Utterances of one of several channels."""
    long: LongUtterances = field(default_factory=LongUtterances)


def read_own(config: CorpusConfig, root: Path, found: Found) -> CorpusCuts:
    """The cuts of train, dev and test, sorted by utterance, and the phone set of their transcripts.

    Raises InputError at the first broken utterance, or, with `skip_bad`, lists it and goes on; and as `divide` does.
    """
    labels = Labels(config.phone_set, config.broad_ipa)
    read = _read_all(config, root, found, labels)
    read.long.log(root)
    missing = []
    if read.without_speaker:
        utterances, what = count(read.without_speaker, "utterance"), "channel of an audio" if read.channels else "audio"
        missing.append(f"{NO_SPEAKERS} {utterances}: each {what} file counts as a speaker")
    ordered = [read.cuts[name] for name in sorted(read.cuts)]
    if config.phone_set is None and labels.phone_set is not None:
        _require_phones(ordered, root)
        _warn_of_words(labels.phone_set, root)
        _warn_of_look_alikes(labels.phone_set, root)
    elif config.phone_set is None:
        config = _in_phones_of_lexicons(config)
    _warn_of_phones([cut.supervisions[0].text or "" for cut in ordered if not has_phones(cut)], config, root)
    covered, words = pronounce(ordered, config, read.skipped)  # first, so that dev and test are drawn from what is used
    manifests: dict[str, list[MonoCut]] = {name: [] for name in SPLITS}
    if covered:
        try:
            manifests = divide(covered, read.splits, config.split, root, read.skipped if config.skip_bad else None)
        except InputError as error:
            if not words.missing:
                raise
            raise InputError(f"{error}; {what_is_missing(words)}") from error
    known = not read.without_speaker
    return CorpusCuts(root, manifests, read.skipped, missing, labels.phone_set or config.phone_set, known, words)


def _read_all(config: CorpusConfig, root: Path, found: Found, labels: Labels) -> _Read:
    """Raises InputError as `read_own`, and where none can be read."""
    read = _Read()
    for name, read_utterance in track(found, "prepare"):
        try:
            _add(read_utterance(), read, config, root, labels)
        except InputError as error:
            if not config.skip_bad:
                raise InputError(f"{error}; {SKIP} leaves it out and goes on") from error
            read.skipped.append({"utterance": name, "reason": str(error)})
    if not read.cuts:
        first = "; the first: {reason}".format(**read.skipped[0]) if read.skipped else ""
        raise InputError(f"has no utterances that can be read{first}", root)
    return read


def _add(utterance: Utterance, read: _Read, config: CorpusConfig, root: Path, labels: Labels) -> None:
    if config.text == "phones" and not (utterance.phones or utterance.segments):
        utterance = replace(utterance, phones=utterance.text.split(), text="")
    cut = _cut(utterance, root, labels)
    cuts = [cut]
    if cut.duration > WHOLE:
        cuts = [_cut(part, root, labels) for part in read.long.parts(utterance, cut.duration, labels.is_spoken)]
    for cut in cuts:
        if cut.id in read.cuts:
            known = read.cuts[cut.id].recording.sources[0].source
            message = f"utterance {cut.id!r} is already that of {known}; remove or rename one"
            raise InputError(message, utterance.where, utterance.line)
    for cut in cuts:
        read.cuts[cut.id] = cut
        read.without_speaker += utterance.speaker is None
        read.channels += recorded(cut).channel is not None
        if utterance.split is not None:
            read.splits[cut.id] = utterance.split


def _in_phones_of_lexicons(config: CorpusConfig) -> CorpusConfig:
    """The settings of a corpus of words with the phone set of its lexicons, if these are in phones of their own."""
    if (phone_set := phones_of_lexicons(config.lexicon, config.broad_ipa)) is None:
        return config
    lexicons = listed(config.lexicon)
    log.info("%s: the phone set is that of the lexicon, %s", lexicons, count(len(phone_set), "phone"))
    _warn_of_look_alikes(phone_set, lexicons)
    return config.model_copy(update={"phone_set": phone_set})


def _require_phones(cuts: Sequence[MonoCut], root: Path) -> None:
    """Raises InputError for one that has only words, where a set is made from the phones of the others."""
    if cut := next((cut for cut in cuts if not has_phones(cut)), None):
        raise InputError(
            f"utterance {cut.id} has words and no phones, and others have phones; add them, or give the set of all "
            "with --phone-set (corpus.phone_set)",
            root,
        )


def _warn_of_words(phone_set: PhoneSet, root: Path) -> None:
    """Logs where the phones that were found look like words, each of which is a phone then."""
    if words := words_among(phone_set):
        log.warning(
            "%s: most of its %s look like words (%s); if they are, give them as words: without --text phones "
            "(corpus.text), in a column text, or in a tier words",
            root,
            count(len(phone_set), "phone"),
            listed(words),
        )


def _warn_of_look_alikes(phone_set: PhoneSet, source: Path | str) -> None:
    """Logs the phones that differ in characters and not in looks, each of which is a phone of its own."""
    if groups := look_alikes(phone_set):
        log.warning(
            "%s: phones that look alike are written with other characters (%s), and count as different; correct the "
            "labels, or join them with --broad-ipa (corpus.broad_ipa), which also leaves out diacritics",
            source,
            listed([" and ".join(group) for group in groups]),
        )


def _warn_of_phones(texts: Sequence[str], config: CorpusConfig, root: Path) -> None:
    """Logs where texts look like phones, which are looked up in the lexicon as words."""
    if are_phones(texts, config.transcribed_in):
        log.warning(
            "%s: most words of its texts look like phones (%s); if they are, say so with --text phones (corpus.text)",
            root,
            shorten(next(text for text in texts if text), 40, placeholder=" ..."),
        )


def _cut(utterance: Utterance, root: Path, labels: Labels) -> MonoCut:
    if not can_name_output(utterance.id) or len(utterance.id.split()) != 1 or utterance.id.startswith(";;"):
        raise InputError(
            f"utterance {utterance.id!r} cannot be the name of a file and of a line in CTM (no spaces); rename it",
            utterance.where,
            utterance.line,
        )
    try:
        info = audio_info(utterance.audio)
    except InputError as error:
        if utterance.where == utterance.audio:
            raise
        raise InputError(str(error), utterance.where, utterance.line) from error
    try:
        duration = _duration(utterance, info)
        channel = _channel(utterance, info)
        segments = _segments(utterance.segments, duration, labels)
        phones = labels.phones(utterance.phones)
        for _, *pronunciations in utterance.custom.get(WORDS, ()):
            labels.phones(" ".join(pronunciations).split())  # the set has the phones of all of them
    except InputError as error:
        raise InputError(str(error), utterance.where, utterance.line) from error
    if not (segments or phones or utterance.text):
        raise InputError("has neither phones nor words; add them", utterance.where, utterance.line)
    whole = not utterance.start and utterance.duration is None
    return utterance_cut(
        utterance.id,
        utterance.audio,
        info.sample_rate,
        info.samples,
        start=utterance.start,
        duration=None if whole else duration,
        speaker=utterance.speaker or _file_name(utterance.audio, channel, root),
        gender=utterance.gender,
        language=utterance.language,
        text=utterance.text,
        phones=segments,
        words=[(word, start, min(end, duration)) for start, end, word in utterance.words if word],
        untimed_phones=phones,
        custom=dict(utterance.custom),
        channel=channel or 0,
        channels=1 if channel is None else info.channels,
    )


def _duration(utterance: Utterance, info: AudioInfo) -> float:
    """The seconds of an utterance. Raises InputError where it is not in the file."""
    length = info.samples / info.sample_rate
    end = length if utterance.duration is None else utterance.start + utterance.duration
    if not 0 <= utterance.start < min(end, length) or end > length + OVERSHOOT:
        raise InputError(
            f"the utterance is from {utterance.start:g} to {end:g} s, but {utterance.audio.name} has {length:g} s; "
            "correct the times"
        )
    return min(end, length) - utterance.start


def _channel(utterance: Utterance, info: AudioInfo) -> int | None:
    """The channel of an utterance; None where the file has no other, and where it is the mean of all.

    Raises InputError where the file does not have it.
    """
    if utterance.channel is not None and utterance.channel >= info.channels:
        raise InputError(
            f"channel {utterance.channel} (from 0), but {utterance.audio.name} has "
            f"{count(info.channels, 'channel')}; correct the channel, or name the file that has it"
        )
    return None if info.channels == 1 else utterance.channel


def _segments(segments: Sequence[Segment], duration: float, labels: Labels) -> Timed:
    """The phones with times of labels, within the audio. Raises InputError where they do not fit it."""
    timed: Timed = []
    reached = 0.0
    for start, end, label in segments:
        if label and (start < reached - OVERSHOOT or end <= start or end > duration + OVERSHOOT):
            raise InputError(
                f"the label {label!r} from {start:g} to {end:g} s overlaps the one before it, is empty, or passes the "
                f"end of the audio ({duration:g} s); correct its times"
            )
        begin, end = max(start, reached), min(end, duration)
        if end <= begin:
            continue
        try:
            phone = labels.phone(label)
        except InputError as error:
            raise InputError(f"the label from {start:g} to {end:g} s: {error}") from error
        if phone is not None:
            timed.append((phone, begin, end))
            reached = end
    if segments and not any(label for _, _, label in segments):
        raise InputError("its phones are all empty labels; label it, or leave it out")
    return timed


def _file_name(audio: Path, channel: int | None, root: Path) -> str:
    """The speaker of a file without one: its path below the corpus's folder, without the suffix, and the channel."""
    inside = audio.relative_to(root) if audio.is_relative_to(root) else audio
    name = str(inside.with_suffix(""))
    return name if channel is None else f"{name}-channel{channel}"
