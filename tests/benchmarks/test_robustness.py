"""The table of robustness: each condition is what its title says, and the figures compare with the run's own test."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts
from benchmarks import robustness
from benchmarks.robustness_conditions import CONDITIONS, Condition, Recording
from benchmarks.robustness_splice import pieces, splice

RATE = 16000
CONDITION = {condition.name: condition for condition in CONDITIONS}


def recording(name: str = "one", seconds: float = 1.0) -> Recording:
    """White noise of -20 dB on a constant of 0; silence, two phones, a closure and a phone."""
    samples = 0.1 * np.random.default_rng(len(name)).standard_normal(round(seconds * RATE))
    edges = [0.0, 0.2, 0.41, 0.6, 0.8, 1.0]
    phones = ["h#", "ae", "n", "tcl", "t"]
    segments = [
        PhoneSegment(phone, start * seconds, end * seconds)
        for phone, start, end in zip(phones, edges, edges[1:], strict=False)
    ]
    return Recording(np.float32(samples.round(4)), RATE, Transcript(name, segments))


def power(samples: np.ndarray) -> float:
    """Mean power in dB."""
    return 10 * math.log10(np.square(samples.astype(np.float64)).mean())


def changed(name: str) -> tuple[Recording, Recording]:
    given = recording()
    return given, CONDITION[name].apply(given)


@pytest.mark.parametrize("name", CONDITION)
def test_every_condition_is_drawn_from_the_utterance_s_name(name: str) -> None:
    given, once = changed(name)
    assert np.array_equal(once.samples, CONDITION[name].apply(given).samples)
    assert once.samples.dtype == np.float32
    assert np.abs(once.samples).max() <= 1


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1])
def test_zeros_are_on_both_sides(seconds: float) -> None:
    given, padded = changed(f"zeros {seconds:g} s")
    pad = round(seconds * RATE)
    assert len(padded.samples) == len(given.samples) + 2 * pad
    assert not padded.samples[:pad].any()
    assert not padded.samples[-pad:].any()
    np.testing.assert_allclose(padded.samples[pad:-pad], given.samples, atol=1 / 2**16)


def test_pads_have_their_level() -> None:
    _, padded = changed("pads -80 dB")
    assert power(padded.samples[:RATE]) == pytest.approx(-80, abs=0.2)
    assert power(padded.samples[-RATE:]) == pytest.approx(-80, abs=0.2)


@pytest.mark.parametrize(
    ("name", "place", "phones"),
    [
        ("gap", 0.41, ["h#", "ae", "h#", "n", "tcl", "t"]),
        ("gap in a pause", 0.7, ["h#", "ae", "n", "tcl", "t"]),
    ],
)
def test_a_gap_cuts_no_phone(name: str, place: float, phones: list[str]) -> None:
    given, gapped = changed(name)
    first = round(place * RATE)
    assert not gapped.samples[first : first + 4800].any()
    kept = np.delete(gapped.samples, slice(first, first + 4800))
    np.testing.assert_allclose(kept, given.samples, atol=1 / 2**16)
    assert gapped.reference.symbols == phones


def test_a_gap_is_in_the_middle_where_phones_have_no_times() -> None:
    given = Recording(recording().samples, RATE, Transcript("one", [PhoneSegment("ae")]))
    gapped = CONDITION["gap"].apply(given)
    assert not gapped.samples[8000:12800].any()
    assert gapped.reference.symbols == ["ae"]


@pytest.mark.parametrize(("name", "decibels"), [("gain -30 dB", -30), ("gain -20 dB", -20)])
def test_gains(name: str, decibels: float) -> None:
    given, softer = changed(name)
    assert power(softer.samples) - power(given.samples) == pytest.approx(decibels, abs=0.1)


def test_clipping_is_at_half_the_peak() -> None:
    given, loud = changed("clipped")
    peak = np.abs(given.samples).max()
    clipped = np.abs(loud.samples) >= 1 - 2 / 2**15
    assert clipped.any()
    assert np.abs(given.samples)[clipped].min() == pytest.approx(peak / 2, rel=0.02)


def test_offset() -> None:
    given, shifted = changed("DC")
    assert (shifted.samples - given.samples).mean() == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize(("name", "ratio"), [("noise 20 dB", 20), ("noise 10 dB", 10)])
def test_noise(name: str, ratio: float) -> None:
    given, noisy = changed(name)
    assert power(given.samples) - power(noisy.samples - given.samples) == pytest.approx(ratio, abs=0.2)


@pytest.mark.parametrize(("name", "seconds"), [("room 0.3 s", 0.3), ("room 0.6 s", 0.6)])
def test_a_room_keeps_the_direct_sound_and_decays(name: str, seconds: float) -> None:
    click = np.zeros(RATE, np.float32)
    click[1000] = 0.5
    response = CONDITION[name].apply(Recording(click, RATE, Transcript("click"))).samples[1000:] / 0.5
    assert response[0] == pytest.approx(1, abs=1e-3)
    assert not response[1:30].any()
    early, late = response[100:1700], response[1700:3300]  # 0.1 s apart
    assert power(early) - power(late) == pytest.approx(60 * 0.1 / seconds, abs=1.5)


def test_a_narrow_band_has_nothing_above_4_khz() -> None:
    _, narrow = changed("8 kHz")
    spectrum = np.abs(np.fft.rfft(narrow.samples))
    assert 20 * np.log10(spectrum[4500:].mean() / spectrum[:3500].mean()) < -45


@pytest.mark.parametrize("name", ["8 kHz file", "44.1 kHz stereo", "MP3", "Opus"])
def test_files_have_their_rate_and_channels(name: str, tmp_path: Path) -> None:
    given = recording("merged/one", 5.0)
    file = CONDITION[name].file
    assert file is not None
    path = file.write(given, tmp_path)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels) == (file.rate or RATE, file.channels)
    assert info.duration == pytest.approx(5, abs=0.1)
    bit_rate = path.stat().st_size * 8 / 5 / 1000
    if name in ("MP3", "Opus"):
        assert bit_rate == pytest.approx({"MP3": 32, "Opus": 16}[name], rel=0.25)
    else:
        samples, rate = soundfile.read(path, always_2d=True)
        back = soxr.resample(samples[:, -1], rate, RATE)
        assert (
            np.corrcoef(back[: len(given.samples)], given.samples[: len(back)])[0, 1] > 0.65
        )  # the root of half the power is below 4 kHz


def test_a_spliced_recording_comes_apart_again() -> None:
    """The references' own phones, at their places in the whole, are those of the pieces."""
    recordings = [recording("one", 1.0), recording("three", 2.0)]
    spliced = splice(recordings, 10.0)
    assert len(spliced.samples) >= 10 * RATE
    assert len(spliced.references) == 6  # 4 s each time with their pauses
    assert len({reference.utterance for reference in spliced.references}) == 6
    phones, begin = [], 0.0
    for reference in spliced.references:
        phones += [PhoneSegment(each.phone, begin + each.start, begin + each.end) for each in reference.phones]
        seconds = reference.phones[-1].end
        phones.append(PhoneSegment("pau", begin + seconds, begin + seconds + 0.5))
        begin += seconds + 0.5
    found = pieces(spliced, phones)
    assert [each.utterance for each in found] == [each.utterance for each in spliced.references]
    assert [each.symbols for each in found] == [
        ["h#", "ae", "n", "tcl", "t", "pau"], *[["pau", "h#", "ae", "n", "tcl", "t", "pau"]] * 5
    ]  # fmt: skip


