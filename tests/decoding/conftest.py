"""A graph and a decoder of the language of three phones."""

import pytest
from support.decoding.three_phones import PHONES, STATES, UNIFORM

from asr.acoustics.frame_times import FrameTimes
from asr.config import FeaturesConfig
from asr.decoding.decode import Decoder
from asr.decoding.graph.build import build_graph
from asr.decoding.search.beam import BeamSearch
from asr.lm.ngram import train_ngram


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "lm" / "lm.arpa"
    train_ngram([["sil", "aa", "b", "sil"], ["sil", "b", "aa", "sil"]], 2, PHONES, path)
    return build_graph(path, PHONES, STATES)


@pytest.fixture
def decoder(graph):
    return Decoder(BeamSearch(graph, 16.0), 1.0, UNIFORM, PHONES, FrameTimes.of(FeaturesConfig()))
