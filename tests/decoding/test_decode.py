"""Hypotheses: times, scores, files."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.corpora.ctm import read_ctm
from support.decoding.three_phones import UNIFORM, posteriors

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.priors import scaled_likelihoods
from asr.config import FeaturesConfig
from asr.decoding.decode import decode_split, decode_utterance
from asr.decoding.search.batch_viterbi import BatchViterbi, Weights
from asr.decoding.search.batches import batch_paths
from asr.decoding.search.beam import BeamSearch
from asr.errors import InputError
from asr.formats.transcript import Transcript, read_transcripts


def test_times_follow_the_frames_and_stay_inside_the_audio(decoder):
    utterance = Transcript("u", speaker="s", audio="u.wav", duration=0.245)
    result = decode_utterance(utterance, posteriors(["sil", "aa", "b", "sil"]), decoder)
    assert result.symbols == ["sil", "aa", "b", "sil"]
    # 25 ms windows, 10 ms apart: frame 0 stands for 7.5 to 17.5 ms
    assert [segment.start for segment in result.phones] == [0.0075, 0.0675, 0.1275, 0.1875]
    assert [segment.end for segment in result.phones] == [0.0675, 0.1275, 0.1875, 0.245]
    assert (result.speaker, result.audio, result.duration) == ("s", "u.wav", 0.245)


def test_subsampled_output_has_longer_frames(decoder):
    assert FrameTimes.of(FeaturesConfig(snip_edges=False), subsampling=2) == FrameTimes(0.0, 0.02)


def test_no_frames_and_too_few(decoder, tmp_path):
    empty = np.zeros((0, len(UNIFORM)), np.float32)
    items = [(Transcript("none"), empty), (Transcript("short"), posteriors(["aa"])[:2])]
    decoded = decode_split(items, decoder, tmp_path / "out")
    assert decoded.utterances == 2
    assert decoded.incomplete == ["short"]
    none, short = read_transcripts(tmp_path / "out" / "hypotheses.jsonl")
    assert none.phones == []
    assert short.symbols == ["aa"]


def test_a_split_streams_to_jsonl_and_ctm_that_agree(decoder, tmp_path):
    names = ["u1", "u2"]
    items = ((Transcript(name, duration=1.0), posteriors(["sil", "b", "aa", "sil"])) for name in names)
    decode_split(items, decoder, tmp_path)
    from_jsonl = list(read_transcripts(tmp_path / "hypotheses.jsonl"))
    from_ctm = list(read_ctm(tmp_path / "hypotheses.ctm"))
    assert [row.utterance for row in from_jsonl] == names
    assert [(row.utterance, row.phones) for row in from_ctm] == [(row.utterance, row.phones) for row in from_jsonl]


def noisy_split():
    """Utterances of several lengths, one without a frame and one that is too short for a phone."""
    random = np.random.default_rng(0)
    lengths = (90, 0, 40, 200, 2, 33)
    items = [random.normal(0, 2, (frames, len(UNIFORM))).astype(np.float32) for frames in lengths]
    return [(Transcript(f"u{number}"), scores) for number, scores in enumerate(items)]


def test_batches_on_a_device_give_the_same_files(graph, decoder, tmp_path):
    decoder = replace(decoder, graph_search=BeamSearch(graph, np.inf, -1.5), acoustic_scale=0.7)
    decoded = decode_split(noisy_split(), decoder, tmp_path / "one")
    batched = replace(decoder, batch_viterbi=BatchViterbi(graph))
    assert decode_split(noisy_split(), batched, tmp_path / "batches") == decoded
    assert_same_files(tmp_path / "one", tmp_path / "batches")


@pytest.mark.cuda
def test_cuda_gives_the_files_of_the_cpu(graph, decoder, tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    decode_split(noisy_split(), decoder, tmp_path / "cpu")
    decode_split(noisy_split(), replace(decoder, batch_viterbi=BatchViterbi(graph, "cuda")), tmp_path / "cuda")
    assert_same_files(tmp_path / "cpu", tmp_path / "cuda")


def assert_same_files(first, second):
    for name in ("hypotheses.jsonl", "hypotheses.ctm"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert (first / name).stat().st_size > 0


@pytest.mark.parametrize(("frames", "batches"), [(1, 6), (190, 4), (900, 2), (5000, 1)])
def test_batches_are_as_large_as_memory_allows_and_keep_their_order(graph, frames, batches):
    sizes = []

    class Measured(BatchViterbi):
        def best_paths(self, scores, lengths, weights):
            sizes.append(scores.shape[:2].numel())
            return super().best_paths(scores, lengths, weights)

    viterbi = Measured(graph)
    items = noisy_split()
    found = list(batch_paths(items, viterbi, Weights(0.7), frames * viterbi.frame_bytes))
    assert [utterance for utterance, _ in found] == [utterance for utterance, _ in items]
    alone = BeamSearch(graph, np.inf)
    for (_, scores), (_, path) in zip(items, found, strict=True):
        assert path.phones == alone.best_path(scores, 0.7).phones
    assert len(sizes) == batches


@pytest.mark.parametrize("batched", [False, True])
def test_posteriors_that_are_no_numbers_name_the_utterance_and_leave_no_file(graph, decoder, batched, tmp_path):
    bad = posteriors(["aa"])
    bad[2, 3] = np.nan
    decoder = replace(decoder, batch_viterbi=BatchViterbi(graph) if batched else None)
    with pytest.raises(InputError, match="utterance u7: "):
        decode_split([(Transcript("u7"), bad)], decoder, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_scaled_likelihoods_divide_by_the_prior_and_floor_it():
    log_posteriors = np.log(np.array([[0.5, 0.5, 1e-9]], np.float32))
    result = np.exp(scaled_likelihoods(log_posteriors, np.array([0.25, 0.75, 0.0])))
    assert result.dtype == np.float32
    assert result[0] == pytest.approx([2.0, 2 / 3, 1e-4], rel=1e-5)


def test_a_decoder_takes_off_all_of_the_priors_unless_told_otherwise(decoder):
    priors = np.linspace(0.01, 0.2, len(UNIFORM))
    log_posteriors = posteriors(["aa"])
    expected = log_posteriors - np.log(priors)
    assert replace(decoder, priors=priors).scores(log_posteriors) == pytest.approx(expected, abs=1e-5)