def test_a_phone_counts_in_the_piece_that_has_its_middle() -> None:
    spliced = splice([recording("one"), recording("three")], 1.0)
    middle = spliced.edges[1]
    assert middle == pytest.approx(1.25)
    found = pieces(spliced, [PhoneSegment("ae", 1.1, 1.3), PhoneSegment("n", 1.21, 1.4)])
    assert [each.symbols for each in found] == [["ae"], ["n"]]


def test_the_table_and_its_lines(tiny_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    robustness.main([str(tiny_run), "--conditions", "alone,zeros 1 s,MP3,hour", "--hour", "20"])
    printed = capsys.readouterr().out
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert [row["condition"] for row in rows] == ["as it is", "alone", "zeros 1 s", "MP3", "hour"]
    results = json.loads((tiny_run / "results.json").read_text())
    assert rows[0]["figure"] == pytest.approx(results["removed"]["per"], abs=0.01)
    assert rows[0]["counted"] == pytest.approx(results["counted"]["per"], abs=0.01)
    for row in rows[1:]:
        assert row["points"] == pytest.approx(row["figure"] - rows[0]["figure"], abs=0.011)
        assert row["passes"] == (row["points"] <= row["limit"])
    assert "an hour spliced" in printed


def test_another_model_recognises_each_utterance_by_itself(tiny_run: Path) -> None:
    own, other = (robustness.open_fold(tiny_run, "", "test", model) for model in (None, str(tiny_run)))
    alone = own.recognise(CONDITION["alone"])
    assert [found.symbols for _, found in other.recognise(robustness.AS_IT_IS)] == [each.symbols for _, each in alone]


def test_a_figure_passes_up_to_its_mark() -> None:
    condition = Condition("any", "any", 0.5)
    assert robustness.Figure(condition, 50.5, 40.0, 0.504).passes
    assert not robustness.Figure(condition, 50.6, 40.0, 0.51).passes


def test_alone_is_what_transcription_gives(tiny_run: Path) -> None:
    fold = robustness.open_fold(tiny_run, "", "test")
    own = {each.utterance for each in read_transcripts(tiny_run / "decode/test/hypotheses.jsonl")}
    for reference, hypothesis in fold.recognise(CONDITION["alone"]):
        assert reference.utterance in own
        again = fold.recognizer.transcribe(reference.audio)
        assert hypothesis.symbols == again.symbols


@pytest.mark.parametrize("arguments", [["--conditions", "alone,rain"], ["--split", "train"]])
def test_an_unknown_name_is_an_error(arguments: list[str], tiny_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        robustness.main([str(tiny_run), *arguments])
    assert arguments[1].split(",")[-1] in capsys.readouterr().err


def test_an_unfinished_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no fold that is trained and decoded"):
        robustness.main([str(tmp_path)])
