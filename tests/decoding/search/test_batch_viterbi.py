"""The exact batch search against enumeration, and the beam search against the exact one."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.decoding.exact_search import best_by_enumeration
from support.decoding.random_graphs import PHONES, random_case, spans

from asr.config import RecipeConfig
from asr.corpora.cuts import phone_sequence, read_cuts
from asr.corpora.prepare import prepare
from asr.decoding.graph.build import build_graph
from asr.decoding.graph.topology import Graph
from asr.decoding.search.batch_viterbi import BatchViterbi, Weights
from asr.decoding.search.batches import batch_phones
from asr.decoding.search.beam import BeamSearch
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.features.stage import compute_features
from asr.lm.ngram import train_ngram
from asr.lm.word_starts import symbols
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set
from asr.training.data.speech import load_speech

DEFAULT_BEAM = 16.0


def batch(utterances, classes):
    """Padded scores [B, T, C] and lengths; the padding must not matter."""
    scores = torch.full((len(utterances), max(map(len, utterances)), classes), 50.0)
    for row, utterance in enumerate(utterances):
        scores[row, : len(utterance)] = torch.from_numpy(utterance)
    return scores, [len(utterance) for utterance in utterances]


def same(first, second):
    return (
        first.phones == second.phones
        and first.classes.tolist() == second.classes.tolist()
        and first.complete == second.complete
        and first.cost == pytest.approx(second.cost, abs=1e-9)
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), states=st.sampled_from([1, 2, 3]), extra=st.integers(0, 3))
def test_the_best_path_is_that_of_enumeration(seed, order, states, extra):
    random, ngrams, self_loops, graph = random_case(seed, order, states)
    scores = random.normal(0, 3, (states + extra, len(self_loops))).astype(np.float32)
    weights = Weights(float(random.uniform(0.2, 2)), float(random.normal()))
    expected, expected_spans = best_by_enumeration(
        ngrams,
        PHONES,
        states,
        self_loops,
        weights.acoustic_scale * scores.astype(np.float64),
        weights.insertion_penalty,
    )
    ((path,),) = BatchViterbi(graph).best_paths(*batch([scores], len(self_loops)), [weights])
    assert path.complete
    assert path.cost == pytest.approx(expected, abs=1e-6)
    if not any(first == second for (first, *_), (second, *_) in itertools.pairwise(expected_spans)):
        assert spans(path) == expected_spans  # where a phone repeats, its boundary may be a tie


def test_a_beam_search_that_discards_tokens_finds_the_exact_path_of_a_long_recording():
    random, _, self_loops, graph = random_case(0, 2, 3)
    scores = random.normal(0, 3, (8000, len(self_loops))).astype(np.float32)
    ((exact,),) = BatchViterbi(graph).best_paths(*batch([scores], len(self_loops)), [Weights(0.7)])
    found = BeamSearch(graph, np.inf).best_path(scores, 0.7)
    assert (found.phones, found.complete) == (exact.phones, exact.complete)
    assert found.cost == pytest.approx(exact.cost)


def test_an_utterance_of_blanks_alone_has_no_phones(tmp_path):
    """Among others in a batch, under CTC and a bigram that knows word starts."""
    path = tmp_path / "lm.arpa"
    train_ngram([["aa_B", "b"], ["b_B"]], 2, symbols(("aa", "b")), path)
    graph = build_graph(path, ("aa", "b"), topology="ctc")
    blanks, spoken = np.full((2, 5, 3), -9.0, np.float32)
    blanks[:, 0] = 0.0
    spoken[[0, 1, 2, 3, 4], [1, 0, 2, 0, 0]] = 0.0
    found = BatchViterbi(graph).best_paths(*batch([blanks, spoken], 3), [Weights()])
    assert [spans(path) for (path,) in found] == [[], [(0, 0, 2), (1, 2, 5)]]
    assert all(
        same(path, BeamSearch(graph, np.inf).best_path(each))
        for (path,), each in zip(found, (blanks, spoken), strict=True)
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(1, 4), states=st.sampled_from([1, 3]), flat=st.booleans())
def test_a_batch_under_many_weights_is_each_utterance_alone(seed, order, states, flat):
    """Ties too: with equal scores everywhere, both searches must break them alike."""
    random, _, self_loops, graph = random_case(seed, order, states)
    deviation = 0.0 if flat else 4.0
    utterances = [
        random.normal(0, deviation, (frames, len(self_loops))).astype(np.float32) for frames in (12, 0, 5, states)
    ]
    weights = [Weights(scale, penalty) for scale in (0.3, 1.0) for penalty in (-2.0, 0.0, 1.5)]
    found = BatchViterbi(graph).best_paths(*batch(utterances, len(self_loops)), weights)
    for scores, paths in zip(utterances, found, strict=True):
        for weight, path in zip(weights, paths, strict=True):
            alone = BeamSearch(graph, np.inf, weight.insertion_penalty).best_path(scores, weight.acoustic_scale)
            assert same(path, alone)


@pytest.mark.parametrize("most", [1, 1 << 30])
def test_phones_under_many_weights_are_those_of_each_path_whatever_fits_in_memory(most):
    random, _, self_loops, graph = random_case(5, 2, 3)
    utterances = [random.normal(0, 3, (frames, len(self_loops))).astype(np.float32) for frames in (30, 12)]
    weights = [Weights(scale, penalty) for scale in (0.3, 1.0) for penalty in (-2.0, 1.5)]
    found = batch_phones(utterances, BatchViterbi(graph), weights, most)
    for scores, each in zip(utterances, found, strict=True):
        for weight, phones in zip(weights, each, strict=True):
            beam = BeamSearch(graph, np.inf, weight.insertion_penalty)
            assert phones.tolist() == beam.best_phones(scores, weight.acoustic_scale).tolist()


def test_too_few_frames_give_the_best_beginning():
    random, _, self_loops, graph = random_case(0, 2, 3)
    scores = random.normal(0, 3, (2, len(self_loops))).astype(np.float32)
    ((path,),) = BatchViterbi(graph).best_paths(*batch([scores], len(self_loops)), [Weights()])
    assert not path.complete
    assert same(path, BeamSearch(graph, np.inf).best_path(scores))


def test_what_does_not_fit_is_refused():
    _, _, self_loops, graph = random_case(0, 2, 1)
    search = BatchViterbi(graph)
    with pytest.raises(InputError, match="not finite"):
        search.best_paths(torch.full((1, 3, len(self_loops)), torch.nan), [3], [Weights()])
    with pytest.raises(ValueError, match="3 classes"):
        search.best_paths(torch.zeros(1, 3, 2), [3], [Weights()])
    dead_end = Graph(0, 2, 1, [(0, 1, 1, 1, 0.0)], {1: 0.0})
    for decode in (
        lambda: BatchViterbi(dead_end).best_paths(torch.zeros(1, 2, 1), [2], [Weights()]),
        lambda: BeamSearch(dead_end, np.inf).best_path(np.zeros((2, 1), np.float32)),
    ):
        with pytest.raises(ValueError, match="no path of so many frames"):
            decode()
    with pytest.raises(ValueError, match="form a cycle"):
        BatchViterbi(Graph(0, 2, 1, [(0, 1, 0, 0, 0.0), (1, 0, 0, 0, 0.0)], {1: 0.0}))


@pytest.mark.cuda
def test_cuda_finds_the_paths_of_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    random, _, self_loops, graph = random_case(3, 3, 3)
    utterances = [random.normal(0, 3, (frames, len(self_loops))).astype(np.float32) for frames in (80, 33, 60)]
    scores, lengths = batch(utterances, len(self_loops))
    weights = [Weights(0.5, -1.0), Weights(1.0, 0.5)]
    on_cpu = BatchViterbi(graph).best_paths(scores, lengths, weights)
    on_cuda = BatchViterbi(graph, "cuda").best_paths(scores, lengths, weights)
    for first, second in zip(itertools.chain(*on_cpu), itertools.chain(*on_cuda), strict=True):
        assert same(first, second)
        assert first.cost == second.cost


@pytest.fixture(scope="module")
def real_speech(timit_sample, tmp_path_factory):
    """A trigram of the sample's training transcripts, and log scores [T, C] of its dev set under a Gaussian a class."""
    folder = tmp_path_factory.mktemp("sample")
    targets = {"phone_set": "timit48", "states": 3}
    corpus = {"name": "timit", "dir": timit_sample, "folds": 4}
    config = RecipeConfig.model_validate({"corpus": corpus, "targets": targets})
    phones = load_phone_set("timit48")
    prepare(config.corpus, folder)
    compute_features(config, folder / "fold-1", folder / "features", torch.device("cpu"))
    dataset = Dataset(folder / "fold-1", folder / "features")
    train, dev = (
        load_speech(config, dataset.split(split, config.features), 4, torch.device("cpu")) for split in ("train", "dev")
    )
    labels = train.labels.numpy()
    centres = np.flatnonzero(labels >= 0)
    classifier = gaussians(windows(train.rows.numpy(), centres), labels[centres], 3 * len(phones))
    utterances = [
        classifier(windows(dev.rows.numpy(), np.arange(first, first + length)))
        for first, length in zip(dev.starts.tolist(), dev.lengths.tolist(), strict=True)
    ]
    transcripts = [phone_sequence(cut) for cut in read_cuts(folder / "fold-1" / "train.cuts.jsonl.gz")]
    train_ngram([fold(transcript, "timit48") for transcript in transcripts], 3, phones, folder / "lm.arpa")
    return build_graph(folder / "lm.arpa", phones, 3, np.full(3 * len(phones), 0.6)), utterances


