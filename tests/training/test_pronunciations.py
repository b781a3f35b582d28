"""Words in several pronunciations: the alignment chooses, and training and the language model use what it chose."""

import random
from pathlib import Path

import pytest
import torch
from lhotse import MonoCut

from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import phone_sequence, read_cuts, with_words, word_phones, write_cuts
from asr.decoding.stage import decode
from asr.features.dataset import Dataset
from asr.formats.transcript import PronouncedWord, read_transcripts
from asr.lm.arpa import read_arpa
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set
from asr.scoring.score import counted_per
from asr.storage.json_files import read_json
from asr.training.data.speech import load_speech
from asr.training.realignment import read_splits
from asr.training.train import train

CPU = torch.device("cpu")
PHONES = load_phone_set("timit39")
SILENCES = set(PHONES.silences)


def recipe(loss: str = "cross_entropy", **training: object) -> RecipeConfig:
    ctc = {"states": 1} if loss == "ctc" else {}
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "targets": {"phone_set": "timit39", **ctc},
            "model": {"type": "gru", "layers": 1, "width": 8},
            "training": {"loss": loss, "epochs": 1, "batch_size": 600, **training},
            "lm": {"order": 2, "word_starts": True},
            "decoding": {"acoustic_scales": [0.6], "insertion_penalties": [0.0]},
            "scoring": {"bootstrap": 10},
        }
    )


def right_phones(cut: MonoCut) -> list[str]:
    return [phone for phone in fold(phone_sequence(cut), "timit39") if phone not in SILENCES]


def in_two_pronunciations(cut: MonoCut, random: random.Random) -> list[PronouncedWord]:
    """Words of three phones; the first pronunciation of each is of phones that are not said there."""
    said = right_phones(cut)
    speech = [phone for phone in PHONES if phone not in SILENCES]
    words = []
    for start in range(0, len(said), 3):
        part = tuple(said[start : start + 3])
        wrong = tuple(random.choice([phone for phone in speech if phone != right]) for right in part)
        words.append((f"w{start}", [wrong, part]))
    return words


@pytest.fixture
def right(prepared: Path) -> dict[str, list[str]]:
    """What is said in each cut; the manifests then have words of two pronunciations instead, the wrong one first."""
    said = {}
    for split in ("train", "dev", "test"):
        path = prepared / f"{split}.cuts.jsonl.gz"
        cuts = list(read_cuts(path))
        said |= {cut.id: right_phones(cut) for cut in cuts}
        write_cuts(path, [with_words(cut, in_two_pronunciations(cut, random.Random(0))) for cut in cuts])
    return said


def share_right(found: dict[str, list[str]], right: dict[str, list[str]]) -> float:
    """The share of phones that are in the right place."""
    pairs = [pair for name, phones in found.items() for pair in zip(phones, right[name], strict=False)]
    return sum(a == b for a, b in pairs) / len(pairs)


def test_the_first_pronunciations_are_the_labels_until_an_alignment_chooses(
    tiny_run: Path, prepared: Path, features: Path, right: dict[str, list[str]], tmp_path: Path
) -> None:
    train(recipe(flat_start=True), prepared, features, tmp_path / "flat", CPU)
    flat = {name: each.phones[1:-1] for name, each in read_splits(tmp_path / "flat")["train"].alignments.items()}
    assert share_right(flat, right) < 0.1  # the wrong ones

    train(recipe(align_with=tiny_run), prepared, features, tmp_path / "aligned", CPU)
    aligned = read_splits(tmp_path / "aligned")["train"].alignments
    spoken = {name: [phone for phone in each.phones if phone not in SILENCES] for name, each in aligned.items()}
    assert share_right(spoken, right) > 0.5
    assert any(phone in SILENCES for each in aligned.values() for phone in each.phones)
    speech = load_speech(recipe(), Dataset(prepared, features).split("train", recipe().features), 0, CPU, 1, aligned)
    labelled = {recipe().class_names[label].rpartition("_")[0] for label in speech.labels.tolist()}
    assert labelled <= {phone for each in aligned.values() for phone in each.phones}


def test_ctc_learns_the_chosen_pronunciations_without_the_silences(
    tiny_run: Path, prepared: Path, features: Path, right: dict[str, list[str]], tmp_path: Path
) -> None:
    config = recipe("ctc", align_with=tiny_run, realign=1)
    train(config, prepared, features, tmp_path / "ctc", CPU)
    aligned = read_splits(tmp_path / "ctc" / "round-0")["train"].alignments
    split = Dataset(prepared, features).split("train", config.features)
    for alignments, expected in ((aligned, aligned), ({}, None)):
        speech = load_speech(config, split, 0, CPU, 1, alignments)
        labels = iter(speech.labels.tolist())
        assert speech.phones is not None
        for cut, count in zip(split.cuts(), speech.phones.counts.tolist(), strict=True):
            learnt = [PHONES[next(labels) - 1] for _ in range(count)]
            if expected is None:
                assert learnt == phone_sequence(cut)
            else:
                assert learnt == [phone for phone in expected[cut.id].phones if phone not in SILENCES]
    assert (tmp_path / "ctc" / "alignments").is_dir()  # of the second round
    assert "skipped" in read_json(tmp_path / "ctc" / "summary.json")


def test_the_language_model_marks_the_starts_of_the_chosen_pronunciations(
    tiny_run: Path, prepared: Path, features: Path, right: dict[str, list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "aligned"
    train(recipe(align_with=tiny_run), prepared, features, out, CPU)
    decode(recipe(), out / "bundle", prepared, features, tmp_path / "decode", CPU)
    begun = set()
    alignments = read_splits(out)["train"].alignments
    for cut in read_cuts(prepared / "train.cuts.jsonl.gz"):
        spoken = [phone for phone in alignments[cut.id].phones if phone not in SILENCES]
        begun |= set(spoken[::3])
    known = read_arpa(tmp_path / "decode" / "bundle" / "lm.arpa").unpacked().probabilities
    assert {gram[1].removesuffix("_B") for gram in known if len(gram) == 2 and gram[1].endswith("_B")} == begun

    references = list(read_transcripts(tmp_path / "decode" / "test" / "references.jsonl"))
    cuts = {cut.id: cut for cut in read_cuts(prepared / "test.cuts.jsonl.gz")}
    assert [each.pronunciations for each in references] == [word_phones(cuts[each.utterance]) for each in references]


def test_dev_is_tuned_on_the_pronunciations_that_fit(
    tiny_run: Path, prepared: Path, features: Path, right: dict[str, list[str]], tmp_path: Path
) -> None:
    config = read_recipe(tiny_run / "recipe.yaml")
    decode(config, tiny_run / "train" / "bundle", prepared, features, tmp_path / "decode", CPU)
    references, hypotheses = (
        {each.utterance: each for each in read_transcripts(tmp_path / "decode" / "dev" / name)}
        for name in ("references.jsonl", "hypotheses.jsonl")
    )
    first = counted_per(((references[name].symbols, hypotheses[name].symbols) for name in references), "timit39")
    assert read_json(tmp_path / "decode" / "tuning.json")["per"] < first - 1
