"""What a bundle's recipe makes of its search."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.models.small_bundle import peaked, small_bundle

from asr.acoustics.tables import Tuning
from asr.decoding.bundle_decoder import CONFIDENCE_ORDER, bundle_decoder
from asr.decoding.decode import decode_utterance
from asr.decoding.graph.build import build_graph
from asr.decoding.graph.flat_graph import flatten
from asr.formats.transcript import Transcript
from asr.phones.phone_set import load_phone_set

CTC = {"targets": {"phone_set": "timit39", "states": 1}, "training": {"loss": "ctc"}}


def test_a_bundle_does_not_tell_phones_apart_that_scoring_folds_to_one(tmp_path: Path) -> None:
    """Scoring makes one of aa and ao, two of the 48 phones, but not of aa and iy; the frames cannot tell them apart."""
    targets = {"phone_set": "timit48", "states": 1}
    phones = load_phone_set("timit48")
    sil, *vowels = (phones.index(phone) for phone in ("sil", "aa", "ao", "iy"))
    said = [["sil", phone, "sil"] for phone in ("aa", "ao", "iy")]
    search = bundle_decoder(small_bundle(tmp_path, said, targets=targets), Tuning(posterior_scale=1.0))
    scores = []
    for other in vowels[1:]:
        posteriors = peaked([sil] * 4 + [vowels[0]] * 4 + [sil] * 4, len(phones))
        posteriors[:, other] = posteriors[:, vowels[0]] - np.float32(0.01)
        decoded = decode_utterance(Transcript("u"), posteriors, search)
        assert decoded.symbols == ["sil", "aa", "sil"]
        scores.append(decoded.phones[1].score or 0.0)
    assert scores[0] > 0.95
    assert scores[1] < 0.7


@pytest.mark.parametrize(("topology", "heard"), [("standard", 1), ("modified", 4)])
def test_a_bundle_s_ctc_topology_is_that_of_its_recipe(tmp_path: Path, topology: str, heard: int) -> None:
    """Without a blank between them, four phones that are the same are four in the modified topology alone."""
    bundle = small_bundle(tmp_path, [["aa", "aa"]] * 20, decoding={"ctc": topology}, **CTC)
    phones = load_phone_set("timit39")
    posteriors = peaked([1 + phones.index("aa")] * 4, 1 + len(phones), peak=1 - 1e-6)
    found = bundle_decoder(bundle, Tuning(insertion_penalty=-5.0)).best_path(posteriors)
    assert [phones[span.phone] for span in found.phones] == ["aa"] * heard


@pytest.mark.parametrize("search", ["graph", "greedy", "prefix_beam"])
def test_every_search_has_confidences_of_a_graph_of_shorter_ngrams(tmp_path: Path, search: str) -> None:
    random = np.random.default_rng(0)
    said = [random.choice(["aa", "b", "iy", "s"], 12).tolist() for _ in range(20)]
    bundle = small_bundle(tmp_path, said, lm={"order": CONFIDENCE_ORDER + 2}, decoding={"search": search}, **CTC)
    decoder = bundle_decoder(bundle, Tuning(insertion_penalty=0.5))
    phones = load_phone_set("timit39")
    shorter, whole = (build_graph(tmp_path / "lm.arpa", phones, topology="ctc", order=n) for n in (3, 5))
    assert decoder.graph_search.flat.states == (whole if search == "graph" else shorter).states
    assert whole.states > 2 * shorter.states
    posteriors = peaked([0, *(1 + phones.index(phone) for phone in ("aa", "b", "aa")), 0], 1 + len(phones), peak=0.6)
    path = decoder.best_path(posteriors)
    small = replace(decoder, confidence_graph=flatten(shorter, 0.5))
    assert decoder.confidences(posteriors, path).tolist() == small.confidences(posteriors, path).tolist()


@pytest.mark.parametrize("search", ["graph", "greedy", "prefix_beam"])
def test_a_recipe_can_leave_confidences_out(tmp_path: Path, search: str) -> None:
    phones = load_phone_set("timit39")
    posteriors = peaked([0, 1 + phones.index("aa"), 0], 1 + len(phones))
    found = {}
    for confidences in (True, False):
        decoding = {"search": search, "confidences": confidences}
        bundle = small_bundle(tmp_path, [["aa", "b"]] * 5, lm={"order": 4}, decoding=decoding, **CTC)
        found[confidences] = decode_utterance(Transcript("u"), posteriors, bundle_decoder(bundle, Tuning()))
    assert found[True].symbols == found[False].symbols == ["aa"]
    assert found[True].phones[0].score is not None
    assert found[False].to_json()["phones"] == [
        {"phone": each.phone, "start": each.start, "end": each.end} for each in found[True].phones
    ]
