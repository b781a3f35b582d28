"""Several prepared corpora as one, in one phone set, with weights in training; each utterance keeps its corpus."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lhotse import MonoCut

from asr.config import SplitConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import CORPUS, Convert, with_converted
from asr.corpora.file_names import without_spaces
from asr.corpora.manifests.prepared import read_prepared
from asr.corpora.manifests.splitting import copy_name, divide
from asr.corpora.prepare import PrepareSummary, write_prepared
from asr.errors import InputError
from asr.formats.transcript import Transcript
from asr.phones.conversion import conversion
from asr.phones.folding import folds_to
from asr.phones.labels import Labels
from asr.phones.phone_set import PhoneSet, load_phone_set, make_phone_set

MOST = 100.0
"""The largest weight."""


def read_weights(given: Sequence[str], folders: Sequence[Path]) -> dict[str, float]:
    """The weight of each folder by its name, of options such as `mine=2`; 1 where there is none.

    Raises InputError for another form, a folder that is not among them, and two of one name.
    """
    names = [_corpus_name(folder) for folder in folders]
    if len(set(names)) < len(names):
        raise InputError("two of the folders have the same name, which names their corpus; rename one")
    weights = dict.fromkeys(names, 1.0)
    for option in given:
        given_name, _, number = option.rpartition("=")
        name = _corpus_name(Path(given_name))
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if name not in weights or not 0 < weight <= MOST:
            raise InputError(f"--weight {option}: use FOLDER=NUMBER, with one of {', '.join(names)}, up to {MOST:g}")
        weights[name] = weight
    return weights


def merge_prepared(
    folders: Sequence[Path],
    weights: Mapping[str, float],
    phone_set: str | None,
    seed: int,
    skip_bad: bool,
    out_dir: Path,
) -> PrepareSummary:
    """Joins the train, dev and test of prepared folders, and writes them to `out_dir` as `prepare` does.

    Each utterance and speaker has the name of its corpus, the folder's (`_` for spaces), before its own.
    Raises InputError where the corpora have different phone sets and none is given, and where an audio file is on two
    sides (with `skip_bad`, its utterances on the less valuable one are left out).
    """
    corpora = {_corpus_name(folder): read_prepared(folder) for folder in folders}
    target = load_phone_set(phone_set) if phone_set else _common(corpora)
    cuts: list[MonoCut] = []
    splits: dict[str, str] = {}
    for name, corpus in corpora.items():
        convert = _conversion(corpus, target)
        for split, members in corpus.manifests.items():
            for cut in members:
                try:
                    cuts.append(_from_corpus(with_converted(cut, convert), name))
                except InputError as error:
                    raise InputError(f"utterance {cut.id}: {error}", corpus.root) from error
                splits[cuts[-1].id] = split
    cuts.sort(key=lambda cut: cut.id)
    skipped: list[dict[str, str]] = []
    # Speakers of two corpora are never the same, and those of one were divided when it was prepared.
    manifests = divide(cuts, splits, SplitConfig(by="recording"), out_dir, skipped if skip_bad else None)
    manifests["train"] = _weighted(manifests["train"], weights, seed)
    missing = [f"{name}: {line}" for name, corpus in corpora.items() for line in corpus.missing]
    known = all(corpus.speakers_known for corpus in corpora.values())
    return write_prepared(out_dir, "lhotse", CorpusCuts(out_dir, manifests, skipped, missing, target, known))


def _corpus_name(folder: Path) -> str:
    return without_spaces(folder.resolve().name)


def _common(corpora: Mapping[str, CorpusCuts]) -> PhoneSet:
    """The set of all corpora, or all symbols of sets that were made from labels."""
    sets = {name: corpus.phone_set for name, corpus in corpora.items()}
    known = [each for each in sets.values() if each is not None]
    if len({(each.name, each.phones) for each in known}) == 1:
        return known[0]
    if not known or len({each.name for each in known}) > 1 or known[0].ships:
        named = ", ".join(f"{name}: {each}" for name, each in sets.items())
        raise InputError(f"the corpora have different phone sets ({named}); give one that all fold to with --phone-set")
    phones = {phone.symbol: phone for each in known for phone in each.phones}
    return make_phone_set(known[0].name, phones.values(), {})


def _conversion(corpus: CorpusCuts, target: PhoneSet) -> Convert:
    """How phones of a corpus are written in the target set; raises InputError for one that has no place there."""
    source = corpus.phone_set
    if source is not None and source.name != target.name and folds_to(source, target):
        folded = conversion(target, source)
        assert folded is not None
        return lambda phones: folded(Transcript("", list(phones))).phones
    labels = Labels(target)
    return lambda phones: [replace(each, phone=found) for each in phones if (found := labels.phone(each.phone))]


def _from_corpus(cut: MonoCut, corpus: str) -> MonoCut:
    """The cut with its corpus: the given one, unless it was merged before."""
    (supervision,) = cut.supervisions
    custom = {CORPUS: corpus, **(supervision.custom or {})}
    supervision = replace(supervision, speaker=f"{corpus}/{supervision.speaker}", custom=custom)
    return _renamed(replace(cut, supervisions=[supervision]), f"{corpus}/{cut.id}")


def _renamed(cut: MonoCut, name: str) -> MonoCut:
    (supervision,) = cut.supervisions
    supervision = replace(supervision, id=name, recording_id=name)
    return replace(cut, id=name, supervisions=[supervision], recording=replace(cut.recording, id=name))


def _weighted(cuts: Sequence[MonoCut], weights: Mapping[str, float], seed: int) -> list[MonoCut]:
    """Cuts as often as their corpora's weights say; of a fraction, a random part. Names of copies have numbers."""
    draws = random.Random(seed)
    weighted = []
    for cut in cuts:
        weight = weights[cut.id.partition("/")[0]]
        times = int(weight) + (draws.random() < weight % 1)
        weighted += [_renamed(cut, copy_name(cut.id, number)) if number > 1 else cut for number in range(1, times + 1)]
    return weighted
