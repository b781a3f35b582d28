"""`asr decode` on a trained bundle."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.commands.asr_command import snapshot

from asr.acoustics.bundle import read_bundle
from asr.alignment.states import StateAlignment, write_alignments
from asr.corpora.cuts import phone_sequence, read_cuts
from asr.decoding.stage import write_lm
from asr.features.archive import Archive, ArchiveWriter
from asr.features.dataset import Dataset
from asr.lm.ngram import train_ngram
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set
from asr.storage.json_files import read_jsonl
from asr.storage.lock import locked
from asr.storage.run_layout import alignments_path


def outputs(folder):
    return {name: content for name, content in snapshot(folder).items() if name != ".asr.jsonl"}


def test_weights_are_kept_and_alternatives_written_as_asked(asr_command, own_run, tmp_path):
    bundle = own_run / "decode" / "bundle"
    tuned = "acoustic_scale: 1.5\ninsertion_penalty: -2.0\nlm_weight: 1.5\nprior_scale: 0.7\nposterior_scale: 0.2\n"
    tuned += "confidence_slope: 0.9\nconfidence_offset: 0.1\n"
    (bundle / "decoding.yaml").write_text(tuned)
    inputs = bundle, own_run / "prepare", own_run / "features"
    done = asr_command(
        "decode",
        *inputs,
        tmp_path / "out",
        "--no-tune",
        "--nbest",
        100,
        "--lattices",
        "--set=decoding.lattice_density=10",
    )
    assert done.status == 0, done.err
    assert not (tmp_path / "out" / "tuning.json").exists()
    assert sorted((tmp_path / "out" / "bundle" / "decoding.yaml").read_text().split("\n")) == sorted(tuned.split("\n"))
    for split in ("dev", "test"):
        folder = tmp_path / "out" / split
        best = [row["phones"] for row in read_jsonl(folder / "hypotheses.jsonl")]
        lists = [row["hypotheses"] for row in read_jsonl(folder / "nbest.jsonl")]
        assert all(1 <= len(hypotheses) <= 100 for hypotheses in lists)
        symbols = [[phone["phone"] for phone in phones] for phones in best]
        assert [[phone["phone"] for phone in hypotheses[0]["phones"]] for hypotheses in lists] == symbols
        assert len(list(read_jsonl(folder / "lattices.jsonl"))) == len(best)
    scored = asr_command("score", folder / "references.jsonl", folder / "hypotheses.jsonl", "--out", tmp_path / "score")
    assert scored.status == 0, scored.err
    assert "best of" in scored.err
    found = json.loads((tmp_path / "score" / "oracle.json").read_text())
    assert found["oracle_per"] <= found["per"]
    assert json.loads((tmp_path / "score" / "calibration.json").read_text())["phones"] > 0
    assert asr_command("decode", *inputs, tmp_path / "out", "--no-tune").status == 0
    kept = {path.name for path in (tmp_path / "out" / "test").iterdir()}
    assert not kept & {"nbest.jsonl", "lattices.jsonl", "lattices.txt", "lattice_phones.txt"}
    assert "hypotheses.jsonl" in kept


def test_a_decoding_that_fails_leaves_the_previous_one_whole(asr_command, own_run, tmp_path):
    bundle, prepared, features = own_run / "train" / "bundle", own_run / "prepare", own_run / "features"
    out = tmp_path / "out"
    assert asr_command("decode", bundle, prepared, features, out).status == 0
    before = outputs(out)
    other = shutil.copytree(features, tmp_path / "other")
    known = Archive(features / "test")
    with ArchiveWriter(other / "test", known.dim) as archive:
        for number, name in enumerate(known.utterances):
            archive.append(f"other-{name}" if number else name, known.speakers[number], known[number])
    missing = f"{len(known) - 1} of its {len(known)} utterances are not in"
    failed = asr_command("decode", bundle, prepared, other, out, "--set", "lm.order=3")
    assert failed.status == 1
    assert f"{other / 'test'}: {missing} {prepared / 'test.cuts.jsonl.gz'}" in failed.err
    assert outputs(out) == before
    untuned = asr_command("decode", bundle, prepared, features, out, "--no-tune")
    assert untuned.status == 0
    assert f"Not tuned; using default weights: {bundle}" in untuned.err
    assert not (out / "tuning.json").exists()
    with locked(out, "the argument OUT"):
        assert "Another asr process is using this folder" in asr_command("decode", bundle, prepared, features, out).err


def test_utterances_without_a_whole_path_are_counted_for_each_split(asr_command, own_run, tmp_path):
    inputs = own_run / "train" / "bundle", own_run / "prepare", own_run / "features", tmp_path / "out"
    narrow = asr_command("decode", *inputs, "--set", "decoding.beam=0.001")
    assert narrow.status == 0, narrow.err
    for split in ("dev", "test"):
        utterances = [row["utterance"] for row in read_jsonl(tmp_path / "out" / split / "hypotheses.jsonl")]
        said = rf"{split}: (\d+) of {len(utterances)} utterances are too short for a whole path.*: (.*)"
        found = re.search(said, narrow.err)
        assert found
        assert 0 < int(found[1]) <= len(utterances)
        assert found[2].split(", ")[0] in utterances
    assert "whole path" not in asr_command("decode", *inputs).err


def test_a_run_with_folds_is_not_decoded_as_one(asr_command, own_run, tmp_path):
    folds = tmp_path / "folds"
    shutil.copytree(own_run / "decode", folds / "fold-1" / "decode")
    inputs = own_run / "prepare", own_run / "features", tmp_path / "out"
    for command in ((folds, *inputs), (own_run, *inputs, "--set", f'decoding.ensemble=["{folds}"]')):
        refused = asr_command("decode", *command)
        assert refused.status == 1
        assert f"{folds}: has folds, each with its own model; give one fold, such as its fold-1" in refused.err


def test_a_run_tunes_the_confidences_too(own_run):
    tuning = json.loads((own_run / "decode" / "tuning.json").read_text())
    assert tuning["lm_weight"] == 1.0
    assert 0 < tuning["posterior_scale"] <= 1
    assert 1 < tuning["dev_perplexity"] < 100
    assert not (own_run / "decode" / "test" / "nbest.jsonl").exists()
    assert (own_run / "score" / "calibration.json").is_file()
    assert (own_run / "report-figures" / "reliability.svg").is_file()


def test_a_recipe_can_do_without_confidences(asr_command, tiny_recipe, own_run, tmp_path):
    recording = next(iter(read_cuts(own_run / "prepare" / "test.cuts.jsonl.gz"))).recording.sources[0].source
    with_scores = (own_run / "decode/test/hypotheses.jsonl").read_text()
    run = asr_command("run", tiny_recipe, "--set", "decoding.confidences=false", "-o", own_run)
    assert run.status == 0, run.err
    rows = list(read_jsonl(own_run / "decode/test/hypotheses.jsonl"))
    assert all(phone.keys() == {"phone", "start", "end"} for row in rows for phone in row["phones"])
    without = [phone["phone"] for row in rows for phone in row["phones"]]
    assert without == re.findall(r'"phone": "(.*?)"', with_scores)
    assert "posterior_scale" not in json.loads((own_run / "decode/tuning.json").read_text())
    assert not (own_run / "score/calibration.json").exists()
    assert "reliability" not in (own_run / "report.md").read_text()
    transcribe = ("transcribe", own_run, recording, "-o", tmp_path / "out", "--format", "ctm", "--format", "csv")
    refused = asr_command(*transcribe, "--min-score", "0.5")
    assert refused.status == 1
    assert "decoding.confidences: false, so phones have no scores; leave --min-score out" in refused.err
    assert not (tmp_path / "out").exists()
    assert asr_command(*transcribe).status == 0
    assert all(len(line.split()) == 5 for line in next((tmp_path / "out").rglob("*.ctm")).read_text().splitlines())


def test_a_language_model_is_estimated_once(asr_command, own_run, tmp_path):
    """A bundle from training gets one, with any settings; a bundle that has one keeps it."""
    inputs = own_run / "prepare", own_run / "features", tmp_path / "out", "--set", "lm.order=3"
    done = asr_command("decode", own_run / "decode" / "bundle", *inputs)
    assert done.status == 1
    assert "the bundle that asr train wrote" in done.err
    done = asr_command("decode", own_run / "train" / "bundle", *inputs)
    assert done.status == 0, done.err
    assert "order 3" in done.err
    assert "ngram 3=" in (tmp_path / "out" / "bundle" / "lm.arpa").read_text()


@pytest.mark.parametrize("aligned", [False, True])
def test_a_language_model_learns_the_silences_that_training_heard(own_run: Path, tmp_path: Path, aligned: bool) -> None:
    """It learns the transcript of an utterance that could not be aligned, and all of them if nothing was aligned."""
    trained = read_bundle(own_run / "train" / "bundle")
    cuts = list(read_cuts(own_run / "prepare" / "train.cuts.jsonl.gz"))
    sentences = [fold(phone_sequence(cut), "timit39") for cut in cuts]
    if aligned:
        sentences[1:] = [[heard for phone in said for heard in (phone, "sil")] for said in sentences[1:]]
        alignments = [StateAlignment(heard, np.arange(len(heard) + 1) / 100) for heard in sentences]
        rows = [(cuts[0].id, StateAlignment(), "too short")]
        rows += [(cut.id, each, None) for cut, each in zip(cuts[1:], alignments[1:], strict=True)]
        write_alignments(alignments_path(own_run / "train", "train"), "a model", rows)
    write_lm(trained, replace(trained, folder=tmp_path / "out"), Dataset(own_run / "prepare", own_run / "features"))
    train_ngram(sentences, trained.config.lm.order, load_phone_set("timit39"), tmp_path / "expected.arpa")
    assert (tmp_path / "out" / "lm.arpa").read_text() == (tmp_path / "expected.arpa").read_text()


def test_a_model_that_was_only_trained_recognises_nothing_yet(asr_command, own_run, demo_corpus, tmp_path):
    audio = next(demo_corpus.rglob("*.flac"))
    done = asr_command("transcribe", own_run / "train" / "bundle", audio, "--out", tmp_path / "out")
    assert done.status == 1
    assert "the bundle that asr decode wrote" in done.err
    assert "Traceback" not in done.err
