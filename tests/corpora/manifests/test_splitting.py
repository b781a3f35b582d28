"""Train, dev and test by speakers: whatever the corpus, no speaker and no audio is on two sides."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from lhotse import MonoCut, Recording

from asr.audio.opening import open_audio
from asr.config import SplitConfig
from asr.corpora.cuts import utterance_cut
from asr.corpora.manifests import same_audio
from asr.corpora.manifests.same_audio import contents
from asr.corpora.manifests.splitting import divide, groups
from asr.errors import InputError

SIDES = ("train", "dev", "test")
RATE = 16000

Spoken = tuple[int, int, int, str | None]
"""Speaker, content of the audio, seconds, and the split that the corpus gives."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files `N-COPY` of content N, some of which have the same size."""
    folder = tmp_path_factory.mktemp("audio")
    for content in range(40):
        for copy in range(40):
            (folder / f"{content}-{copy}").write_bytes(bytes([content]) * (100 + content % 7))
    return folder


def cuts_of(spoken: list[Spoken], folder: Path) -> list[MonoCut]:
    return [
        utterance_cut(f"u{n:02}", folder / f"{content}-{n}", 100, 100 * seconds, speaker=f"s{speaker}")
        for n, (speaker, content, seconds, _) in enumerate(spoken)
    ]


def speaker(cut: MonoCut) -> str:
    return cut.supervisions[0].speaker


def content(cut: MonoCut) -> str:
    return Path(cut.recording.sources[0].source).name.split("-")[0]


def overlaps(manifests: dict[str, list[MonoCut]], keys: Iterable[Callable[[MonoCut], str]]) -> Iterator[set[str]]:
    for one, other in (("train", "dev"), ("train", "test"), ("dev", "test")):
        for key in keys:
            yield {*map(key, manifests[one])} & {*map(key, manifests[other])}


speech = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 39), st.integers(1, 30), st.sampled_from([None, None, *SIDES])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(spoken=speech, seed=st.integers(0, 5), given_splits=st.booleans(), by=st.sampled_from(["speaker", "recording"]))
def test_no_speaker_and_no_audio_is_on_two_sides(
    spoken: list[Spoken], seed: int, given_splits: bool, by: Literal["speaker", "recording"], files: Path
) -> None:
    cuts = cuts_of(spoken, files)
    splits = {f"u{n:02}": split for n, (*_, split) in enumerate(spoken) if split and given_splits}
    skipped: list[dict[str, str]] = []
    try:
        manifests = divide(cuts, splits, SplitConfig(seed=seed, by=by), files, skipped)
    except InputError:  # too few speakers
        reject()
    assert not any(overlaps(manifests, (speaker, content) if by == "speaker" else (content,)))
    kept = [cut.id for side in SIDES for cut in manifests[side]]
    assert sorted([*kept, *(row["utterance"] for row in skipped)]) == [cut.id for cut in cuts]
    for side in SIDES:
        assert all(splits.get(cut.id, side) in (side, "train") for cut in manifests[side])
    if not splits:
        assert all(manifests[side] for side in SIDES)
        assert manifests == divide(cuts, splits, SplitConfig(seed=seed, by=by), files, [])


def test_amounts_are_met_as_nearly_as_speakers_allow(files: Path) -> None:
    cuts = cuts_of([(n, n, 60, None) for n in range(40)], files)
    for config, dev, test in (
        (SplitConfig(), 4, 4),
        (SplitConfig(dev="25%", test="2min"), 10, 2),
        (SplitConfig(dev="1%", test="30min"), 1, 30),
    ):
        manifests = divide(cuts, {}, config, files)
        assert (len(manifests["dev"]), len(manifests["test"])) == (dev, test)
    drawn = {seed: divide(cuts, {}, SplitConfig(seed=seed), files)["test"] for seed in range(3)}
    assert drawn[0] != drawn[1] != drawn[2]


def test_audio_on_two_sides_is_refused_with_both_names(files: Path) -> None:
    cuts = cuts_of([(0, 7, 5, None), (1, 7, 5, None), (2, 8, 5, None)], files)
    splits = {"u00": "train", "u01": "test", "u02": "dev"}
    with pytest.raises(InputError, match="u00 in train has the same audio as u01 in test; move one"):
        divide(cuts, splits, SplitConfig(), files)


def test_too_few_speakers_are_counted_outside_the_sides_that_are_given(files: Path) -> None:
    cuts = cuts_of([(0, 0, 5, "train"), (1, 1, 5, "dev")], files)
    with pytest.raises(InputError, match=r"has 1 group of .* outside dev, too few for train and test; add speakers"):
        divide(cuts, {"u00": "train", "u01": "dev"}, SplitConfig(), files)


def recording(path: Path, rate: int = 100, samples: int = 500) -> Recording:
    return utterance_cut("u", path, rate, samples, speaker="s").recording


def test_files_of_equal_size_and_content_are_the_same(files: Path) -> None:
    (files / "link").hardlink_to(files / "3-0")
    paths = [str(files / name) for name in ("3-0", "3-1", "10-0", "4-0", "link")]
    found = contents(recording(Path(path)) for path in paths)
    same, copy, other_content, other_size, link = (found[path, None] for path in paths)
    assert same == copy == link
    assert len({same, other_content, other_size}) == 3
    with pytest.raises(InputError, match="cannot read"):
        contents([recording(files / "none")])


