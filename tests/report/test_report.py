import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from asr.config import AverageConfig, TrainingConfig
from asr.config.recipe_file import read_recipe, write_recipe
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript, write_transcripts
from asr.report.report import report
from asr.scoring.calibration import calibrate_files
from asr.scoring.silence import NOTE, USED_BY
from asr.storage.json_files import write_json

UNCLOSED = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Checks that tags nest, and collects what a browser would fetch and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0
        self.text: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in UNCLOSED:
            self.open.append(tag)
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in ("src", "href", "data", "poster", "srcset", "action"):
                self.fetched.append(value or "")
            if name == "id":
                self.ids.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parse(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page


def test_the_page_needs_no_network(run_with_folds: Path) -> None:
    path = report(run_with_folds)
    assert path == run_with_folds / "report.html"
    page = parse(path)
    assert page.scripts == 0
    assert all(target.startswith("#") and target[1:] in page.ids for target in page.fetched)
    html = path.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"'<)]+", html)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in html
    assert "url(" not in html


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_both_reports_hold_the_facts(run_with_folds: Path, name: str) -> None:
    report(run_with_folds)
    shown = (run_with_folds / name).read_text(encoding="utf-8").replace("&#39;", "'")
    results = json.loads((run_with_folds / "results.json").read_text())
    assert NOTE in shown
    for treatment, user in USED_BY.items():
        assert user in shown
        assert f"{results[treatment]['per']:.1f}" in shown
        assert "{:.1f} to {:.1f}".format(*results[treatment]["interval"]) in shown
    for fold in range(1, 5):
        assert f"fold-{fold}" in shown
    assert all(speaker in shown for speaker in results["by_speaker"])
    assert "2.11.0" in shown
    assert "learning_rate: 0.001" in shown
    assert "21.5" in shown  # seconds of all stages
    assert len(re.findall(r"f\d\d-sx\d", shown)) == 20  # the worst utterances


def test_a_run_without_folds_metrics_and_environment(run_without_folds: Path) -> None:
    (run_without_folds / "train" / "metrics.jsonl").unlink()
    (run_without_folds / "environment.json").unlink()
    page = parse(report(run_without_folds))
    assert "Training" not in page.text
    assert "curves.svg" not in (run_without_folds / "report.md").read_text()
    assert not (run_without_folds / "report-figures" / "curves.svg").exists()


@pytest.mark.parametrize(
    ("average", "kept"),
    [
        (AverageConfig(), "8"),
        (AverageConfig(of="last", count=2), "8 to 9"),
        (AverageConfig(count=4), "6 to 9"),
        (AverageConfig(of="last", count=99), "1 to 9"),
    ],
)
def test_the_kept_epochs_are_those_of_the_recipe(run_without_folds: Path, average: AverageConfig, kept: str) -> None:
    path = run_without_folds / "recipe.yaml"
    training = TrainingConfig(average=average)
    write_recipe(path, read_recipe(path).model_copy(update={"training": training}))
    report(run_without_folds)
    markdown = (run_without_folds / "report.md").read_text()
    assert f"| all | 9 | {kept} |" in markdown
    assert ("weights of the kept epochs" in markdown) == (average.count > 1)


def test_the_same_run_gives_the_same_bytes(run_with_folds: Path) -> None:
    def contents() -> dict[str, bytes]:
        report(run_with_folds)
        paths = [*run_with_folds.glob("report.*"), *run_with_folds.glob("report-figures/*")]
        return {path.name: path.read_bytes() for path in paths}

    first = contents()
    assert set(first) == {"report.html", "report.md", "curves.svg", "speed.svg", "confusions.svg"}
    assert contents() == first


