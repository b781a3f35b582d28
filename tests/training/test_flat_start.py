"""A flat start has an utterance's phones, of one length in its speech, and silence around them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.config import FeaturesConfig, TargetsConfig
from asr.corpora.cuts import phone_segments, read_cuts
from asr.features.archive import Archive
from asr.phones.phone_set import load_phone_set
from asr.training.flat_start import flat_alignment, speech_span


@given(
    st.lists(st.sampled_from(load_phone_set("timit61")), min_size=1, max_size=30),
    st.floats(0, 1),
    st.floats(0.01, 5),
    st.floats(0, 1),
    st.sampled_from([1, 3]),
)
def test_a_flat_start_tiles_the_utterance_with_its_phones(
    symbols: list[str], begin: float, length: float, after: float, states: int
) -> None:
    targets = TargetsConfig(phone_set="timit61", states=states)
    duration = begin + length + after
    aligned = flat_alignment(symbols, (begin, begin + length), duration, targets)
    assert len(aligned.times) == len(aligned.phones) * states + 1
    assert aligned.times[0] == 0
    assert aligned.times[-1] == pytest.approx(duration, abs=1e-6)
    assert (np.diff(aligned.times) >= 0).all()
    assert aligned.phones[0] in ("h#", "pau")
    assert aligned.phones[-1] in ("h#", "pau")
    first, last = symbols[0] in ("h#", "pau"), len(symbols) > 1 and symbols[-1] in ("h#", "pau")
    assert aligned.phones[not first : len(aligned.phones) - (not last)] == symbols
    spoken = [segment.end - segment.start for segment in aligned.segments[1:-1]]  # type: ignore[operator]
    assert all(seconds == pytest.approx(length / len(spoken), abs=3e-6) for seconds in spoken)


def test_speech_is_where_the_labels_say(tiny_run: Path) -> None:
    errors = []
    for split in ("train", "test"):
        archive = Archive(tiny_run / "features" / split)
        for cut in read_cuts(tiny_run / "prepare" / f"{split}.cuts.jsonl.gz"):
            static = archive[archive.utterances.index(cut.id)]
            begin, end = speech_span(static, FeaturesConfig())
            first, *_, last = phone_segments(cut)
            assert {first.phone, last.phone} == {"h#"}
            errors += [begin - first.end, end - last.start]  # type: ignore[operator]
    assert np.median(np.abs(errors)) < 0.05  # less than a phone


def test_speech_without_any_silence_is_the_whole() -> None:
    assert speech_span(np.zeros((50, 13), np.float32), FeaturesConfig(type="mfcc")) == pytest.approx((0.0075, 0.5075))
