"""A phone set of the user's own, from the recipe to a bundle that is used elsewhere."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from support.commands.asr_command import Command, done

from asr.formats.transcript import read_transcripts
from asr.phones.folding import folding

RECIPE = """\
corpus: {{name: demo, dir: {corpus}}}
features: {{bins: 10}}
targets: {{phone_set: {phones}, states: 1}}
model: {{type: dnn, layers: 1, width: 8, context: 1}}
training: {{epochs: 1, batch_size: 64}}
decoding: {{acoustic_scales: [1.0], insertion_penalties: [0.0], prior_scales: [1.0]}}
scoring: {{bootstrap: 20}}
"""
MANNERS = {
    "silence": ("sil",),
    "stop": tuple("bdgptk"),
    "vowel": ("iy", "ih", "eh", "ae", "aa", "ah", "uw", "uh", "ey"),
}


@pytest.fixture
def own_phones(tmp_path: Path) -> Path:
    """Four manners of articulation, with the folding from TIMIT's phones."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "manners.txt").write_text("vowel\nstop\nother\nsilence\tsilence\n")
    manner = {phone: name for name, phones in MANNERS.items() for phone in phones}
    rows = ((symbol, to39 and manner.get(to39, "other")) for symbol, to39 in folding("timit39", "timit61").items())
    (folder / "timit61-manners.tsv").write_text("".join(f"{symbol}\t{manner or '-'}\n" for symbol, manner in rows))
    return folder / "manners.txt"


def test_a_model_of_its_own_phones_is_trained_scored_and_used_without_their_file(
    tiny_corpus: Path, own_phones: Path, tmp_path: Path, asr_command: Command
) -> None:
    recipe, run = tmp_path / "own.yaml", tmp_path / "run"
    recipe.write_text(RECIPE.format(corpus=tiny_corpus, phones=own_phones))
    outcome = asr_command("run", recipe, "--out", run)
    assert outcome.status == 0, outcome.err
    results = json.loads((run / "results.json").read_text())
    assert results["phone_set"] == "manners"
    names = {"vowel", "stop", "other", "silence"}
    assert {
        phone.phone
        for spoken in read_transcripts(run / "decode" / "test" / "hypotheses.jsonl")
        for phone in spoken.phones
    } <= names

    test = run / "decode" / "test"
    outcome = asr_command("score", test / "references.jsonl", test / "hypotheses.jsonl", "--phone-set", own_phones)
    assert f"{results['counted']['per']:.1f}" in outcome.out

    card = asr_command("model", "card", run, "--license", "mit")
    assert card.status == 0, card.err
    text = Path(card.out.strip()).read_text()
    assert "language:\n- und\n" in text  # not English
    assert "--text 'vowel stop other' --out" in text

    bundle = Path(shutil.copytree(run / "decode" / "bundle", tmp_path / "elsewhere"))
    shutil.rmtree(own_phones.parent)
    assert (bundle / "phones.txt").read_text().split() == ["vowel", "stop", "other", "silence"]
    audio = next(tiny_corpus.rglob("*.flac"))
    outcome = asr_command("transcribe", bundle, audio, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    (transcript,) = read_transcripts(tmp_path / "out" / "transcripts.jsonl")
    assert {phone.phone for phone in transcript.phones} <= names
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("hello other vowel other vowel\n")
    words = ("--text", "Hello hello", "--tier", "words", "--lexicon", lexicon)
    outcome = asr_command("align", bundle, audio, "--out", tmp_path / "aligned", *words)
    assert outcome.status == 0, outcome.err
    for command in (("report", run), ("compare", run, run)):
        assert asr_command(*command).status == 0


def test_a_changed_phone_set_is_trained_again_and_can_be_scored_in_another(
    tiny_corpus: Path, own_phones: Path, tmp_path: Path, asr_command: Command
) -> None:
    """Like the four manners, but scored in another set, to which a folding next to them leads."""
    recipe, run = tmp_path / "own.yaml", tmp_path / "run"
    recipe.write_text(RECIPE.format(corpus=tiny_corpus, phones=own_phones))
    assert asr_command("run", recipe, "--out", run).status == 0
    assert done(asr_command("run", recipe, "--out", run).err) == []
    (own_phones.parent / "manners-timit39.tsv").write_text("vowel\tah\nstop\tt\nother\tn\nsilence\tsil\n")
    outcome = asr_command("run", recipe, "--out", run)
    assert outcome.status == 0, outcome.err
    assert done(outcome.err) == ["train", "decode", "score"]
    assert json.loads((run / "results.json").read_text())["phone_set"] == "timit39"
    written = yaml.safe_load((run / "recipe.yaml").read_text())
    assert written["scoring"]["phone_set"] == "timit39"
    assert set(written["targets"]["phone_set"]["foldings"]) == {"manners-timit39", "timit61-manners"}
    assert "vowel" not in folding("timit39")