@pytest.fixture
def noise() -> np.ndarray:
    """A second at 16 bits, with a silent middle."""
    samples = np.random.default_rng(0).uniform(-1, 1, RATE)
    samples[RATE // 3 : -RATE // 3] = 0
    return np.round(samples * (2**15 - 1)) / 2**15


def test_files_with_the_same_samples_are_the_same_in_any_lossless_format(tmp_path: Path, noise: np.ndarray) -> None:
    other = noise.copy()
    other[-1] = -other[-1]
    written = {
        "a.wav": (noise, "PCM_16"),
        "a.flac": (noise, "PCM_16"),
        "24.flac": (noise, "PCM_24"),
        "float.wav": (noise, "FLOAT"),
        "stereo.flac": (np.stack([noise, noise], axis=1), "PCM_16"),
        "other.wav": (other, "PCM_16"),
        "sides.flac": (np.stack([noise, other], axis=1), "PCM_16"),
    }
    for name, (samples, subtype) in written.items():
        soundfile.write(tmp_path / name, samples, RATE, subtype=subtype)
    found = contents(recording(tmp_path / name, RATE, RATE) for name in written)
    *same, other_samples, other_channels = (found[str(tmp_path / name), None] for name in written)
    assert len(set(same)) == 1
    assert len({same[0], other_samples, other_channels}) == 3


def test_all_channels_of_copies_are_compared_in_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a piece from the middle, and then of all samples."""
    sides = np.random.default_rng(0).integers(-(2**15), 2**15, (RATE, 2), np.int16)
    paths = [tmp_path / name for name in ("a.wav", "a.flac")]
    for path in paths:
        soundfile.write(path, sides, RATE)
    cuts = [utterance_cut(path.name, path, RATE, RATE, speaker="a", channel=1, channels=2) for path in paths]
    opened: list[str] = []
    monkeypatch.setattr(same_audio, "open_audio", lambda path: opened.append(str(path)) or open_audio(path))
    found = contents(cut.recording for cut in cuts)
    assert sorted(opened) == sorted(map(str, 2 * paths))
    for channel in (None, 0, 1):
        assert found[str(paths[0]), channel] == found[str(paths[1]), channel]
    assert len(set(found.values())) == 3


def test_a_channel_that_a_file_lacks_is_like_no_other(tmp_path: Path, noise: np.ndarray) -> None:
    paths = [tmp_path / name for name in ("a.wav", "a.flac")]
    for path in paths:
        soundfile.write(path, noise, RATE)
    cuts = [utterance_cut(path.name, path, RATE, RATE, speaker="a", channel=1, channels=2) for path in paths]
    found = contents(cut.recording for cut in cuts)
    assert found[str(paths[0]), 0] == found[str(paths[1]), 0]
    assert len({found[str(path), 1] for path in paths} - {found[str(paths[0]), 0]}) == 2


def test_a_channel_saved_as_a_file_stays_with_its_recording(tmp_path: Path) -> None:
    """Also where only the other channel is an utterance."""
    sides = np.random.default_rng(0).integers(-(2**15), 2**15, (3, RATE), np.int16)
    soundfile.write(tmp_path / "call.wav", sides[:2].T, RATE)
    soundfile.write(tmp_path / "copy.flac", sides[1], RATE)
    soundfile.write(tmp_path / "other.flac", sides[2], RATE)
    cuts = [
        utterance_cut("call", tmp_path / "call.wav", RATE, RATE, speaker="a", channel=0, channels=2),
        utterance_cut("copy", tmp_path / "copy.flac", RATE, RATE, speaker="b"),
        utterance_cut("other", tmp_path / "other.flac", RATE, RATE, speaker="c"),
    ]
    for by in ("speaker", "recording"):
        assert [[cut.id for cut in group] for group in groups(cuts, by)] == [["call", "copy"], ["other"]]


def test_a_copy_at_16_bits_is_its_original_at_24(tmp_path: Path) -> None:
    original = np.random.default_rng(0).integers(-(2**22), 2**22, RATE)
    soundfile.write(tmp_path / "a.flac", (original * 2**8).astype(np.int32), RATE, subtype="PCM_24")
    soundfile.write(tmp_path / "a.wav", np.round(original / 2**8).astype(np.int16), RATE)
    assert len(set(contents(recording(tmp_path / name, RATE, RATE) for name in ("a.flac", "a.wav")).values())) == 1


def test_broken_audio_is_the_same_as_no_other(tmp_path: Path, noise: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    soundfile.write(tmp_path / "b.flac", noise, RATE)
    whole = (tmp_path / "b.flac").read_bytes()
    (tmp_path / "b.flac").write_bytes(whole[: len(whole) // 4] + bytes(2000) + whole[len(whole) // 4 + 2000 :])
    found = contents(recording(tmp_path / name, RATE, RATE) for name in ("a.wav", "b.flac"))
    assert len(set(found.values())) == 2