def test_the_figures_next_to_the_markdown_are_images(run_with_folds: Path) -> None:
    report(run_with_folds)
    for name in re.findall(r"\]\((report-figures/.*?)\)", (run_with_folds / "report.md").read_text()):
        assert ElementTree.parse(run_with_folds / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def decoded(folder: Path, nbest: int | None = None) -> None:
    """What the decode stage leaves of one utterance, of whose two phones one is right."""
    test = folder / "decode" / "test"
    said = [PhoneSegment("aa"), PhoneSegment("b")]
    write_transcripts(test / "references.jsonl", [Transcript("u", said)])
    write_transcripts(
        test / "hypotheses.jsonl", [Transcript("u", [PhoneSegment("aa", score=0.9), PhoneSegment("d", score=0.3)])]
    )
    calibrate_files(test / "references.jsonl", test / "hypotheses.jsonl", folder / "score", "timit39")
    write_json(folder / "decode" / "tuning.json", {"dev_perplexity": 14.257})
    if nbest:
        write_json(folder / "score" / "oracle.json", {"nbest": nbest, "per": 50.0, "oracle_per": 37.64})


def test_calibration_perplexity_and_oracle_are_shown_where_decoding_wrote_them(run_with_folds: Path) -> None:
    decoded(run_with_folds / "fold-1")
    decoded(run_with_folds / "fold-3", nbest=100)
    page = parse(report(run_with_folds))
    markdown = (run_with_folds / "report.md").read_text()
    assert "decoding" in page.ids
    assert "| fold-1 | 14.26 | 0.50 | 0.60 | 0.200 | " in markdown
    assert re.search(r"\| fold-3 .* \| 100 \| 37.6 \|", markdown)
    assert "| fold-2 | 14.26" not in markdown
    assert (
        "2 phones: confidence 0.90, 1.00 right" in (run_with_folds / "report-figures" / "reliability.svg").read_text()
    )


def test_without_confidences_the_report_does_not_explain_them(run_without_folds: Path) -> None:
    write_json(run_without_folds / "decode" / "tuning.json", {"dev_perplexity": 14.257})
    pages = report(run_without_folds).read_text(), (run_without_folds / "report.md").read_text()
    assert "| fold | perplexity of dev | N | PER of the best of N |" in pages[1]
    assert "| all | 14.26 | – | – |" in pages[1]
    assert not any(words in page for words in ("A confidence of", "Mean confidence") for page in pages)


def test_a_damaged_calibration_is_named(run_without_folds: Path) -> None:
    decoded(run_without_folds)
    path = run_without_folds / "score" / "calibration.json"
    path.write_text('{"accuracy": "high"}')
    with pytest.raises(InputError, match=r"calibration.json: field accuracy must be a number"):
        report(run_without_folds)


def test_names_cannot_inject_markup(run_without_folds: Path) -> None:
    path = run_without_folds / "results.json"
    results = json.loads(path.read_text())
    results["recipe"] = "<script>alert(1)</script>"
    results["by_speaker"]["<b>|x"] = next(iter(results["by_speaker"].values()))
    path.write_text(json.dumps(results))
    page = parse(report(run_without_folds))
    assert page.scripts == 0
    assert "<b>|x" in page.text
    assert "&lt;b&gt;\\|x" in (run_without_folds / "report.md").read_text()


def test_an_error_is_marked_by_a_letter_as_well_as_a_colour(run_without_folds: Path) -> None:
    html = report(run_without_folds).read_text()
    for mark in "SD":
        assert re.search(rf'<span class="pair {mark}"><span>\w+</span><span>\S+</span><b>{mark}</b></span>', html)


def remove_field(path: Path, *keys: str) -> None:
    row = json.loads(path.read_text())
    inner = row
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    path.write_text(json.dumps(row))


def test_folders_that_are_no_run_are_named(tmp_path: Path, run_without_folds: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder"):
        report(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"results.json: is missing"):
        report(tmp_path)
    remove_field(run_without_folds / "results.json", "counted", "per")
    with pytest.raises(InputError, match=r"results.json: field counted.per is missing"):
        report(run_without_folds)


def test_incomplete_folds_are_named(run_with_folds: Path) -> None:
    (run_with_folds / "fold-3" / "train" / "metrics.jsonl").write_text('{"epoch": 1, "train_loss": null}\n')
    with pytest.raises(InputError, match=r"fold-3/train/metrics.jsonl:1: field dev_loss is missing"):
        report(run_with_folds)
    (run_with_folds / "fold-2" / "score" / "utterances.jsonl").unlink()
    with pytest.raises(InputError, match=r"fold-2/score/utterances.jsonl"):
        report(run_with_folds)


def test_a_damaged_result_of_a_fold_is_named(run_with_folds: Path) -> None:
    path = run_with_folds / "results.json"
    results = json.loads(path.read_text())
    results["folds"][2]["counted"]["per"] = "low"
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match=r"results.json: field folds\[2\].counted.per must be a number"):
        report(run_with_folds)
    results["folds"][2] = []
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match=r"results.json: field folds\[2\].phone_set is missing"):
        report(run_with_folds)


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("counted", "deletions"), "<b>", "field counted.deletions must be a number"),
        (("counted", "per"), None, "field counted.per must be a number"),
        (("optional", "interval"), [1], "field optional.interval must be two numbers"),
        (("speakers",), True, "field speakers must be a number"),
        (("by_speaker",), [], "field by_speaker has the wrong type"),
        (("by_speaker",), {"s": {}}, "field by_speaker.s.counted is missing"),
        (("folds",), {"a": 1}, "field folds has the wrong type"),
        (("seconds",), {"train": "long"}, "field seconds.train must be a number"),
    ],
)
def test_a_result_of_the_wrong_type_is_named(
    run_without_folds: Path, keys: tuple[str, ...], value: object, expected: str
) -> None:
    path = run_without_folds / "results.json"
    results = json.loads(path.read_text())
    inner = results
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match=rf"results.json: {re.escape(expected)}"):
        report(run_without_folds)


