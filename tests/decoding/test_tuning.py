"""The choice of scales, penalty and weights on dev."""

from itertools import product

import numpy as np
from support.decoding.three_phones import PHONES, STATES, UNIFORM, noisy_dev, posteriors

from asr.config import DecodingConfig
from asr.decoding import grid
from asr.decoding.graph.build import build_graph
from asr.decoding.search.batch_viterbi import BatchViterbi
from asr.decoding.search.beam import BeamSearch
from asr.decoding.tuning import climb, tune
from asr.lm.ngram import train_ngram


def test_tuning_takes_the_lowest_per_of_the_grid(graph):
    config = DecodingConfig(acoustic_scales=[0.01, 0.5, 1.0], insertion_penalties=[50.0, 0.0, -6.0], prior_scales=[1.0])
    tuned = tune(noisy_dev(), UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)
    assert len(tuned.trials) == 9
    assert tuned.per == min(trial.per for trial in tuned.trials)
    assert max(trial.per for trial in tuned.trials) > tuned.per
    assert tuned == tune(noisy_dev(), UNIFORM, lambda weight, penalty: BeamSearch(graph, 16.0, penalty), PHONES, config)


def test_a_large_dev_set_gives_the_best_point_without_trying_all_of_it_everywhere(graph):
    dev = [each for seed in range(20) for each in noisy_dev(seed)]
    config = DecodingConfig(
        acoustic_scales=[0.01, 0.3, 1.0, 3.0], insertion_penalties=[50.0, 1.0, -1.0, -6.0], prior_scales=[1.0]
    )
    searched = 0

    class Counted(BeamSearch):
        def best_phones(self, *arguments):
            nonlocal searched
            searched += 1
            return super().best_phones(*arguments)

    def search(weight, penalty):
        return Counted(graph, 16.0, penalty)

    tuned = tune(dev, UNIFORM, search, PHONES, config)
    assert searched < 0.7 * 16 * len(dev)
    alone = {}
    for scale, penalty in product(config.acoustic_scales, config.insertion_penalties):
        point = DecodingConfig(acoustic_scales=[scale], insertion_penalties=[penalty], prior_scales=[1.0])
        alone[scale, penalty] = tune(dev, UNIFORM, search, PHONES, point).per
    assert tuned.per == alone[tuned.acoustic_scale, tuned.insertion_penalty] == min(alone.values())
    assert len(tuned.trials) < 16
    for trial in tuned.trials:
        assert trial.per == alone[trial.acoustic_scale, trial.insertion_penalty]


def test_searching_all_points_at_once_chooses_as_a_wide_beam(tmp_path, monkeypatch):
    """On the device of an exact search, while there are many points for each core; then one by one."""
    path = tmp_path / "lm.arpa"
    train_ngram([["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]], 2, PHONES, path)
    dev = [each for seed in range(8) for each in noisy_dev(seed)]
    config = DecodingConfig(
        acoustic_scales=[0.01, 0.3, 1.0],
        insertion_penalties=[50.0, 1.0, -6.0],
        prior_scales=[0.5, 1.0],
        lm_weights=[0.5, 1.0],
    )
    priors = np.linspace(1, 2, len(UNIFORM)) / len(UNIFORM)
    batches, alone = [], []

    class Watched(BatchViterbi):
        def best_paths(self, scores, lengths, weights):
            batches.append((len(lengths), len(weights)))
            return super().best_paths(scores, lengths, weights)

    class Beam(BeamSearch):
        def best_phones(self, *arguments):
            alone.append(arguments)
            return super().best_phones(*arguments)

    def tuned(cores, viterbi_for):
        monkeypatch.setattr(grid, "available_cores", lambda: cores)
        batches.clear()
        alone.clear()

        def search_for(weight, penalty):
            return Beam(build_graph(path, PHONES, STATES, lm_weight=weight), 1e6, penalty)

        return tune(dev, priors, search_for, PHONES, config, viterbi_for=viterbi_for)

    def viterbi_for(weight):
        return Watched(build_graph(path, PHONES, STATES, lm_weight=weight))

    expected = tuned(1, None)
    assert not batches
    assert tuned(1, viterbi_for) == expected
    assert max(batches) == (16, 9)
    assert tuned(1000, viterbi_for) == expected
    assert not batches
    assert alone


def test_climbing_ends_on_the_peak():
    for peak in range(10):
        tried = set()
        assert climb(lambda place, peak=peak, tried=tried: tried.add(place) or -abs(place - peak), 10) == peak
        assert len(tried) <= abs(peak - 4) + 3
    assert climb(lambda place: 0.0, 10) == 0
    assert climb(lambda place: 0.0, 1) == 0


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
