"""No command replaces, deletes or empties the user's own files; it says so in one line and exits with status 1."""

import shutil
from pathlib import Path

import pytest
from support.commands.asr_command import Command, snapshot

REFUSED = "did not write"


def refused(asr_command: Command, *arguments: object) -> str:
    outcome = asr_command(*arguments)
    assert outcome.status == 1
    [line] = [line for line in outcome.err.splitlines() if line.startswith("asr: ")]
    return line


@pytest.fixture
def mine(tmp_path: Path, tiny_recipe: Path) -> Path:
    """A folder of the user's: a recipe with comments, and notes in folders that are named like stages."""
    folder = tmp_path / "mine"
    for stage in ("prepare", "features", "train", "decode", "score"):
        (folder / stage).mkdir(parents=True)
        (folder / stage / "notes.txt").write_text("mine")
    (folder / "recipe.yaml").write_text(f"# a comment\n{tiny_recipe.read_text()}")
    (folder / ".lock").write_text("")
    return folder


def test_a_folder_with_a_recipe_is_not_a_run(mine: Path, asr_command: Command) -> None:
    before = snapshot(mine)
    assert REFUSED in refused(asr_command, "run", mine / "recipe.yaml", "--out", mine, "--from", "prepare")
    assert snapshot(mine) == before


@pytest.mark.parametrize(
    "command",
    [
        ("prepare", "demo", "{corpus}", "{mine}"),
        ("features", "{run}/prepare", "{mine}"),
        ("train", "{run}/prepare", "{run}/features", "{mine}", "--recipe", "{recipe}"),
        ("decode", "{run}/train/bundle", "{run}/prepare", "{run}/features", "{mine}"),
        ("score", "{run}/decode/test/references.jsonl", "{run}/decode/test/hypotheses.jsonl", "--out", "{mine}"),
        ("transcribe", "{run}", "{corpus}", "--out", "{mine}"),
        ("align", "{run}", "{corpus}", "--out", "{mine}"),
        ("align", "{run}", "--evaluate", "--out", "{mine}"),
    ],
    ids=lambda command: " ".join(command[:1]),
)
def test_no_command_writes_into_a_folder_of_the_user(
    command: tuple[str, ...], mine: Path, tiny_run: Path, tiny_recipe: Path, tiny_corpus: Path, asr_command: Command
) -> None:
    before = snapshot(mine)
    places = {"mine": mine, "run": tiny_run, "recipe": tiny_recipe, "corpus": tiny_corpus}
    assert REFUSED in refused(asr_command, *(part.format(**places) for part in command))
    assert snapshot(mine) == before


def test_a_run_keeps_notes_in_its_folders_and_leaves_them_out_of_its_results(
    tiny_recipe: Path, own_run: Path, asr_command: Command
) -> None:
    notes = [own_run / name for name in ("notes.txt", "train/notes.txt", "decode/test/mine.txt", "score/mine.jsonl")]
    for path in notes[:2] + notes[3:]:
        path.write_text("mine")
    assert asr_command("run", tiny_recipe, "--out", own_run, "--from", "prepare").status == 0
    assert all(path.read_text() == "mine" for path in notes[:2] + notes[3:])
    assert "notes.txt" not in (own_run / "train" / "stage.json").read_text()
    notes[2].write_text("mine")
    line = refused(asr_command, "run", tiny_recipe, "--out", own_run, "--from", "decode")
    assert f"{notes[2]}: is not a file that asr wrote, and would be replaced; move it away" in line
    assert notes[2].read_text() == "mine"


def test_a_linked_stage_is_not_emptied(tiny_recipe: Path, own_run: Path, tmp_path: Path, asr_command: Command) -> None:
    elsewhere = tmp_path / "elsewhere"
    (own_run / "features").rename(elsewhere)
    (own_run / "features").symlink_to(elsewhere)
    before = snapshot(elsewhere)
    assert "features: is a link" in refused(asr_command, "run", tiny_recipe, "--out", own_run, "--from", "features")
    assert snapshot(elsewhere) == before


def test_scores_do_not_replace_those_of_a_run(own_run: Path, asr_command: Command) -> None:
    before = snapshot(own_run)
    test = own_run / "decode" / "test"
    line = refused(asr_command, "score", test / "references.jsonl", test / "hypotheses.jsonl", "--out", own_run)
    assert "holds the output of asr run; choose another folder with --out" in line
    assert snapshot(own_run) == before


def test_a_report_that_was_edited_stays(own_run: Path, asr_command: Command) -> None:
    page = own_run / "report.html"
    page.write_text(page.read_text().replace("</body>", "<p>my remarks</p></body>"))
    assert "report.html: was not written by asr run, or was changed since" in refused(asr_command, "report", own_run)
    assert "my remarks" in page.read_text()


def test_a_bundle_is_not_an_output_folder(
    own_run: Path, tmp_path: Path, tiny_corpus: Path, asr_command: Command
) -> None:
    bundle = Path(shutil.copytree(own_run / "decode" / "bundle", tmp_path / "bundle"))
    before = snapshot(bundle)
    assert REFUSED in refused(asr_command, "transcribe", bundle, tiny_corpus, "--out", bundle)
    assert snapshot(bundle) == before
