"""The model card says what the run's own files say, and an edited one is kept."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from support.commands.asr_command import Command

from asr.errors import InputError
from asr.sharing.card import CardChoices, header_figures, read_header, write_card
from asr.sharing.licences import common_licence
from asr.sharing.pack import Packing, pack
from asr.storage.files import file_digest
from asr.storage.json_files import write_jsonl

CHOICES = CardChoices(name="tiny", license="cc-by-4.0")
ROWS = [
    {"benchmark": "robustness", "condition": "as it is", "figure": 40.0, "points": 0.0},
    {"benchmark": "robustness", "condition": "noise 5 dB", "figure": 55.04, "points": 15.04},
    {"benchmark": "recognisers", "test": "timit_sample", "system": "hama", "figure": 29.6, "utterances": 128},
    {
        **{"benchmark": "recognisers", "test": "timit_sample", "system": "tiny"},
        **{"figure": 29.07, "interval": [26.79, 31.3], "utterances": 128},
    },
    {"benchmark": "of another kind"},
]


def test_header(own_run: Path) -> None:
    write_card(own_run, CHOICES)
    bundle = own_run / "decode" / "bundle"
    header = read_header(bundle)
    results = json.loads((own_run / "results.json").read_text())
    assert (header["license"], header["language"], header["datasets"]) == ("cc-by-4.0", ["en"], ["demo"])
    (index,) = header["model-index"]
    assert index["name"] == "tiny"
    assert index["results"][0]["metrics"][0]["value"] == results["removed"]["per"]
    assert "Creative Commons Attribution 4.0" in (bundle / "LICENSE").read_text()


def test_a_corpus_of_one_s_own_is_called_as_its_folder(own_run: Path) -> None:
    """And not as its layout, which is no name of a data set."""
    bundle = own_run / "decode" / "bundle"
    for recipe, folder in ((own_run / "recipe.yaml", "lists/my_list.csv"), (bundle / "recipe.yaml", None)):
        settings = yaml.safe_load(recipe.read_text())
        recipe.write_text(yaml.safe_dump(settings | {"corpus": {"name": "csv", "dir": folder}}))
    text = write_card(own_run, CHOICES).read_text()
    assert read_header(bundle)["datasets"] == ["my_list"]
    assert "| my_list | train |" in text


def test_the_hub_s_own_library_reads_it(own_run: Path) -> None:
    library = pytest.importorskip("huggingface_hub")
    card = library.ModelCard.load(write_card(own_run, CHOICES))
    assert card.data.license == "cc-by-4.0"
    assert card.data.eval_results[0].metric_type == "per"


def test_body(own_run: Path) -> None:
    text = write_card(own_run, CHOICES).read_text()
    results = json.loads((own_run / "results.json").read_text())
    low, high = results["removed"]["interval"]
    assert f"| all | {results['removed']['per']:.1f} ({low:.1f} to {high:.1f})" in text
    assert re.search(r"\| demo \| train \| 0\.0\d \| 6 \| 2 \|", text)
    assert file_digest(own_run / "decode" / "bundle" / "recipe.yaml") in text
    assert "Recipe: tiny/dnn" in text
    assert "2 epochs, on CPU" in text
    assert "of speakers who are not in the training speech." in text


def test_figures_by_corpus(own_run: Path) -> None:
    """Each speaker of the test set as a corpus."""
    path = own_run / "score" / "utterances.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    write_jsonl(path, [row | {"corpus": f"of_{row['speaker']}"} for row in rows])
    text = write_card(own_run, CHOICES).read_text()
    results = json.loads((own_run / "results.json").read_text())
    figures = dict(header_figures(read_header(own_run / "decode" / "bundle")))
    by_speaker = {f"of_{name}": row["removed"]["per"] for name, row in results["by_speaker"].items()}
    assert figures == {**by_speaker, "demo": results["removed"]["per"]}
    assert all(re.search(rf"^\| {name} \| {per:.1f} \(\d", text, re.M) for name, per in by_speaker.items())


def test_confusions_are_those_of_the_score(own_run: Path) -> None:
    text = write_card(own_run, CHOICES).read_text()
    found = next(line for line in text.splitlines() if line.startswith("| substituted | "))
    pairs: dict[tuple[str, str], int] = {}
    for line in (own_run / "score" / "utterances.jsonl").read_text().splitlines():
        for reference, recognised in json.loads(line)["alignments"]["removed"]:
            if reference and recognised and reference != recognised:
                pairs[reference, recognised] = pairs.get((reference, recognised), 0) + 1
    (reference, recognised), count = max(sorted(pairs.items()), key=lambda item: item[1])
    assert found.startswith(f"| substituted | {reference}: {recognised} ({count}), ")


def test_benchmarks_and_notes_are_kept_for_the_next_card(own_run: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    (tmp_path / "notes.md").write_text("Half trained.\n")
    choices = CardChoices(license="mit", measured=[tmp_path / "rows.jsonl"], notes=tmp_path / "notes.md")
    first = write_card(own_run, choices).read_text()
    assert "| timit_sample | hama | 29.6 | 128 |" in first
    assert "| timit_sample | tiny | 29.1 (26.8 to 31.3) | 128 |" in first
    assert "| noise 5 dB | 55.0 | 15.0 |" in first
    assert "where the PER is 40.0 otherwise" in first
    assert "\nHalf trained.\n" in first
    assert write_card(own_run, CardChoices()).read_text() == first


def test_names_of_the_user_s_cannot_write_markdown(own_run: Path) -> None:
    text = write_card(own_run, CardChoices(name="a <b> | [c](d)", license="mit")).read_text()
    assert "# a &lt;b&gt; \\| \\[c](d)" in text


@pytest.mark.parametrize("name", ["README.md", "LICENSE"])
def test_an_edited_file_is_kept(own_run: Path, tmp_path: Path, name: str) -> None:
    pack(own_run, tmp_path / "packed", Packing(), CHOICES)
    shared = Path(shutil.copytree(tmp_path / "packed", tmp_path / "shared"))
    for record in (".asr.jsonl", ".lock"):
        (shared / record).unlink()
    write_card(own_run, CHOICES)
    for folder in (own_run / "decode" / "bundle", tmp_path / "packed", shared):
        write_card(folder, CardChoices())  # as it was written, it is written again
        edited = (folder / name).read_text() + "\nMy own words.\n"
        (folder / name).write_text(edited)
        with pytest.raises(InputError, match="move it away"):
            write_card(folder, CardChoices(language="de"))
        assert (folder / name).read_text() == edited
        assert '"language": "en"' in (folder / "card.json").read_text()


def test_the_run_is_still_whole(own_run: Path, tiny_recipe: Path, asr_command: Command) -> None:
    assert asr_command("model", "card", own_run, "--license", "mit").out.strip().endswith("README.md")
    assert asr_command("doctor", own_run).status == 0
    outcome = asr_command("run", tiny_recipe, "--out", own_run)
    assert (outcome.status, "running" in outcome.err) == (0, False)


def test_the_licence_of_the_corpora(own_run: Path) -> None:
    write_card(own_run, CardChoices())
    assert read_header(own_run / "decode" / "bundle")["license"] == "apache-2.0"
    assert common_licence(["mini_librispeech", "speechocean762"]) == "cc-by-4.0"
    with pytest.raises(InputError, match=r"mine: not known\); give it with --license"):
        common_licence(["mini_librispeech", "mine"])
    with pytest.raises(InputError, match="give it with --license"):
        common_licence(["demo", "speechocean762"])


def test_a_damaged_card_json_is_named(own_run: Path, tmp_path: Path) -> None:
    pack(own_run, tmp_path / "packed", Packing(), CHOICES)
    path = tmp_path / "packed" / "card.json"
    path.write_text(path.read_text().replace('"epochs"', '"epoch"'))
    with pytest.raises(InputError, match=r"card\.json: field run\.epochs: Field required"):
        write_card(tmp_path / "packed", CardChoices())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"benchmark": "speed"}', "has no rows of the benchmarks"),
        ('{"benchmark": "robustness"}', ":1: field condition is missing"),
        ('{"benchmark": "robustness", "condition": "x", "figure": "y", "points": 1}', "field figure must be a number"),
        (
            '{"benchmark": "recognisers", "test": "x", "system": "y", "figure": 1, "utterances": 2, "interval": [1]}',
            "field interval must be two numbers, or left out",
        ),
    ],
)
def test_rows_that_are_not_a_benchmark_s(own_run: Path, tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "rows.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=problem):
        write_card(own_run, CardChoices(license="mit", measured=[tmp_path / "rows.jsonl"]))
