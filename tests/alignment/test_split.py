"""Realignment: new labels of a split by a trained model."""

from pathlib import Path

import numpy as np
import pytest

from asr.alignment.split import realigned
from asr.bundle import read_bundle
from asr.corpora.cuts import phone_segments, read_cuts
from asr.phones.phone_set import fold_segments, load_phone_set


def test_every_utterance_of_a_split_gets_new_times_and_states(tiny_run: Path) -> None:
    bundle = read_bundle(tiny_run)
    found = {item.utterance: item for item in realigned(bundle, tiny_run / "prepare", tiny_run / "features", "train")}
    symbols = load_phone_set("timit39")
    cuts = list(read_cuts(tiny_run / "prepare" / "train.cuts.jsonl.gz"))
    assert set(found) == {cut.id for cut in cuts}
    for cut in cuts:
        item = found[cut.id]
        spoken = [segment.phone for segment in fold_segments(phone_segments(cut), "timit39")]
        assert [segment.phone for segment in item.phones] == spoken
        assert item.phones[-1].end == pytest.approx(cut.duration)
        # One state a phone: the frames' classes are the phones, in order.
        runs = item.classes[np.insert(np.diff(item.classes) != 0, 0, True)]
        assert [symbols[label] for label in runs] == [
            phone for number, phone in enumerate(spoken) if number == 0 or spoken[number - 1] != phone
        ]
        assert [segment.label for segment in item.states] == runs.tolist()
        assert item.states[-1].end - item.states[0].start == pytest.approx(0.01 * len(item.classes))
