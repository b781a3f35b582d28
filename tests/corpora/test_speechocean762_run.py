"""A whole run on a corpus that has neither phone times nor silences."""

import json
from pathlib import Path

from support.commands.asr_command import Command
from support.corpora.speechocean762_tree import PHONES, TRAIN, build_speechocean762

from asr.formats.transcript import read_transcripts
from asr.phones.phone_set import load_phone_set
from asr.storage.json_files import read_jsonl

RECIPE = """\
corpus: {{name: speechocean762, dir: {corpus}}}
features: {{bins: 10, cmvn: utterance}}
targets: {{phone_set: cmu39, states: 1}}
model: {{type: gru, layers: 1, width: 8}}
training: {{loss: ctc, epochs: 1, batch_size: 1000}}
decoding: {{acoustic_scales: [1.0], insertion_penalties: [0.0]}}
scoring: {{phone_set: cmu39, bootstrap: 20}}
"""


def test_a_run_by_ctc_from_the_corpus_to_the_report(tmp_path: Path, asr_command: Command) -> None:
    build_speechocean762(tmp_path / "corpus", train=TRAIN[:10])
    recipe = tmp_path / "ctc.yaml"
    recipe.write_text(RECIPE.format(corpus=tmp_path / "corpus"))
    outcome = asr_command("run", recipe, "--out", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["corpus"], results["phone_set"], results["silence_transcribed"]) == (
        "speechocean762",
        "cmu39",
        False,
    )
    assert results["counted"] == results["optional"] == results["removed"]
    assert results["counted"]["reference_phones"] == 4 * len(PHONES)
    for name in ("report.md", "report.html"):
        assert "The references have no silence" in (tmp_path / "run" / name).read_text()
    references = list(read_transcripts(tmp_path / "run" / "decode" / "test" / "references.jsonl"))
    assert [reference.symbols for reference in references] == [PHONES] * 4
    assert all(segment.start is None for reference in references for segment in reference.phones)
    evaluation = asr_command("align", tmp_path / "run", "--evaluate")
    assert evaluation.status == 1
    assert "its corpus has no phone times to compare with" in evaluation.err


def test_models_by_ctc_decode_together(tmp_path: Path, asr_command: Command) -> None:
    """With word starts in the language model, and prefixes scored by all of them."""
    build_speechocean762(tmp_path / "corpus", train=TRAIN[:10])
    recipe = tmp_path / "ctc.yaml"
    recipe.write_text(RECIPE.format(corpus=tmp_path / "corpus"))
    settings = ["--set", "lm={order: 3, word_starts: true}", "--set", "decoding.search=prefix_beam"]
    for number in (1, 2):
        run = ("run", recipe, "--out", tmp_path / f"run-{number}", "--set", f"seed={number}", *settings)
        outcome = asr_command(*run)
        assert outcome.status == 0, outcome.err
    assert "_B" in (tmp_path / "run-2" / "decode" / "bundle" / "lm.arpa").read_text()
    both = (*run, "--set", f'decoding.ensemble=["{tmp_path / "run-1"}"]')
    outcome = asr_command(*both)
    assert outcome.status == 0, outcome.err
    hypotheses = list(read_transcripts(tmp_path / "run-2" / "decode" / "test" / "hypotheses.jsonl"))
    assert {phone.phone for spoken in hypotheses for phone in spoken.phones} <= set(load_phone_set("cmu39"))
    assert all(0 <= phone.score <= 1 for spoken in hypotheses for phone in spoken.phones)
    audio = next((tmp_path / "corpus").rglob("*.WAV"))
    outcome = asr_command("transcribe", tmp_path / "run-2", audio, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert asr_command(*both, "--set", "decoding.nbest=5").status == 0
    lists = [row["hypotheses"] for row in read_jsonl(tmp_path / "run-2" / "decode" / "test" / "nbest.jsonl")]
    assert [[phone["phone"] for phone in found[0]["phones"]] for found in lists] == [
        each.symbols for each in hypotheses
    ]
    assert all(1 <= len(found) <= 5 for found in lists)
    refused = asr_command(*both, "--set", "decoding.lattices=true")
    assert refused.status == 1
    assert "lattices need a graph; set lattices: false, or search: graph" in refused.err


def test_word_starts_need_words_with_their_phones(tiny_recipe: Path, own_run: Path, asr_command: Command) -> None:
    outcome = asr_command("run", tiny_recipe, "--out", own_run, "--set", "lm.word_starts=true")
    assert outcome.status == 1
    assert "lm.word_starts: utterance " in outcome.err
    assert "has no words with their phones; set it to false" in outcome.err


def test_a_run_by_a_flat_start_has_the_per_of_each_round(tmp_path: Path, asr_command: Command) -> None:
    build_speechocean762(tmp_path / "corpus", train=TRAIN[:10])
    recipe = tmp_path / "hmm.yaml"
    recipe.write_text(RECIPE.format(corpus=tmp_path / "corpus"))
    rounds = {"epochs": 1, "flat_start": True, "realign": 1}
    command = ("run", recipe, "--set", f"training={json.dumps(rounds)}", "--out", tmp_path / "run")
    outcome = asr_command(*command)
    assert outcome.status == 0, outcome.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [row["round"] for row in results["rounds"]] == [0, 1]
    assert results["rounds"][1]["counted"] == results["counted"]
    for name in ("report.md", "report.html"):
        assert "model of the previous round" in (tmp_path / "run" / name).read_text()
    assert "running" not in asr_command(*command).err


def test_training_on_frames_says_that_there_are_no_phone_times(tmp_path: Path, asr_command: Command) -> None:
    build_speechocean762(tmp_path / "corpus", train=TRAIN[:10])
    recipe = tmp_path / "hmm.yaml"
    recipe.write_text(RECIPE.format(corpus=tmp_path / "corpus"))
    outcome = asr_command("run", recipe, "--set", "training.loss=cross_entropy", "--out", tmp_path / "run")
    assert outcome.status != 0
    assert "has no phones with times; set training.flat_start, or training.loss: ctc" in outcome.err
    assert "Traceback" not in outcome.err
