"""N-best lists and lattices as files."""

import math

import pytest
from support.decoding.three_phones import posteriors

from asr.config import DecodingConfig
from asr.decoding.alternatives import alternatives_files
from asr.decoding.decode import decode_utterance
from asr.formats.transcript import PhoneSegment, Transcript
from asr.storage.json_files import read_jsonl


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