def windows(rows, centres):
    """Every other frame of nine [F, 5 * D]."""
    return np.concatenate([rows[centres + offset] for offset in (-4, -2, 0, 2, 4)], axis=1)


def gaussians(inputs, labels, classes):
    """Log densities [T, C], up to a constant of the frame, of classes that share a covariance."""
    means = np.stack([inputs[labels == label].mean(axis=0) for label in range(classes)])
    precision = np.linalg.inv(np.cov((inputs - means[labels]).T) + 0.1 * np.eye(inputs.shape[1]))
    offsets = -0.5 * np.einsum("cd,de,ce->c", means, precision, means)
    return lambda frames: (frames @ precision @ means.T + offsets).astype(np.float32)


@pytest.mark.corpora
@pytest.mark.parametrize("penalty", [-2.0, 1.0])
def test_the_default_beam_finds_the_exact_paths_of_real_speech(real_speech, penalty):
    """With a trigram, at scales that tuning chooses; and a wider beam never finds a worse path."""
    graph, utterances = real_speech
    decoders = {beam: BeamSearch(graph, beam, penalty) for beam in (2.0, 4.0, 8.0, DEFAULT_BEAM, np.inf)}
    for scale in (0.2, 0.5):
        for scores in utterances:
            paths = [decoder.best_path(scores, scale) for decoder in decoders.values()]
            costs = [path.cost if path.complete else np.inf for path in paths]
            assert costs == sorted(costs, reverse=True)
            assert same(paths[-2], paths[-1])


