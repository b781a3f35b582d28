"""Time and memory of scoring, compared with NIST's sclite and jiwer.

    python benchmarks/scoring.py [--utterances N ...] [--systems asr sclite jiwer]

The references are those of TIMIT's sample, or of the demo corpus without it, repeated under other names; the hypotheses
have random errors, with times and scores as asr writes them. asr score writes the alignments of its three treatments of
silence and the calibration of the scores, sclite (Debian's package sctk) the alignment with silence counted, jiwer the
error rate alone. Each runs in a process of its own; seconds are wall and CPU time, memory is the peak resident set.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from asr.formats.phn import SAMPLE_RATE, read_labels
from asr.formats.registry import writer
from asr.formats.transcript import PhoneSegment, Transcript, read_transcripts, write_transcripts

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE = Path(os.environ.get("ASR_CORPORA", REPOSITORY.parent / "shared" / "corpora")) / "timit_sample"
SYSTEMS = ("asr", "sclite", "jiwer")
JIWER = """
import sys, jiwer
read = lambda path: [line.rsplit(" (", 1)[0] for line in open(path, encoding="utf-8")]
print(jiwer.wer(read(sys.argv[1]), read(sys.argv[2])))
"""


def spoken(folder: Path) -> list[Transcript]:
    """The phones of a corpus's utterances, with times."""
    found = []
    for path in sorted(folder.rglob("*.phn")):
        speaker = path.parent.name
        phones = [
            PhoneSegment(label.symbol, label.start / SAMPLE_RATE, label.end / SAMPLE_RATE)
            for label in read_labels(path)
        ]
        found.append(Transcript(f"{speaker}-{path.stem}", phones, speaker))
    return found


def repeated(said: list[Transcript], number: int) -> Iterator[Transcript]:
    for count in range(number):
        one = said[count % len(said)]
        yield Transcript(f"{one.utterance}-{count:07d}", one.phones, one.speaker)


def misheard(transcript: Transcript, symbols: list[str], generator: random.Random) -> Transcript:
    """A hypothesis: of ten phones, one is missing, two are others, and one more is there."""
    heard = []
    for phone in transcript.phones:
        chance = generator.random()
        if chance > 0.1:
            symbol = generator.choice(symbols) if chance < 0.3 else phone.phone
            heard.append(PhoneSegment(symbol, phone.start, phone.end, round(generator.random(), 4)))
        if chance > 0.9:
            heard.append(PhoneSegment(generator.choice(symbols), phone.end, phone.end, round(generator.random(), 4)))
    return Transcript(transcript.utterance, heard, transcript.speaker)


def write_corpus(folder: Path, said: list[Transcript], number: int) -> None:
    """references and hypotheses, as JSON Lines and as TRN."""
    generator = random.Random(0)
    symbols = sorted({phone.phone for transcript in said for phone in transcript.phones})
    write_transcripts(folder / "references.jsonl", repeated(said, number))
    heard = (misheard(each, symbols, generator) for each in repeated(said, number))
    write_transcripts(folder / "hypotheses.jsonl", heard)
    for name in ("references", "hypotheses"):
        [path] = writer("trn").write(folder, read_transcripts(folder / f"{name}.jsonl"))
        path.rename(folder / f"{name}.trn")


def command(system: str, folder: Path) -> list[str] | None:
    """What scores the corpus; None where the system is not installed."""
    lines = [str(folder / f"{side}.jsonl") for side in ("references", "hypotheses")]
    spoken, heard = (str(folder / f"{side}.trn") for side in ("references", "hypotheses"))
    if system == "asr":
        return [sys.executable, "-m", "asr", "score", *lines, "-o", str(folder / "score")]
    if system == "jiwer":
        known = subprocess.run([sys.executable, "-c", "import jiwer"], capture_output=True, check=False)
        return None if known.returncode else [sys.executable, "-c", JIWER, spoken, heard]
    sclite = ["sclite"] if shutil.which("sclite") else ["sctk", "sclite"] if shutil.which("sctk") else None
    return sclite and [*sclite, "-i", "spu_id", "-r", spoken, "trn", "-h", heard, "trn", "-o", "pralign", "sum"]


def measure(arguments: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of a command. Exits if it fails."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(arguments)}: {output.read().decode(errors='replace')[-2000:]}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--folder", type=Path, default=None, help="where the corpora are written for a while")
    options = parser.parse_args()
    said = spoken(SAMPLE if SAMPLE.is_dir() else REPOSITORY / "data" / "demo")
    table = Table("utterances", "system", "wall, s", "CPU, s", "ms an utterance (CPU)", "peak memory, MB")
    for number in options.utterances:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            write_corpus(Path(name), said, number)
            for system in options.systems:
                if (arguments := command(system, Path(name))) is None:
                    table.add_row(f"{number:,}", system, "not installed")
                    continue
                wall, busy, memory = measure(arguments)
                row = {"utterances": number, "system": system, "wall": wall, "cpu": busy, "memory": memory}
                print(json.dumps(row), flush=True)
                table.add_row(
                    f"{number:,}", system, f"{wall:.1f}", f"{busy:.1f}", f"{1000 * busy / number:.2f}", f"{memory:.0f}"
                )
    Console().print(table)


if __name__ == "__main__":
    main()
