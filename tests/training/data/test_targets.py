"""Frame labels agree with a frame-by-frame definition."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from asr.config import FeaturesConfig, RecipeConfig, TargetsConfig
from asr.formats.transcript import PhoneSegment
from asr.phones.classes import UNLABELLED
from asr.phones.phone_set import load_phone_set
from asr.training.data.targets import frame_labels, phone_labels

SHIFT = 0.01


def by_definition(
    segments: list[PhoneSegment], frames: int, targets: TargetsConfig, features: FeaturesConfig
) -> list[int]:
    """Each frame on its own: the segment that holds the frame's centre, and its place among that segment's frames."""
    phones = load_phone_set(targets.phone_set)
    centres = [features.frame_offset + (frame + 0.5) * SHIFT for frame in range(frames)]
    labels = [UNLABELLED] * frames
    for segment in segments:
        inside = [t for t, centre in enumerate(centres) if segment.start <= centre + 1e-9 < segment.end]
        for place, frame in enumerate(inside):
            state = int((place + 0.5) * targets.states / len(inside))
            labels[frame] = phones.index(segment.phone) * targets.states + state
    return labels


@st.composite
def segmentations(draw: st.DrawFn) -> list[PhoneSegment]:
    """Contiguous phones whose borders are samples at 16 kHz, as in TIMIT."""
    phones = load_phone_set("timit48")
    lengths = draw(st.lists(st.integers(1, 4000), max_size=12))
    edges = np.cumsum([draw(st.integers(0, 300)), *lengths]) / 16000
    return [PhoneSegment(draw(st.sampled_from(phones)), float(start), float(end)) for start, end in pairwise(edges)]


@given(segmentations(), st.integers(0, 320), st.sampled_from([1, 3]), st.booleans())
def test_labels_are_those_of_the_definition(
    segments: list[PhoneSegment], frames: int, states: int, snip_edges: bool
) -> None:
    targets = TargetsConfig(phone_set="timit48", states=states)
    features = FeaturesConfig(snip_edges=snip_edges)
    # A phone that goes on past the last frame is split over the frames that are there.
    assert frame_labels(segments, frames, targets, features).tolist() == by_definition(
        segments, frames, targets, features
    )


def test_dropped_phone_leaves_its_frames_unlabelled() -> None:
    segments = [PhoneSegment("h#", 0.0, 0.1), PhoneSegment("q", 0.1, 0.2), PhoneSegment("iy", 0.2, 0.3)]
    labels = frame_labels(segments, 28, TargetsConfig(phone_set="timit39", states=1), FeaturesConfig(snip_edges=False))
    phones = load_phone_set("timit39")
    assert labels.tolist() == [phones.index("sil")] * 10 + [UNLABELLED] * 10 + [phones.index("iy")] * 8


def recipe(phone_set: str, states: int, loss: str = "cross_entropy") -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "timit"},
            "targets": {"phone_set": phone_set, "states": states},
            "training": {"loss": loss},
        }
    )


@pytest.mark.parametrize(
    ("phone_set", "states", "count"), [("timit61", 3, 183), ("timit48", 3, 144), ("timit39", 1, 39)]
)
def test_class_names(phone_set: str, states: int, count: int) -> None:
    names = recipe(phone_set, states).class_names
    assert len(set(names)) == count
    assert names[states - 1].endswith(f"_{states - 1}")


def test_ctc_has_a_blank_before_the_phones() -> None:
    config = recipe("timit48", 1, "ctc")
    names = config.class_names
    assert names[0] == "<blank>"
    assert names[1:] == list(load_phone_set("timit48"))
    labels = phone_labels(["h#", "pau", "q", "aa", "ix"], config.targets)
    assert [names[label] for label in labels] == ["sil", "sil", "aa", "ix"]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"targets": {"states": 3}}, "needs targets.states: 1"),
        ({"training": {"loss": "ctc", "batching": "frames"}}, "needs whole utterances"),
        ({"training": {"loss": "ctc", "label_smoothing": 0.1}}, "label_smoothing"),
    ],
)
def test_what_ctc_cannot_be_is_named(sections: dict[str, object], message: str) -> None:
    whole = {"corpus": {"name": "timit"}, "targets": {"states": 1}, "training": {"loss": "ctc"}}
    assert RecipeConfig.model_validate(whole).topology == "ctc"
    with pytest.raises(ValidationError, match=message):
        RecipeConfig.model_validate(whole | sections)