def test_a_recipe_cannot_leave_its_block_of_code(run_without_folds: Path) -> None:
    path = run_without_folds / "recipe.yaml"
    path.write_text(path.read_text() + "# ```\n# <script>\n")
    report(run_without_folds)
    assert "\n````yaml\n" in (run_without_folds / "report.md").read_text()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("counts", {"counted": {"deletions": "1"}}, "counts.counted.deletions must be a whole number, not '1'"),
        ("counts", {"counted": {"deletions": -1}}, "counts.counted.deletions must be a whole number, not -1"),
        ("alignments", {"counted": [[["a"], "b"]]}, "alignments.counted must be pairs of phones or null"),
    ],
)
def test_a_wrong_scored_utterance_is_named(run_without_folds: Path, key: str, value: object, expected: str) -> None:
    path = run_without_folds / "score" / "utterances.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**row, key: {**row[key], **value}}) + "\n")  # type: ignore[dict-item]
    with pytest.raises(InputError, match=re.escape(expected)):
        report(run_without_folds)


def test_a_metric_that_is_no_number_is_named(run_without_folds: Path) -> None:
    path = run_without_folds / "train" / "metrics.jsonl"
    path.write_text(path.read_text().replace('"dev_loss": 3.1', '"dev_loss": NaN'))
    with pytest.raises(InputError, match=r"metrics.jsonl:1: not valid JSON: NaN is not a JSON number"):
        report(run_without_folds)


def test_scores_of_several_corpora_are_shown(run_without_folds: Path) -> None:
    path = run_without_folds / "results.json"
    results = json.loads(path.read_text())
    row = next(iter(results["by_speaker"].values()))
    path.write_text(json.dumps(results | {"by_corpus": {"mine": row, "timit": row}}))
    report(run_without_folds)
    markdown = (run_without_folds / "report.md").read_text()
    assert markdown.index("\n\n## Corpora\n\n") < markdown.index("| mine |") < markdown.index("\n\n## Speakers\n\n")
    page = (run_without_folds / "report.html").read_text()
    assert page.index('<section id="corpora">') < page.index("<th>timit</th>") < page.index('<section id="speakers">')


def test_it_says_in_short_where_the_system_errs(run_without_folds: Path) -> None:
    page = report(run_without_folds).read_text()
    short = page[page.index('<ul class="short">') : page.index("<nav>")]
    counts = json.loads((run_without_folds / "results.json").read_text())["counted"]
    share = 100 * counts["substitutions"] / counts["reference_phones"]
    assert f"Of 100 phones, {share:.1f} are taken for another" in short
    assert "Hardest class of phones" in short
    assert "Hardest speaker" in short
    assert re.search(r"\bsil\b", short) is None
    assert "asr report RUN --audio link" in short
