"""`asr doctor`: each kind of damage is one line, and the exit status says whether there is any."""

from pathlib import Path

import pytest
from support.commands.asr_command import Command

FILES = {
    "features/train.npy": "the features of utterance",
    "features/train.index.jsonl": "index",
    "features/train.cmvn.safetensors": "not a complete file of CMVN statistics",
    "prepare/train.cuts.jsonl.gz": "run the prepare stage again",
    "train/bundle/model.safetensors": "is not the file that bundle.json lists",
    "decode/bundle/lm.arpa": "is not the file that bundle.json lists",
    "decode/test/hypotheses.jsonl": "has changed since its stage wrote it",
    "results.json": "was changed since asr wrote it, or is damaged",
}


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_one_line(own_run: Path, asr_command: Command, name: str) -> None:
    content = bytearray((own_run / name).read_bytes())
    content[len(content) // 2] ^= 1
    (own_run / name).write_bytes(content)
    outcome = asr_command("doctor", own_run)
    assert outcome.status == 1
    *problems, summary = outcome.out.splitlines()
    assert len(problems) == 1
    assert problems[0].startswith(str(own_run / name))
    assert FILES[name] in problems[0]
    assert summary.endswith(": 1 problem")


def test_half_a_stage_s_record_is_one_line(own_run: Path, asr_command: Command) -> None:
    path = own_run / "train/stage.json"
    path.write_bytes(path.read_bytes()[:100])
    outcome = asr_command("doctor", own_run)
    assert outcome.status == 1
    assert [line.partition(": ")[0] for line in outcome.out.splitlines()[:-1]] == [str(path)]


def test_a_whole_run_and_its_bundle(own_run: Path, asr_command: Command) -> None:
    outcome = asr_command("doctor", own_run)
    assert outcome.out == (
        "Checked 3 archives, 3 CMVN files, 3 manifests, 2 bundles, 5 stages, 1 output folder: no problems\n"
    )
    assert outcome.status == 0
    outcome = asr_command("doctor", own_run / "decode" / "bundle")
    assert (outcome.status, outcome.out) == (0, "Checked 1 bundle: no problems\n")


def test_lost_files_are_listed(own_run: Path, asr_command: Command) -> None:
    lost = [own_run / "report.html", own_run / "features/dev.npy"]
    for path in lost:
        path.unlink()
    outcome = asr_command("doctor", own_run)
    assert outcome.status == 1
    assert all(any(line.startswith(f"{path}: ") for line in outcome.out.splitlines()) for path in lost)


def test_files_that_asr_replaced_or_deleted_are_not_missed(
    own_run: Path, tiny_recipe: Path, asr_command: Command
) -> None:
    assert asr_command("run", tiny_recipe, "--out", own_run, "--from", "train", "--set", "seed=2").status == 0
    outcome = asr_command("doctor", own_run)
    assert (outcome.status, outcome.out.splitlines()[:-1]) == (0, [])


def test_a_folder_of_the_user_s(tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("doctor", tmp_path)
    assert outcome.status == 1
    assert outcome.err == f"asr: {tmp_path}: holds nothing that asr wrote; give a run's folder or a bundle's\n"


def test_a_second_training_into_a_folder_in_use_is_refused(
    own_run: Path, tiny_recipe: Path, tmp_path: Path, asr_command: Command
) -> None:
    from asr.storage.output_folder import output_folder

    command = ("train", own_run / "prepare", own_run / "features", tmp_path / "out", "--recipe", tiny_recipe)
    with output_folder(tmp_path / "out", "train", "OUT"):
        outcome = asr_command(*command)
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == (
        f"asr: {tmp_path / 'out'}: Another asr process is using this folder; wait for it, or choose another with OUT"
    )
