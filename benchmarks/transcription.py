"""Batch transcription compared with pocketsphinx's `allphone`: PER, speed and memory on the test speakers of fold 1.

    python benchmarks/transcription.py RUN [--copies N]

RUN is a finished run of a recipe of recipes/timit_sample, or a bundle of its fold 1. Each system is a process of its
own that finds the phones of all test recordings (`asr transcribe`: of N links to each, with one job and with a job a
core), and another that does so for one recording, which takes the start-up. The rate is the audio of the first less
that of the second over the difference of their times, so that starting and loading the model do not count; the
processor time per second of audio says the same where the machine is busy. PER is on 39 phones, with silence counted
and without it. pocketsphinx has its own US English model and phone trigram; its language weight is tuned on dev.
A system that is not installed is left out, and a line says so.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lhotse import MonoCut
from rich.console import Console
from rich.table import Table

from asr.config import CorpusConfig
from asr.corpora.cuts import phone_sequence, read_cuts
from asr.corpora.prepare import prepare
from asr.formats.transcript import read_transcripts
from asr.phones.folding import fold
from asr.scoring.score import counted_per
from asr.threads import available_cores

CORPORA = Path(os.environ.get("ASR_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))
LANGUAGE_WEIGHTS = (0.5, 1.0, 2.0, 4.0, 6.5)
PHONES = "timit39"
SILENCE = "sil"

Phones = dict[str, list[str]]
"""The phones of each file."""


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds, of them the processor's, and the peak memory in MB."""

    seconds: float
    processor: float
    memory: float


def run(command: Sequence[str | Path]) -> Cost:
    """Runs a process, what it prints dropped. Raises SystemExit where it fails."""
    started = time.perf_counter()
    process = os.posix_spawn(
        command[0],
        [str(each) for each in command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def asr(model: Path, files: Sequence[Path], folder: Path, jobs: int) -> tuple[Phones, Cost]:
    out = Path(tempfile.mkdtemp(dir=folder))
    listed = out.with_suffix(".csv")
    listed.write_text("path,id\n" + "".join(f'"{path}",{number}\n' for number, path in enumerate(files)))
    command = [sys.executable, "-m", "asr", "transcribe", model, listed, "-o", out, "--jobs", str(jobs)]
    cost = run([*command, "--device", "cpu", "--format", "jsonl"])
    found = read_transcripts(out / "transcripts.jsonl")
    return {str(each.audio): each.symbols for each in found}, cost


def pocketsphinx(files: Sequence[Path], folder: Path, weight: float) -> tuple[Phones, Cost]:
    task = folder / "pocketsphinx.json"
    task.write_text(json.dumps({"files": [str(path) for path in files], "weight": weight}))
    cost = run([sys.executable, __file__, "--pocketsphinx", task])
    return json.loads(task.with_suffix(".found").read_text()), cost


def pocketsphinx_phones(task: Path) -> None:
    """The work of pocketsphinx's process."""
    from pocketsphinx import Decoder, get_model_path

    from asr.audio import read_audio

    given = json.loads(task.read_text())
    decoder = Decoder(allphone=get_model_path("en-us/en-us-phone.lm.bin"), lw=given["weight"], loglevel="FATAL")
    found = {}
    for path in given["files"]:
        decoder.start_utt()
        samples = (read_audio(path, 16000) * 32767).astype("int16")
        decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        words = [segment.word.lower() for segment in decoder.seg()]
        found[path] = [SILENCE if word.startswith(("sil", "+", "<")) else word for word in words]
    task.with_suffix(".found").write_text(json.dumps(found))


def pers(references: Phones, found: Phones) -> dict[str, float]:
    """PER in per cent with silence counted, and without it."""
    pairs = [(phones, found[path]) for path, phones in references.items()]
    spoken = [tuple(_spoken(side) for side in pair) for pair in pairs]
    return {"per": round(counted_per(pairs), 1), "per_without_silence": round(counted_per(spoken), 1)}


def _spoken(phones: Iterable[str]) -> list[str]:
    return [phone for phone in fold(phones, PHONES) if phone != SILENCE]


def rate(whole: Cost, one: Cost, seconds: float) -> dict[str, float]:
    """`seconds` of audio are in the whole and not in the one."""
    return {
        "times_real_time": round(seconds / max(whole.seconds - one.seconds, 1e-3), 1),
        "processor_ms_per_second": round(1000 * (whole.processor - one.processor) / seconds, 2),
        "start_seconds": round(one.seconds, 1),
        "peak_mb": round(whole.memory),
    }


def measure(model: Path, copies: int, folder: Path) -> Iterator[dict[str, object]]:
    corpus = CorpusConfig.model_validate({"name": "timit", "dir": CORPORA / "timit_sample", "folds": 4})
    prepare(corpus, folder / "prepare")
    dev, test = ([*read_cuts(folder / "prepare" / "fold-1" / f"{split}.cuts.jsonl.gz")] for split in ("dev", "test"))
    audio, files = sum(cut.duration for cut in test), [_file(cut) for cut in test]
    references = {str(_file(cut)): phone_sequence(cut) for cut in test}
    many = [link for number in range(copies) for link in _links(files, folder / f"copy {number}")]
    first = test[0].duration
    for jobs in dict.fromkeys((1, available_cores())):
        found, _ = asr(model, files, folder, jobs)
        _, one = asr(model, files[:1], folder, jobs)
        _, whole = asr(model, many, folder, jobs)
        name = f"asr, {jobs} job{'s' * (jobs > 1)}"
        yield {"system": name, **pers(references, found), **rate(whole, one, copies * audio - first)}
    if find_spec("pocketsphinx") is None:
        print("pocketsphinx: not measured, as it is not installed; see make bench", file=sys.stderr)
        return
    spoken = {str(_file(cut)): phone_sequence(cut) for cut in dev}
    tried = {
        weight: pers(spoken, pocketsphinx([_file(cut) for cut in dev], folder, weight)[0])["per_without_silence"]
        for weight in LANGUAGE_WEIGHTS
    }
    weight = min(tried, key=tried.__getitem__)
    found, whole = pocketsphinx(files, folder, weight)
    _, one = pocketsphinx(files[:1], folder, weight)
    name = f"pocketsphinx allphone, lw {weight:g}"
    yield {"system": name, **pers(references, found), **rate(whole, one, audio - first)}


def _file(cut: MonoCut) -> Path:
    return Path(cut.recording.sources[0].source)


def _links(files: Sequence[Path], folder: Path) -> list[Path]:
    folder.mkdir()
    links = [folder / f"{number}{path.suffix}" for number, path in enumerate(files)]
    for link, path in zip(links, files, strict=True):
        link.symlink_to(path.resolve())
    return links


def bundle_of(run_dir: Path) -> Path:
    """The bundle of fold 1 of a run, or the run or bundle itself."""
    inside = run_dir / "fold-1" / "decode" / "bundle"
    return inside if inside.is_dir() else run_dir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?", help="a finished run or a bundle")
    parser.add_argument("--copies", type=int, default=20, help="links to each test recording")
    parser.add_argument("--pocketsphinx", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pocketsphinx:
        pocketsphinx_phones(arguments.pocketsphinx)
        return
    if arguments.run is None:
        parser.error("give a finished run of recipes/timit_sample")
    table = Table("system", "PER", "without silence", "x real time", "processor ms/s", "start s", "peak MB")
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(bundle_of(arguments.run.resolve()), arguments.copies, Path(folder)):
            print(json.dumps(row), flush=True)
            table.add_row(*map(str, row.values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
