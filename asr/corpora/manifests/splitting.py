"""Divides cuts into train, dev and test: no speaker on two sides, and no recording, under whatever name.

All channels of a recording are on one side, although their audio differs. The two speakers of a telephone call share
its topic and words, answer each other, and are heard in each other's channel (echo, crosstalk); the microphones of a
room hear the same speech. A model that was trained on one channel would know something of another that tests it. So
the field divides Switchboard and Fisher by conversation.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lhotse import MonoCut

from asr.config import SplitConfig
from asr.corpora.corpus import SKIP
from asr.corpora.manifests.same_audio import contents, sounds
from asr.corpora.recorded import recorded
from asr.errors import InputError, count
from asr.storage.run_layout import SPLITS

Group = list[MonoCut]
"""Cuts that must stay together."""

_BY_VALUE = ("test", "dev", "train")
"""Where a speaker is on two sides, the utterances of the first of these stay."""


def divide(
    cuts: Sequence[MonoCut],
    splits: Mapping[str, str],
    config: SplitConfig,
    root: Path,
    skipped: list[dict[str, str]] | None = None,
) -> dict[str, list[MonoCut]]:
    """The cuts of train, dev and test, in their order. `splits` are those that the corpus gives, by utterance.

    Where the corpus gives no test or no dev set, it is drawn from what the corpus puts into train or nowhere. Copies
    that a weight made (`copies`) are where their originals are, and only in train.
    Raises InputError where a speaker, or the content of an audio file or of a channel of it, is on two sides (with
    `skipped`, lists there the utterances on the less valuable one and leaves them out), and where there are too few
    speakers.
    """
    sides: dict[str, str] = {}
    pool: list[Group] = []
    originals = copies(cuts)
    for group in groups((cut for cut in cuts if cut.id not in originals), config.by):
        given = {splits[cut.id] for cut in group if cut.id in splits}
        if len(given) > 1:
            side = _resolve(group, splits, root, skipped)
            group, given = [cut for cut in group if splits.get(cut.id, side) == side], {side}
        if given <= {"train"}:
            pool.append(group)
        else:
            sides.update(dict.fromkeys((cut.id for cut in group), *given))
    sides |= _drawn(pool, [name for name in ("test", "dev") if name not in splits.values()], config, root)
    for copy, original in originals.items():
        if sides.get(original) == "train":
            sides[copy] = "train"
    return {name: [cut for cut in cuts if sides.get(cut.id) == name] for name in SPLITS}


def copy_name(utterance: str, number: int) -> str:
    """The name of a copy of an utterance, numbered from 2."""
    return f"{utterance}#{number}"


def copies(cuts: Sequence[MonoCut]) -> dict[str, str]:
    """The copies among cuts, by their names, each with the name of the cut of which it is the same part of the same
    file and channel."""
    parts = {cut.id: recorded(cut) for cut in cuts}
    found = {name: name.rpartition("#")[0] for name in parts if name.rpartition("#")[2].isdecimal()}
    return {name: original for name, original in found.items() if parts.get(original) == parts[name]}


def groups(cuts: Iterable[MonoCut], by: str = "speaker") -> list[Group]:
    """Cuts that are linked by a speaker (unless `by` is recording), or by the content of their file or of any of its
    channels, each once."""
    cuts = list(cuts)
    content = contents(cut.recording for cut in cuts)
    parents = list(range(len(cuts)))

    def root_of(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, cut in enumerate(cuts):
        keys = [("audio", content[sound]) for sound in sounds(cut.recording)]
        if by == "speaker":
            keys.append(("speaker", cut.supervisions[0].speaker))
        for key in keys:
            parents[root_of(place)] = root_of(first.setdefault(key, place))
    found: dict[int, Group] = defaultdict(list)
    for place, cut in enumerate(cuts):
        found[root_of(place)].append(cut)
    return list(found.values())


def _resolve(group: Group, splits: Mapping[str, str], root: Path, skipped: list[dict[str, str]] | None) -> str:
    """The side on which a group stays that the corpus puts on several."""
    side = next(name for name in _BY_VALUE if any(splits.get(cut.id) == name for cut in group))
    there = next(cut for cut in group if splits.get(cut.id) == side)
    for cut in group:
        if (other := splits.get(cut.id, side)) == side:
            continue
        shared = _shared(cut, there)
        reason = f"utterance {cut.id} in {other} has the same {shared} as {there.id} in {side}"
        if skipped is None:
            raise InputError(f"{reason}; move one, or {SKIP} leaves it out", root)
        skipped.append({"utterance": cut.id, "reason": reason})
    return side


def _shared(cut: MonoCut, other: MonoCut) -> str:
    """What two cuts of a group have in common, or what links them."""
    if cut.supervisions[0].speaker == other.supervisions[0].speaker:
        return "speaker"
    one, two = recorded(cut), recorded(other)
    return "recording" if one.path == two.path and one.channel != two.channel else "audio"


def _drawn(pool: list[Group], wanted: Sequence[str], config: SplitConfig, root: Path) -> dict[str, str]:
    """The side of each cut of the pool: one of `wanted`, or train.

    Groups come in random order; each goes to the first side that it brings nearer to its amount. A side without any
    gets the smallest group that is left.
    """
    if not wanted:
        return {cut.id: "train" for group in pool for cut in group}
    if not pool:
        raise InputError("no utterances are left for train: all are those of dev or test; give some to train", root)
    if len(pool) <= len(wanted):
        outside = "".join(f" outside {name}" for name in ("dev", "test") if name not in wanted)
        less = f"{outside}, too few for train and {' and '.join(wanted)}"
        if config.by == "recording":
            raise InputError(f"has {count(len(pool), 'recording')}{less}; add some", root)
        raise InputError(
            f"has {count(len(pool), 'group')} of utterances that share a speaker or audio{less}; add speakers, or "
            "set corpus.split.by: recording (--split-by recording)",
            root,
        )
    order = sorted(pool, key=lambda group: min(cut.id for cut in group))
    random.Random(config.seed).shuffle(order)
    seconds = [sum(cut.duration for cut in group) for group in order]
    left = {name: config.seconds(getattr(config, name), sum(seconds)) for name in wanted}
    if sum(left.values()) >= sum(seconds):
        raise InputError(
            f"has {sum(seconds) / 60:.1f} min to divide; {' and '.join(wanted)} would take them all; draw less", root
        )
    sides: dict[int, str] = {}
    for name in wanted:
        for number, length in enumerate(seconds):
            nearer = abs(left[name] - length) < left[name]
            if number not in sides and nearer and len(sides) + len(wanted) < len(order):
                sides[number] = name
                left[name] -= length
    for name in wanted:
        if name not in sides.values():
            sides[min((n for n in range(len(order)) if n not in sides), key=seconds.__getitem__)] = name
    return {cut.id: sides.get(number, "train") for number, group in enumerate(order) for cut in group}