@pytest.mark.corpora
def test_the_batch_search_finds_the_same_paths_of_real_speech(real_speech):
    graph, utterances = real_speech
    utterances = sorted(utterances, key=len)[:3]
    found = BatchViterbi(graph).best_paths(*batch(utterances, graph.classes), [Weights(0.5, -1.0)])
    for scores, (path,) in zip(utterances, found, strict=True):
        assert same(path, BeamSearch(graph, DEFAULT_BEAM, -1.0).best_path(scores, 0.5))


@pytest.mark.corpora
def test_kaldis_decoder_finds_the_same_paths_of_real_speech(real_speech):
    kaldi_decoder, kaldifst = pytest.importorskip("kaldi_decoder"), pytest.importorskip("kaldifst")
    graph, utterances = real_speech
    from benchmarks.openfst import openfst

    fst = openfst(graph, -1.0)
    theirs = kaldi_decoder.FasterDecoder(fst, kaldi_decoder.FasterDecoderOptions(beam=DEFAULT_BEAM))
    for scores in utterances:
        theirs.decode(kaldi_decoder.DecodableCtc(np.float32(0.5) * scores))
        _, lattice = theirs.get_best_path(use_final_probs=True)
        _, labels, phones, weight = kaldifst.get_linear_symbol_sequence(lattice)
        path = BeamSearch(graph, DEFAULT_BEAM, -1.0).best_path(scores, 0.5)
        assert path.cost == pytest.approx(weight.value1 + weight.value2, abs=0.02)
        assert [span.phone + 1 for span in path.phones] == phones
        assert (path.classes + 1).tolist() == labels
