"""The best of N hypotheses."""

import json

import pytest

from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.scoring.oracle import oracle, oracle_files
from asr.storage.json_files import write_jsonl

LISTS = [
    (
        ["sil", "aa", "b", "sil"],
        ["sil", "aa", "sil"],
        [["sil", "aa", "sil"], ["sil", "b", "aa", "sil"], ["sil", "aa", "b", "sil"]],
    ),
    (["sil", "iy", "sil"], ["sil", "iy", "sil"], [["sil", "iy", "sil"], ["sil"]]),
]


def test_oracle_takes_the_fewest_errors_among_the_first():
    assert oracle(LISTS, 1).oracle_per == oracle(LISTS, 1).per == pytest.approx(100 / 7)
    assert oracle(LISTS, 2).oracle_per == pytest.approx(100 / 7)
    assert oracle(LISTS, 3).oracle_per == 0.0
    assert oracle(LISTS, 3).per == pytest.approx(100 / 7)


def test_an_empty_list_is_all_deletions():
    assert oracle([(["aa", "b"], ["aa", "b"], [])], 5).oracle_per == 100.0


def test_runs_of_silence_are_one_and_untranscribed_silence_is_none():
    assert oracle([(["sil", "aa"], [], [["sil", "sil", "aa"]])], 1).oracle_per == 0.0
    assert oracle([(["aa"], [], [["sil", "b"], ["sil", "aa", "sil"]])], 2, "cmu39").oracle_per == 0.0


def test_files(tmp_path):
    write_transcripts(tmp_path / "references.jsonl", [Transcript("u", [PhoneSegment("aa")])])
    write_transcripts(tmp_path / "hypotheses.jsonl", [Transcript("u", [PhoneSegment("aa"), PhoneSegment("b")])])
    files = [tmp_path / f"{name}.jsonl" for name in ("references", "hypotheses", "nbest")]
    hypotheses = [{"cost": 1.0, "phones": [{"phone": symbol}]} for symbol in ("b", "aa")]
    write_jsonl(tmp_path / "nbest.jsonl", [{"utterance": "u", "hypotheses": hypotheses}])
    found = oracle_files(*files, tmp_path, "timit39")
    assert (found.per, found.oracle_per) == (100.0, 0.0)
    assert json.loads((tmp_path / "oracle.json").read_text()) == {"nbest": 2, "per": 100.0, "oracle_per": 0.0}
    write_jsonl(tmp_path / "nbest.jsonl", [{"utterance": "v", "hypotheses": []}])
    with pytest.raises(InputError, match=r"nbest\.jsonl:1: not an n-best list"):
        oracle_files(*files, tmp_path, "timit39")
