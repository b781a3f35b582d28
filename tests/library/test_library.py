"""The library: what it takes, returns and refuses."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import asr
from asr.audio import read_audio


@pytest.fixture(scope="module")
def recognizer(tiny_run: Path) -> asr.Recognizer:
    return asr.load(tiny_run, device="cpu")


@pytest.fixture(scope="module")
def files(demo_corpus: Path) -> list[str]:
    return [str(path) for path in sorted(demo_corpus.glob("test/**/*.flac"))[:4]]


def test_a_device_of_pytorch_s_will_do(tiny_run: Path) -> None:
    shown = repr(asr.load(tiny_run, device=torch.device("cpu")))
    assert shown.startswith(f"<Recognizer of {tiny_run}")
    assert shown.endswith(" on cpu>")


def test_import_and_help_load_no_torch() -> None:
    code = (
        "import sys, asr; assert set(asr.__all__) <= set(dir(asr)); asr.InputError; import asr.cli.main; "
        "print([name for name in ('torch', 'numba', 'lhotse', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in asr.__all__:
        assert getattr(asr, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        asr.nothing  # noqa: B018


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "int32", "tensor", "column"])
def test_samples_of_any_kind_are_as_the_file(recognizer: asr.Recognizer, files: list[str], kind: str) -> None:
    samples = read_audio(files[0], 16000)
    whole = np.round(samples * 2**15).astype(np.int16)
    given = {
        "float32": samples,
        "float64": samples.astype(np.float64),
        "int16": whole,
        "int32": whole.astype(np.int32) << 16,
        "tensor": torch.from_numpy(samples)[None].requires_grad_(),
        "column": samples[:, None],
    }[kind]
    found = recognizer.transcribe(given, sample_rate=16000)
    assert found.phones == recognizer.transcribe(files[0]).phones
    assert (found.utterance, found.audio) == ("audio", None)


def test_eight_bits_are_silent_at_128(recognizer: asr.Recognizer) -> None:
    silence = recognizer.transcribe(np.full(8000, 128, np.uint8), sample_rate=16000)
    assert silence.phones == recognizer.transcribe(np.zeros(8000), sample_rate=16000).phones


def test_another_rate_is_resampled(recognizer: asr.Recognizer, files: list[str]) -> None:
    doubled = np.repeat(read_audio(files[0], 16000), 2)
    assert recognizer.transcribe(doubled, sample_rate=32000).duration == recognizer.transcribe(files[0]).duration


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros(8000), None, "sample_rate is missing; give the rate of the samples in Hz, such as 16000"),
        (np.zeros(8000), 16, "sample_rate 16 is not between"),
        (np.zeros((2, 8000)), 16000, r"samples of shape \(2, 8000\): give one channel"),
        (np.full(8000, np.nan), 16000, "not finite"),
        (np.zeros(8000, complex), 16000, "samples of type complex128"),
        (np.zeros(20), 16000, r"is shorter than one frame \(25 ms\)"),
        (np.zeros(0), 16000, "is shorter than one frame"),
    ],
)
def test_samples_that_cannot_be_used(
    recognizer: asr.Recognizer, samples: np.ndarray, rate: int | None, message: str
) -> None:
    with pytest.raises(asr.InputError, match=message):
        recognizer.transcribe(samples, sample_rate=rate)


def test_a_list_is_as_each_alone(recognizer: asr.Recognizer, files: list[str]) -> None:
    together = recognizer.transcribe([*files, *files])
    for found, path in zip(together, [*files, *files], strict=True):
        alone = recognizer.transcribe(path)
        assert [(each.phone, each.start, each.end) for each in found.phones] == [
            (each.phone, each.start, each.end) for each in alone.phones
        ]
        assert found.audio == path


def test_a_list_with_a_long_recording(
    recognizer: asr.Recognizer, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, np.concatenate([read_audio(files[0], 16000)] * 26), 16000)
    found = recognizer.transcribe([files[0], str(long)])
    assert [each.utterance for each in found] == [Path(files[0]).stem, "long"]
    assert found[1].duration == pytest.approx(26 * found[0].duration, abs=1e-2)
    assert found[0].phones == recognizer.transcribe(files[0]).phones
    assert found[1].phones == recognizer.transcribe(str(long)).phones


def test_a_missing_file_is_named_once(recognizer: asr.Recognizer) -> None:
    with pytest.raises(asr.InputError, match=r"^missing\.wav: no such audio file; check the path$"):
        recognizer.transcribe(["missing.wav"])
    with pytest.raises(asr.InputError, match=r"^missing\.wav: no such audio file; check the path$"):
        recognizer.align("./missing.wav", phones="sil")
    with pytest.raises(asr.InputError, match=r"^missing\.wav: sample_rate is for samples in memory"):
        recognizer.transcribe("missing.wav", 16000)
    with pytest.raises(asr.InputError, match=r"^nowhere: no such folder"):
        asr.load("nowhere")


def test_a_short_file_in_a_list_is_named(recognizer: asr.Recognizer, files: list[str], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(20), 16000)
    with pytest.raises(asr.InputError, match=r"/short\.wav: is shorter than one frame"):
        recognizer.transcribe([files[0], str(tmp_path / "short.wav")])


def test_short_samples_in_a_list_are_named(recognizer: asr.Recognizer, files: list[str]) -> None:
    for wrong, message in ((np.zeros(20), "is shorter than one frame"), (np.zeros((2, 2)), "samples of shape")):
        with pytest.raises(asr.InputError, match=f"^recording 2 of the list: {message}"):
            recognizer.transcribe([np.zeros(8000), wrong], sample_rate=16000)
    with pytest.raises(asr.InputError, match=r"^audio: is shorter than one frame"):
        recognizer.transcribe(np.zeros(20), sample_rate=16000)


@pytest.mark.parametrize("given", [None, 3, b"one.wav", [0.0, 0.5], iter(["one.wav"])])
def test_what_is_no_recording_is_a_type_error(recognizer: asr.Recognizer, given: Any) -> None:
    with pytest.raises(TypeError, match="path"):
        recognizer.transcribe(given, sample_rate=16000)


def test_what_is_no_recording_in_a_list_is_named_before_any_is_recognised(recognizer: asr.Recognizer) -> None:
    for wrong, kind in ((None, "NoneType"), (3, "int"), ([0.0, 0.5], "list")):
        with pytest.raises(TypeError, match=f"^recording 2 of the list is a path, or samples .*, not {kind}$"):
            recognizer.transcribe(["missing.wav", wrong])  # type: ignore[list-item]
    for wrong in (None, 3):
        with pytest.raises(TypeError, match=r"^a recording is a path, or samples as a NumPy array or a tensor, not "):
            recognizer.align(wrong, phones="sil")  # type: ignore[arg-type]


def test_fewer_hypotheses_than_none_are_an_error(recognizer: asr.Recognizer, files: list[str]) -> None:
    with pytest.raises(asr.InputError, match="nbest -1 is below 0"):
        recognizer.transcribe(files[0], nbest=-1)


def test_four_threads_get_what_one_gets(recognizer: asr.Recognizer, files: list[str]) -> None:
    alone = [recognizer.transcribe(path) for path in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(recognizer.transcribe, files * 4))
    assert together == alone * 4


def test_align_takes_phones_or_words(recognizer: asr.Recognizer, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "lexicon.txt").write_text("THIS  DH IH1 S\n")
    by_file = recognizer.align(files[0], words="This, this!", lexicon=tmp_path / "lexicon.txt")
    assert [each.word for each in by_file.words] == ["this", "this"]
    by_mapping = recognizer.align(files[0], words="this this", lexicon={"this": [("dh", "ih", "s")]})
    assert by_mapping == by_file
    for pronunciations in ("dh ih s", ["dh ih s"], [["dh", "ih", "s"]]):
        assert recognizer.align(files[0], words="this this", lexicon={"this": pronunciations}) == by_mapping
    for nothing in ("", [], [()], ["dh ih s", " "]):
        with pytest.raises(asr.InputError, match="lexicon: word 'this' has no phones"):
            recognizer.align(files[0], words="this", lexicon={"this": nothing})
    assert recognizer.align(files[0], words="this this", lexicon="cmudict").words == by_mapping.words
    assert [each for each in recognizer.align(files[0], phones="dh ih s").symbols if each != "sil"] == ["dh", "ih", "s"]
    for nothing in ({}, {"words": "this"}, {"words": "this", "phones": "dh ih s"}):
        with pytest.raises(asr.InputError, match=r"lexicon|either words or phones"):
            recognizer.align(files[0], **nothing)


def test_posteriors_have_names_and_times(recognizer: asr.Recognizer, files: list[str]) -> None:
    found = asr.posteriors(recognizer, files[0])
    assert found.log_probabilities.shape == (len(found), 39) == (len(found.times), len(found.classes))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert found.times[0] == pytest.approx(0.0125)  # the middle of the first window of 25 ms
    assert np.asarray(found) is not None
    assert np.array_equal(np.asarray(found), found.log_probabilities)


def test_posteriors_of_models_that_are_searched_apart_are_their_mean(
    recognizer: asr.Recognizer, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = np.log(np.random.default_rng(0).dirichlet(np.ones(39), (2, 5)).astype(np.float32))
    monkeypatch.setattr(recognizer.scorer, "log_posteriors", lambda waveform: each)
    np.testing.assert_allclose(recognizer.posteriors(files[0]).probabilities, np.exp(each).mean(axis=0), atol=1e-6)


def test_writes_formats_by_suffix_and_by_name(recognizer: asr.Recognizer, files: list[str], tmp_path: Path) -> None:
    aligned = recognizer.align(files[0], words="this", lexicon={"this": [("dh", "ih", "s")]})
    for name in ("a.TextGrid", "a.ctm", "a.phn", "a.wrd", "a.jsonl", "a.eaf", "a.csv", "a.txt"):
        aligned.write(tmp_path / name)
    assert (tmp_path / "a.wrd").read_text().split()[-1] == "this"
    assert "dh" in (tmp_path / "a.phn").read_text()
    aligned.write(tmp_path / "words.ctm", tier="words")
    assert (tmp_path / "words.ctm").read_text().split()[4] == "this"
    [again] = asr.read_transcripts(tmp_path / "a.jsonl")
    assert again.phones == aligned.phones
    with pytest.raises(asr.InputError, match=r"no format has the suffix '\.mp3'"):
        aligned.write(tmp_path / "a.mp3")
    with pytest.raises(asr.InputError, match=r"a\.phn: .*'\.\./b' cannot be the name of an output file"):
        asr.Transcription("../b", aligned.phones, duration=aligned.duration).write(tmp_path / "a.phn")
    with pytest.raises(asr.InputError, match="phone 'a' has no times"):
        asr.Transcription("u", [asr.PhoneSegment("a")]).write(tmp_path / "a.csv")
    with pytest.raises(asr.InputError, match=r"none: no such folder"):
        aligned.write(tmp_path / "none" / "a.ctm")
    assert not list(tmp_path.glob(".asr-*"))
