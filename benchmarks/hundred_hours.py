"""Seconds and peak memory of each stage on a hundred hours: mini LibriSpeech, repeated by links.

    python benchmarks/hundred_hours.py [--hours 100] [--stages prepare,read,features,steps] [--folder DIR]

- prepare, features, train, decode, score: the commands of asr, with recipes/mini_librispeech/crdnn_ctc.yaml and all its
  augmentation, for --epochs epochs (train and what follows take hours);
- read: the part of features that reads the audio, in one thread and alone;
- steps: --steps minibatches of the first epoch of that training, with speech on disk ("streamed") and, with --resident,
  in memory: frames a second, and the seconds before the first step.

Copies are links to the same files under other speakers' names. Each stage is a process of its own. Its memory is the
largest that it had (Linux's ru_maxrss, mapped files included); seconds of processors do not depend on what else the
machine does. What a stage needs is made before it, and stays in --folder for the next time. Everything printed was
measured; nothing is extrapolated.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[1]
CORPORA = Path(os.environ.get("ASR_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
RECIPE = REPOSITORY / "recipes" / "mini_librispeech" / "crdnn_ctc.yaml"
STAGES = ("prepare", "features", "steps")
"""Unless others are asked for."""
SAMPLE_RATE = 16_000
HOURS = 6.1
"""Of train-clean-5 and six speakers of test-clean."""
ALONE = ["training.align_with=null", "training.schedule={type: constant}"]
"""The recipe without the model of another one."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.measure == "read":
        measure_reading(options)
        return
    if options.measure:
        measure_steps(options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        copies = max(1, round(options.hours / HOURS))
        corpus = link_copies(options.corpus, folder / "corpus", copies)
        table = Table(
            "stage",
            "seconds",
            "of processors",
            "peak memory, GB",
            "",
            title=f"mini LibriSpeech, {copies * HOURS:.1f} hours",
        )
        for name, command in commands(options, corpus, folder):
            figures, output = run(command)
            found = next((line for line in output if line.startswith("{")), "")
            show(name, figures | json.loads(found or "{}"))
            table.add_row(name, *map(str, figures.values()), found)
        Console().print(table)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPORA / "mini_librispeech")
    parser.add_argument("--hours", type=float, default=100.0, help=f"in steps of {HOURS}, the corpus's own")
    parser.add_argument("--stages", type=lambda text: text.split(","), default=list(STAGES), help="comma-separated")
    parser.add_argument("--folder", type=Path, help="where the stages write; default: a temporary folder")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe; repeatable")
    parser.add_argument("--epochs", type=int, default=2, help="of the whole training")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--resident", action="store_true", help="also take the steps with all speech in memory")
    parser.add_argument("--measure", choices=("read", "streamed", "resident"), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def link_copies(corpus: Path, folder: Path, copies: int) -> Path:
    """LibriSpeech's layout with each speaker `copies` times, under other names; audio files are links."""
    if (folder / "complete").is_file() and (folder / "complete").read_text() == str(copies):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for transcript in sorted(corpus.rglob("*.trans.txt")):
        part, speaker, chapter = transcript.relative_to(corpus).parts[:3]
        lines = transcript.read_text(encoding="utf-8").splitlines()
        for copy in range(copies):
            name = f"{speaker}{copy:02d}"
            there = folder / part / name / chapter
            there.mkdir(parents=True)
            renamed = [line.replace(speaker, name, 1) + "\n" for line in lines]
            (there / f"{name}-{chapter}.trans.txt").write_text("".join(renamed), encoding="utf-8")
            for audio in transcript.parent.iterdir():
                if audio != transcript:
                    (there / audio.name.replace(speaker, name, 1)).symlink_to(audio.resolve())
    (folder / "complete").write_text(str(copies))
    return folder


def commands(options: argparse.Namespace, corpus: Path, folder: Path) -> list[tuple[str, list[str]]]:
    """The command of each stage."""
    asr, here = [sys.executable, "-m", "asr"], [sys.executable, "-m", "benchmarks.hundred_hours"]
    prepared, features, trained, decoded = (folder / name for name in ("prepare", "features", "train", "decode"))
    settings = [*ALONE, f"training.epochs={options.epochs}", *options.set]
    recipe = ["--recipe", str(options.recipe), *(f"--set={each}" for each in settings)]
    changed = [f"--set={each}" for each in options.set]
    steps = [*here, "--folder", str(folder), "--recipe", str(options.recipe), "--steps", str(options.steps), *changed]
    sides = [decoded / "test" / f"{side}.jsonl" for side in ("references", "hypotheses")]
    made: dict[str, list[list[str]]] = {
        "prepare": [[*asr, "prepare", "librispeech", str(corpus), str(prepared), "--dev", "45min", "--g2p"]],
        "read": [[*steps, "--measure", "read"]],
        "features": [[*asr, "features", str(prepared), str(features), "--recipe", str(options.recipe)]],
        "steps": [[*steps, "--measure", kind] for kind in ("streamed", *(["resident"] if options.resident else []))],
        "train": [[*asr, "train", str(prepared), str(features), str(trained), *recipe, "--device", "cpu"]],
        "decode": [[*asr, "decode", *map(str, (trained / "bundle", prepared, features, decoded)), "--device", "cpu"]],
        "score": [[*asr, "score", *map(str, sides), "--phone-set", "cmu39", "--out", str(folder / "score")]],
    }
    return [
        (name if name != "steps" else f"{options.steps} steps, {command[-1]}", command)
        for name in options.stages
        for command in made[name]
    ]


def run(command: Sequence[str]) -> tuple[dict[str, float], list[str]]:
    """Seconds, seconds of processors, and peak memory (GB) of a process, and its standard output.

    Exits with the process's status where it fails.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        output = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    seconds = {"s": time.perf_counter() - started, "CPU s": usage.ru_utime + usage.ru_stime}
    return {**{unit: round(each, 1) for unit, each in seconds.items()}, "GB": round(usage.ru_maxrss / 1e6, 2)}, output


def show(stage: str, figures: dict[str, float]) -> None:
    for unit, figure in figures.items():
        row = {"benchmark": "hundred-hours", "system": stage, "figure": figure, "unit": unit}
        print(json.dumps(row | {"threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))}), flush=True)


def measure_reading(options: argparse.Namespace) -> None:
    """Reads every utterance as the features stage does, and prints the seconds of audio as JSON."""
    from asr.corpora.cuts import read_cuts
    from asr.features.extract import read_cut

    manifests = sorted((options.folder / "prepare").glob("*.cuts.jsonl.gz"))
    samples = sum(len(read_cut(cut, SAMPLE_RATE)) for path in manifests for cut in read_cuts(path))
    print(json.dumps({"s of audio": round(samples / SAMPLE_RATE, 1)}))


def measure_steps(options: argparse.Namespace) -> None:
    """Trains on the first minibatches of the first epoch, and prints the speed as JSON."""
    import torch

    from asr.config.recipe_file import read_recipe
    from asr.features.dataset import Dataset
    from asr.training.data.augmented import AugmentedSets, EpochSpeech
    from asr.training.data.batching import UtteranceBatching
    from asr.training.data.speech import Use, load_speech
    from benchmarks.training_systems import Part, our_loop

    kept = options.measure == "resident"
    where = [f"training.resident={str(kept).lower()}", f"training.memory={1000 if kept else 1e-6}"]
    config, device = read_recipe(options.recipe, [*ALONE, *options.set, *where]), torch.device("cpu")
    started = time.perf_counter()
    split = Dataset(options.folder / "prepare", options.folder / "features").split("train", config.features)
    clean = load_speech(config, split, 0, device, config.model.subsampling, use=Use.LABELS)
    speech = EpochSpeech(config, clean, split, device, use=Use.UTTERANCES)
    system = our_loop(config, device)
    with AugmentedSets(speech, 1, UtteranceBatching) as sets:
        batching = sets.for_epoch(0)
        assert isinstance(batching, UtteranceBatching)
        torch.manual_seed(0)
        plan = batching.plan(config.training.batch_size, shuffled=True)
        before = time.perf_counter() - started
        part = system(Part(batching, plan[: options.steps]))
        started = time.perf_counter()
        part.call()
        seconds = time.perf_counter() - started
    print(json.dumps({"frames/s": round(part.frames / seconds), "s before the first step": round(before, 1)}))


if __name__ == "__main__":
    main()
