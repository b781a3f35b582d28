"""Hypotheses: times, scores, files; and the choice of scale and penalty on dev."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.priors import scaled_likelihoods
from asr.config import DecodingConfig, FeaturesConfig
from asr.decoding.alternatives import alternatives_files
from asr.decoding.confidence import POSTERIOR_SCALES as SCALES
from asr.decoding.confidence import UNCHANGED, Recalibration, fit_recalibration, phone_confidences
from asr.decoding.decode import Decoder, decode_split, decode_utterance
from asr.decoding.graph.build import build_graph
from asr.decoding.lattice.posteriors import class_posteriors
from asr.decoding.search.batch_viterbi import BatchViterbi, Weights
from asr.decoding.search.batches import batch_paths
from asr.decoding.search.beam import BeamSearch
from asr.decoding.tuning import tune, tune_confidences
from asr.errors import InputError
from asr.formats.ctm import read_ctm
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts
from asr.lm.ngram import train_ngram
from asr.scoring.calibration import judge, normalized_cross_entropy
from asr.storage.files import read_jsonl

PHONES = ("aa", "b", "sil")
STATES = 3
UNIFORM = np.full(len(PHONES) * STATES, 1 / 9)


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "lm" / "lm.arpa"
    train_ngram([["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]], 2, PHONES, path)
    return build_graph(path, PHONES, STATES)


@pytest.fixture
def decoder(graph):
    return Decoder(BeamSearch(graph, 16.0), 1.0, UNIFORM, PHONES, FrameTimes.of(FeaturesConfig()))


def posteriors(phones, frames=6, peak=0.9):
    """log posteriors [T, C] of phones with `frames` frames each, split evenly among the states."""
    labels = [PHONES.index(phone) * STATES + frame * STATES // frames for phone in phones for frame in range(frames)]
    result = np.full((len(labels), len(UNIFORM)), (1 - peak) / (len(UNIFORM) - 1), np.float32)
    result[np.arange(len(labels)), labels] = peak
    return np.log(result)


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


def test_a_phone_that_the_frames_show_less_clearly_scores_lower(decoder):
    scores = posteriors(["sil", "aa", "sil"])
    scores[6:12] = posteriors(["aa"], peak=0.4)
    first, second, third = (segment.score for segment in decode_utterance(Transcript("u"), scores, decoder).phones)
    assert 0.9 < first <= 1
    assert 0 <= second < first
    assert third > second


def test_a_lower_posterior_scale_is_less_sure(decoder):
    scores = posteriors(["sil", "aa", "sil"], peak=0.5)
    sure, unsure = (
        decode_utterance(Transcript("u"), scores, replace(decoder, posterior_scale=scale)).phones[1].score
        for scale in (1.0, 0.1)
    )
    assert unsure < sure


def test_phones_that_scoring_folds_together_share_their_confidence(decoder):
    """The frames cannot tell aa from b: each has half of the posterior, both have all of it."""
    scores = posteriors(["sil", "aa", "sil"])
    scores[:, 3:6] = scores[:, :3] = np.maximum(scores[:, :3], scores[:, 3:6])
    alone = decode_utterance(Transcript("u"), scores, decoder).phones[1].score
    grouped = replace(decoder, groups=np.array([0, 0, 2], np.int32))
    together = decode_utterance(Transcript("u"), scores, grouped).phones[1].score
    assert alone < 0.6
    assert together > 0.95


def test_the_confidences_of_least_surprise_are_chosen(graph):
    """Confidences that are near 1 mislead where the frames are mostly wrong."""
    dev = [(Transcript("u", [PhoneSegment(p) for p in said]), scores) for said, scores in noisy_dev()]
    dev.append((Transcript("v", [PhoneSegment("b")]), posteriors(["aa"], peak=0.5)))
    decoder = Decoder(BeamSearch(graph, 16.0), 1.0, UNIFORM, PHONES, FrameTimes.of(FeaturesConfig()))
    chosen, recalibration = tune_confidences(dev, decoder)

    def judged(scale, recalibration=UNCHANGED):
        scaled = replace(decoder, posterior_scale=scale, recalibration=recalibration)
        return judge((said, decode_utterance(said, lp, scaled)) for said, lp in dev)

    informative = {
        scale: normalized_cross_entropy(*judged(scale, fit_recalibration(*judged(scale)))) for scale in SCALES
    }
    assert normalized_cross_entropy(*judged(chosen, recalibration)) == max(informative.values())
    assert max(informative.values()) > max(normalized_cross_entropy(*judged(scale)) for scale in SCALES)


def test_frames_that_are_far_too_sure_are_scaled_far_down(decoder):
    """Scores that favour the same wrong phone in all of its frames."""
    random = np.random.default_rng(0)
    dev = []
    for said in [["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]] * 5:
        misleading = np.repeat(random.normal(0, 3, (len(said), len(UNIFORM))), 6, axis=0).astype(np.float32)
        dev.append((Transcript("u", [PhoneSegment(phone) for phone in said]), posteriors(said) + misleading))
    scale, _ = tune_confidences(dev, decoder)
    assert scale <= 0.2


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(0.3, 2), offset=st.floats(-1, 1), seed=st.integers(0, 10**6))
def test_a_recalibration_is_found_again(slope, offset, seed):
    random = np.random.default_rng(seed)
    shown = random.uniform(0.02, 0.98, 20000)
    true = Recalibration(slope, offset)
    found = fit_recalibration(shown, random.random(len(shown)) < true(shown))
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.12)
    order = np.argsort(shown)
    assert (np.diff(found(shown)[order]) >= 0).all()


@pytest.mark.parametrize("correct", [True, False])
def test_a_recalibration_by_phones_that_are_all_alike_stays_bounded(correct):
    found = fit_recalibration(np.array([0.0, 0.4, 1.0]), np.full(3, correct))
    assert abs(found.slope) < 5
    assert abs(found.offset) < 5
    assert fit_recalibration(np.zeros(0), np.zeros(0, bool)) == UNCHANGED
    assert UNCHANGED(np.array([0.0, 0.3, 1.0])) == pytest.approx([0.0, 0.3, 1.0], abs=2e-3)


def test_a_recalibration_weighs_no_change_as_much_as_one_phone():
    """One phone that is right at even odds: offset o has the least log(1 + exp(-o)) + o * o / 2."""
    found = fit_recalibration(np.array([0.5]), np.array([True]))
    offsets = np.linspace(0, 1, 100_001)
    expected = offsets[np.argmin(np.log1p(np.exp(-offsets)) + np.square(offsets) / 2)]
    assert found == Recalibration(1.0, pytest.approx(expected, abs=1e-4))


@pytest.mark.parametrize(("below", "counts"), [(7.9, True), (8.1, False)])
def test_what_is_far_less_probable_is_left_out_of_a_confidence(tmp_path, below, counts):
    """A state below the best of its frame by a factor of more than exp(8), which four decimals hardly show."""
    train_ngram([["aa"], ["b"]], 2, ("aa", "b"), tmp_path / "lm.arpa")
    search = BeamSearch(build_graph(tmp_path / "lm.arpa", ("aa", "b")), 16.0)
    scores = np.array([[0.0, -below], [0.0, 0.0], [0.0, 0.0]], np.float32)
    path = search.best_path(scores)
    assert [span.phone for span in path.phones] == [0]
    (confidence,) = phone_confidences(search.flat, scores, path, 1.0, 1.0, np.arange(2, dtype=np.int32))
    with_all = class_posteriors(search.flat, scores)[:, 0].mean()
    assert confidence == pytest.approx(with_all, abs=1e-6 if counts else 1e-3)
    assert (confidence - with_all > 1e-5) is not counts


def test_n_best_lists_lattices_and_symbols_are_written_as_asked(decoder, tmp_path):
    utterance = Transcript("u1", [PhoneSegment("zh")], speaker="s", duration=1.0)
    scores = posteriors(["sil", "b", "aa", "sil"], peak=0.4)
    config = DecodingConfig(nbest=5, lattices=True, lattice_beam=12.0)
    with alternatives_files(tmp_path, config, decoder) as write:
        write(utterance, scores, decoder.best_path(scores))
    (row,) = read_jsonl(tmp_path / "nbest.jsonl")
    best = decode_utterance(utterance, scores, decoder)
    assert (row["utterance"], row["speaker"], len(row["hypotheses"])) == ("u1", "s", 5)
    first = row["hypotheses"][0]["phones"]
    assert [(p["phone"], p["start"], p["end"]) for p in first] == [(p.phone, p.start, p.end) for p in best.phones]
    costs = [hypothesis["cost"] for hypothesis in row["hypotheses"]]
    assert costs == sorted(costs)
    assert len({tuple(p["phone"] for p in hypothesis["phones"]) for hypothesis in row["hypotheses"]}) == 5

    (paths,) = read_jsonl(tmp_path / "lattices.jsonl")
    behind = {int(node): cost for node, cost in paths["finals"].items()}
    for source, target, _, graph, acoustic in reversed(paths["arcs"]):
        cost = graph + paths["acoustic_scale"] * acoustic + behind[target]
        behind[source] = min(behind.get(source, math.inf), cost)
    assert behind[0] == pytest.approx(costs[0], abs=1e-2)
    assert paths["nodes"] == sorted(paths["nodes"])

    symbols = dict(line.split() for line in (tmp_path / "lattice_phones.txt").read_text().splitlines())
    assert symbols == {"<eps>": "0", "aa": "1", "b": "2", "sil": "3"}
    key, *lines, empty = (tmp_path / "lattices.txt").read_text().split("\n")[:-1]
    assert (key, empty) == ("u1 ", "")
    arcs = [line.split("\t") for line in lines if line.count("\t") == 3]
    assert len(arcs) == len(paths["arcs"])
    for (source, target, word, weight), row in zip(arcs, paths["arcs"], strict=True):
        graph, acoustic, alignment = weight.split(",")
        assert [int(source), int(target)] == row[:2]
        assert word == symbols[row[2] or "<eps>"]
        assert [float(graph), float(acoustic)] == pytest.approx(row[3:5], abs=1e-3, rel=1e-4)
        frames = len(alignment.split("_")) if alignment else 0
        assert 0.01 * frames == pytest.approx(paths["nodes"][row[1]] - paths["nodes"][row[0]], abs=1e-6)
    assert len(lines) == len(arcs) + len(paths["finals"])


def test_nothing_is_written_that_was_not_asked_for(decoder, tmp_path):
    with alternatives_files(tmp_path, DecodingConfig(), decoder) as write:
        write(Transcript("u"), posteriors(["aa"]), decoder.best_path(posteriors(["aa"])))
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


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


def noisy_dev(seed=0):
    random = np.random.default_rng(seed)
    sentences = [["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]] * 3
    return [(s, posteriors(s) + random.normal(0, 1.5, (24, 9)).astype(np.float32)) for s in sentences]


def test_tuning_takes_the_lowest_per_of_the_grid(graph):
    config = DecodingConfig(acoustic_scales=[0.01, 0.5, 1.0], insertion_penalties=[50.0, 0.0, -6.0], prior_scales=[1.0])
    tuned = tune(noisy_dev(), UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert len(tuned.trials) == 9
    assert tuned.per == min(trial.per for trial in tuned.trials)
    assert max(trial.per for trial in tuned.trials) > tuned.per
    assert tuned == tune(noisy_dev(), UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)


def test_tuning_holds_no_copy_of_the_dev_set(graph):
    class Dev:
        readings = 0

        def __iter__(self):
            self.readings += 1
            return iter(noisy_dev())

    config = DecodingConfig(acoustic_scales=[0.5, 1.0], insertion_penalties=[0.0, -6.0], prior_scales=[1.0])
    dev = Dev()
    assert tune(dev, UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config) == tune(
        noisy_dev(), UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config
    )
    assert dev.readings == 4


def test_equal_points_are_decided_by_the_middle_of_the_grid(graph):
    dev = [(["sil", "aa", "sil"], posteriors(["sil", "aa", "sil"], peak=0.9999))]
    config = DecodingConfig(acoustic_scales=[0.8, 1.0, 1.2], insertion_penalties=[-0.1, 0.1, 0.0])
    tuned = tune(dev, UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert (tuned.acoustic_scale, tuned.insertion_penalty, tuned.per, tuned.at_edge) == (1.0, 0.0, 0.0, [])


def test_the_middle_of_a_list_is_its_middle_place_not_its_middle_value(graph):
    dev = [(["sil", "aa", "sil"], posteriors(["sil", "aa", "sil"], peak=0.9999))]
    config = DecodingConfig(acoustic_scales=[0.5, 0.6, 0.7, 1.2, 2.0], insertion_penalties=[0.0], prior_scales=[1.0])
    tuned = tune(dev, UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert (tuned.acoustic_scale, tuned.per) == (0.7, 0.0)


def test_each_list_counts_in_how_near_a_point_is_to_the_middle(graph):
    """Only the first penalty recognises anything: the scale is still the one in the middle."""
    dev = [(["sil", "aa", "sil"], posteriors(["sil", "aa", "sil"], peak=0.9999))]
    config = DecodingConfig(
        acoustic_scales=[0.8, 1.0, 1.2], insertion_penalties=[0.0, 1000.0, 2000.0], prior_scales=[1.0]
    )
    tuned = tune(dev, UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert (tuned.acoustic_scale, tuned.insertion_penalty, tuned.per) == (1.0, 0.0, 0.0)


def test_the_weight_of_the_language_model_is_tuned_too(tmp_path):
    """What was said never occurs in training: the less the language model weighs, the better."""
    train_ngram([["aa", "b"] * 4] * 20, 2, PHONES, tmp_path / "lm.arpa")
    said = ["b", "b", "sil", "sil", "aa"]
    config = DecodingConfig(
        acoustic_scales=[0.2], insertion_penalties=[0.0], lm_weights=[30.0, 0.1, 1.0], prior_scales=[1.0]
    )
    tuned = tune(
        [(said, posteriors(said))],
        UNIFORM,
        lambda weight, penalty: BeamSearch(
            build_graph(tmp_path / "lm.arpa", PHONES, STATES, lm_weight=weight), 16.0, penalty
        ),
        PHONES,
        config,
    )
    assert [trial.lm_weight for trial in tuned.trials] == [0.1, 1.0, 30.0]
    pers = [trial.per for trial in tuned.trials]
    assert pers == sorted(pers)
    assert pers[0] < pers[-1]


def test_the_scale_of_the_priors_is_tuned_too(graph):
    """Posteriors that are likelihoods times priors: taking all of the priors off gives back what was said."""
    said = ["sil", "aa", "b", "sil"]
    priors = np.where(np.arange(len(UNIFORM)) < STATES, 0.999, 0.001)
    biased = posteriors(said) + np.log(priors).astype(np.float32)
    config = DecodingConfig(acoustic_scales=[1.0], insertion_penalties=[0.0], prior_scales=[0.0, 1.0])
    tuned = tune([(said, biased)], priors, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert (tuned.prior_scale, tuned.per) == (1.0, 0.0)
    assert tuned.trials[0].prior_scale == 0.0
    assert tuned.trials[0].per > 0


def test_the_edge_of_the_grid_is_reported(graph):
    config = DecodingConfig(acoustic_scales=[0.001, 1.0], insertion_penalties=[0.0])
    tuned = tune(
        [(["sil", "aa", "sil"], posteriors(["sil", "aa", "sil"]))],
        UNIFORM,
        lambda weight, penalty: BeamSearch(graph, 16.0, penalty),
        PHONES,
        config,
    )
    assert tuned.acoustic_scale == 1.0
    assert tuned.at_edge == ["acoustic_scales"]
