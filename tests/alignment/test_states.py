"""Frame labels follow from the times of states, at any speed, and alignments come back from their file as they were."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.alignment.states import StateAlignment, read_aligned_split, write_alignments
from asr.config import FeaturesConfig, TargetsConfig
from asr.errors import InputError
from asr.phones.classes import UNLABELLED
from asr.phones.phone_set import load_phone_set
from asr.training.data.targets import state_labels

SHIFT = 0.01
PHONES = load_phone_set("timit48")


@st.composite
def alignments(draw: st.DrawFn, states: int) -> StateAlignment:
    phones = draw(st.lists(st.sampled_from(PHONES), min_size=1, max_size=8))
    lengths = draw(st.lists(st.integers(0, 3000), min_size=len(phones) * states, max_size=len(phones) * states))
    return StateAlignment(phones, np.cumsum([0, *lengths]) / 16000)


cases = st.sampled_from([1, 3]).flatmap(lambda states: st.tuples(alignments(states), st.just(states)))


@given(cases, st.integers(0, 250), st.booleans(), st.sampled_from([0.5, 0.9, 1.0, 1.1, 2.0]))
def test_a_frame_has_the_state_at_its_centre(
    case: tuple[StateAlignment, int], frames: int, snip_edges: bool, speed: float
) -> None:
    """At another speed, the centre of a frame stands for a moment of the speech as it was aligned."""
    aligned, states = case
    targets, features = TargetsConfig(phone_set="timit48", states=states), FeaturesConfig(snip_edges=snip_edges)
    labels = state_labels(aligned.phones, aligned.times / speed, frames, targets, features)
    classes = [PHONES.index(phone) * states + state for phone in aligned.phones for state in range(states)]
    for frame, label in enumerate(labels.tolist()):
        centre = (features.frame_offset + (frame + 0.5) * SHIFT) * speed
        at = [n for n, (start, end) in enumerate(pairwise(aligned.times)) if start - 1e-7 <= centre < end + 1e-7]
        if not at:  # after the last state, which reaches to the last frame
            at = [len(classes) - 1]
        assert label in {classes[number] for number in at}
    assert len(labels) == frames


def test_without_phones_no_frame_is_labelled() -> None:
    assert state_labels([], np.zeros(0), 4, TargetsConfig(), FeaturesConfig()).tolist() == [UNLABELLED] * 4


@given(st.lists(cases, max_size=4))
def test_alignments_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, written: list) -> None:
    path = tmp_path_factory.mktemp("alignments") / "train.jsonl"
    rows = [(f"u{number}", aligned, None) for number, (aligned, _) in enumerate(written)]
    kept = StateAlignment(["aa"], np.array([0.0, 0.25]))
    failed = [("kept", kept, "too short"), ("bare", None, "too short"), ("silent", StateAlignment(), "too short")]
    write_alignments(path, "a model", [*rows, *failed])
    split = read_aligned_split(path)
    assert split.source == "a model"
    assert split.failed == dict.fromkeys(["kept", "bare", "silent"], "too short")
    expected = {name: aligned for name, aligned, _ in [*rows, *failed] if aligned is not None}
    assert split.alignments.keys() == expected.keys()
    for name, aligned in expected.items():
        assert split.alignments[name].phones == aligned.phones
        assert split.alignments[name].times == pytest.approx(aligned.times if aligned.phones else [], abs=1e-6)


@pytest.mark.parametrize(
    "line",
    [
        '{"utterance": "u", "phones": [{"phone": "aa"}]}',
        '{"utterance": "u", "phones": [{"phone": "aa", "start": "nan", "end": 1}]}',
        '{"utterance": "u", "phones": [{"phone": "aa", "start": 0, "end": "inf"}]}',
        '{"phones": []}',
        "{",
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train.jsonl"
    write_alignments(path, "a model", [])
    with open(path, "a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"train\.jsonl:2"):
        read_aligned_split(path)


def test_one_phone_of_three_states_is_one_segment() -> None:
    aligned = StateAlignment(["aa"], np.array([0.0, 0.1, 0.2, 0.3]))
    assert aligned.states == 3
    assert [(segment.phone, segment.start, segment.end) for segment in aligned.segments] == [("aa", 0.0, 0.3)]
