"""speechocean762 (OpenSLR 101): read English of Mandarin speakers, adults and children; phones of words, no times.

The speakers of its test part are the test set. Dev is every tenth speaker of the train part, in the order of their
names, of each of four groups (girls, boys, women, men), so that it has of each what train has; train is the others.
Phones are the CMU dictionary's 39 without stress; silence is not transcribed.
"""

from collections.abc import Iterable
from pathlib import Path

from lhotse import MonoCut

from asr.audio import audio_info
from asr.config import CorpusConfig
from asr.corpora.corpus import SKIP, CorpusCuts
from asr.corpora.cuts import utterance_cut
from asr.corpora.kaldi_files import Entry
from asr.corpora.speechocean762_files import (
    PARTS,
    TEXT_PHONE,
    AudioFiles,
    Speaker,
    Tables,
    find_speechocean762,
    parse_word,
    read_spoken_words,
    read_tables,
)
from asr.errors import InputError
from asr.progress import track

ADULT = 16
"""Years from which a speaker counts as an adult. Nobody in the train part is 16 to 18 years old."""

HELD_OUT = 10
"""One of this many speakers in each group is a dev speaker."""

UTTERANCES = {"train": 2500, "test": 2500}
"""Utterances in the release."""


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """The cuts of train, dev and test, sorted by utterance.

    Raises InputError at the first broken utterance (with `skip_bad`, lists it and goes on instead), for a table that is
    missing or broken, and for a speaker in both parts.
    """
    root = find_speechocean762(folder)
    tables = {part: read_tables(root, part) for part in PARTS}
    _check_disjoint(tables["train"], tables["test"])
    words = read_spoken_words(root)
    audio = AudioFiles(root)
    held_out = dev_speakers(tables["train"].speakers.values())
    corpus = CorpusCuts(root, {"train": [], "dev": [], "test": []})
    for part in PARTS:
        utterances = tables[part].utterances
        if len(utterances) < UTTERANCES[part]:
            corpus.missing.append(f"{part} has {len(utterances)} of the release's {UTTERANCES[part]} utterances")
        for utterance in track(utterances, f"prepare {part}", len(utterances)):
            try:
                cut = _read_utterance(utterance, tables[part], words.get(utterance, {}), audio)
            except InputError as error:
                if not config.skip_bad:
                    raise InputError(f"{error}; {SKIP} leaves it out and goes on") from error
                corpus.skipped.append({"utterance": utterance, "reason": str(error)})
            else:
                dev = part == "train" and cut.supervisions[0].speaker in held_out
                corpus.manifests["dev" if dev else part].append(cut)
    return corpus


def dev_speakers(speakers: Iterable[Speaker]) -> set[str]:
    """The ids of the train part's speakers that are held out as dev: every tenth of each group."""
    groups: dict[tuple[bool, str], list[str]] = {}
    for speaker in speakers:
        groups.setdefault((speaker.age >= ADULT, speaker.gender), []).append(speaker.id)
    return {speaker for group in groups.values() for speaker in sorted(group)[HELD_OUT - 1 :: HELD_OUT]}


def _check_disjoint(train: Tables, test: Tables) -> None:
    """Raises InputError where a speaker or an utterance is in both parts."""
    for name, entry in test.speaker_of.items():
        for kind, where, value in (
            ("speaker", train.speakers.keys(), entry.value),
            ("utterance", train.speaker_of.keys(), name),
        ):
            if value in where:
                raise InputError(
                    f"{kind} {value} is in train and in test; remove it from one", test.folder / "utt2spk", entry.line
                )


def _read_utterance(utterance: str, tables: Tables, words: dict[int, Entry], audio: AudioFiles) -> MonoCut:
    for name, table in (("wav.scp", tables.audio), ("text", tables.text), ("utt2spk", tables.speaker_of)):
        if utterance not in table:
            raise InputError(
                f"utterance {utterance} is missing here, but in other tables; copy it again", tables.folder / name
            )
    path = _audio(tables.audio[utterance], tables.folder / "wav.scp", audio)
    spoken = _spoken(utterance, tables.text[utterance], tables.folder / "text", words, audio.root / TEXT_PHONE)
    speaker = tables.speakers[tables.speaker_of[utterance].value]
    info = audio_info(path)
    return utterance_cut(
        utterance,
        path,
        info.sample_rate,
        info.samples,
        speaker=speaker.id,
        gender=speaker.gender,
        text=tables.text[utterance].value,
        untimed_words=spoken,
        custom={"age": str(speaker.age)},
    )


def _audio(entry: Entry, table: Path, audio: AudioFiles) -> Path:
    try:
        return audio.find(entry.value)
    except InputError as error:
        raise InputError(str(error), table, entry.line) from error


def _spoken(
    utterance: str, text: Entry, text_path: Path, words: dict[int, Entry], phones_path: Path
) -> list[tuple[str, tuple[str, ...]]]:
    """The words of an utterance, in lower case, each with its phones."""
    names = text.value.lower().split()
    if sorted(words) != list(range(len(names))):
        raise InputError(
            f"utterance {utterance} has {len(names)} words, but {phones_path} has phones of {len(words)}, "
            "which must be numbered from 0; copy both files again",
            text_path,
            text.line,
        )
    spoken = []
    for number, name in enumerate(names):
        try:
            spoken.append((name, parse_word(words[number].value)))
        except ValueError as error:
            raise InputError(f"{error}; copy the file again", phones_path, words[number].line) from error
    return spoken
