"""Reads TIMIT, its sample, and corpora in its layout (the demo) into Lhotse cuts, and checks every file."""

from collections.abc import Iterable
from pathlib import Path

from lhotse import MonoCut

from asr.audio import audio_info
from asr.config import CorpusConfig
from asr.corpora.corpus import SKIP, CorpusCuts
from asr.corpora.cuts import utterance_cut
from asr.corpora.timit_files import Speaker, TimitFolder, UtteranceFiles, find_timit, utterances
from asr.corpora.timit_labels import TIMIT_PHONES, read_phones, read_words
from asr.corpora.timit_splits import (
    SAMPLE_FOLDS,
    SENTENCES,
    Split,
    has_own_lists,
    own_split,
    published_split,
    sample_folds,
    speakers_of,
)
from asr.errors import InputError
from asr.formats.phn import SAMPLE_RATE, Label
from asr.formats.plain_text import read_sentence
from asr.progress import track
from asr.storage.run_layout import SPLITS, fold_name

_SHOWN = 5


def read_corpus(config: CorpusConfig, folder: Path) -> CorpusCuts:
    """The cuts of every split of every fold.

    Raises InputError at the first broken utterance or missing speaker, or, with `skip_bad`, lists them and goes on.
    """
    corpus = find_timit(folder)
    folds, missing = _folds(config, corpus)
    _refuse(missing, config, corpus)
    cuts, skipped, incomplete = _read(speakers_of(folds.values()), config.skip_bad)
    if config.folds == 1 and not has_own_lists(corpus.root):
        _refuse(incomplete, config, corpus)
        missing += incomplete
    manifests = {
        prefix + name: [cut for speaker in sorted(split[name], key=lambda each: each.id) for cut in cuts[speaker.id]]
        for prefix, split in folds.items()
        for name in SPLITS
    }
    return CorpusCuts(corpus.root, manifests, skipped, missing)


def read_utterance(files: UtteranceFiles) -> MonoCut:
    """Reads an utterance into a cut: phones in TIMIT's 61 symbols, and words and text if they are there.

    Raises InputError with the file, and the line if there is one, where audio or `.phn` is missing or broken.
    """
    if files.audio is None:
        raise InputError("there is no audio file next to it", files.phones)
    if files.phones is None:
        raise InputError("there is no .phn file next to it", files.audio)
    audio = audio_info(files.audio)
    label_samples = audio.samples * SAMPLE_RATE / audio.sample_rate
    phones = read_phones(files.phones, label_samples, TIMIT_PHONES)
    words = read_words(files.words, label_samples) if files.words else []
    text = read_sentence(files.text, lambda: audio) if files.text else " ".join(word.symbol for word in words)
    return utterance_cut(
        files.id,
        files.audio,
        audio.sample_rate,
        audio.samples,
        speaker=files.speaker.id,
        gender=files.speaker.gender,
        text=text,
        phones=_seconds(phones),
        words=_seconds(words),
        custom={"dialect": files.speaker.dialect},
    )


def _folds(config: CorpusConfig, corpus: TimitFolder) -> tuple[dict[str, Split], list[str]]:
    """The splits by the prefix of their files, and what is missing from a published split."""
    if config.folds == SAMPLE_FOLDS:
        return {f"{fold_name(number)}/": split for number, split in enumerate(sample_folds(corpus), 1)}, []
    if has_own_lists(corpus.root):
        return {"": own_split(corpus)}, []
    if corpus.flat:
        raise InputError(
            f"the TIMIT sample has no train, dev and test of its own; use --folds {SAMPLE_FOLDS} (corpus.folds)",
            corpus.root,
            page="timit.md",
        )
    split, missing = published_split(corpus)
    return {"": split}, missing


def _refuse(missing: list[str], config: CorpusConfig, corpus: TimitFolder) -> None:
    """Raises InputError where something is missing and the user has not asked to go on."""
    if missing and not config.skip_bad:
        shown = missing[:_SHOWN] + [f"and {len(missing) - _SHOWN} more"] * (len(missing) > _SHOWN)
        message = f"TIMIT is not complete: {'; '.join(shown)}; {SKIP} goes on with what is here"
        raise InputError(message, corpus.root, page="timit.md")


def _read(speakers: list[Speaker], skip_bad: bool) -> tuple[dict[str, list[MonoCut]], list[dict[str, str]], list[str]]:
    """The cuts of each speaker, the utterances that were left out, and the speakers with too few sentences."""
    cuts: dict[str, list[MonoCut]] = {}
    skipped = []
    incomplete = []
    for speaker in track(speakers, "prepare", len(speakers)):
        cuts[speaker.id] = []
        found = list(utterances(speaker))
        if len(found) != SENTENCES:
            incomplete.append(f"speaker {speaker.id} has {len(found)} of {SENTENCES} sentences")
        for files in found:
            try:
                cuts[speaker.id].append(read_utterance(files))
            except InputError as error:
                if not skip_bad:
                    raise InputError(f"{error}; {SKIP} leaves it out and goes on") from error
                skipped.append({"utterance": files.id, "reason": str(error)})
    return cuts, skipped, incomplete


def _seconds(labels: Iterable[Label]) -> list[tuple[str, float, float]]:
    return [(label.symbol, label.start / SAMPLE_RATE, label.end / SAMPLE_RATE) for label in labels]
