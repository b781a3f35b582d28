"""CTC decoding with a phone trigram: PER and real-time factor at several beams, on the same scores, in one process.

    make bench-decoding
    .venv/bin/python benchmarks/decoding.py [RUN] [--order N] [--corpus DIR]

RUN is a finished run (or a fold of one) of a recipe with `training.loss: ctc`; without it the scores are made from the
phone times of real utterances, with noise and confusions. Systems, each with its language model weight and insertion
penalty tuned on dev with a middle beam, and then timed on test with every beam, one thread, in processor time:
- asr, graph: Viterbi beam search through the CTC graph;
- kaldi_decoder: Kaldi's FasterDecoder through the same graph;
- asr, prefix beam: all alignments of a prefix summed;
- torchaudio: `ctc_decoder` (flashlight-text) with KenLM, lexicon-free and summing alignments; it has no insertion
  penalty there, and with a lexicon of one phone a word it repeats phones that last for several frames;
- pyctcdecode: with KenLM, each phone a word.
A system that is not installed is left out, and a line says so.
"""

import argparse
import json
import logging
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table

from asr.acoustics.bundle import read_bundle
from asr.acoustics.scored_split import scored_split
from asr.acoustics.scorer import AcousticScorer
from asr.config import CorpusConfig
from asr.corpora.cuts import phone_sequence, read_cuts, reference
from asr.corpora.prepare import prepare
from asr.decoding.graph.build import build_graph
from asr.decoding.search.beam import BeamSearch
from asr.decoding.search.phone_prior import phone_prior
from asr.decoding.search.prefix_beam import prefix_beam_search
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.formats.transcript import Transcript
from asr.lm.arpa import read_arpa
from asr.lm.ngram import train_ngram
from asr.phones.folding import fold
from asr.phones.phone_set import AnyPhoneSet, load_phone_set
from asr.scoring.score import counted_per

CORPORA = Path(os.environ.get("ASR_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))
SAMPLE = CORPORA / "timit_sample"
FRAME_SHIFT = 0.01
WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4)
PENALTIES = (-6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0)

Posteriors = npt.NDArray[np.float32]
Recognize = Callable[[Posteriors], list[str]]


@dataclass(frozen=True)
class Utterance:
    """Reference phones, log posteriors [T, 1 + P] and seconds of audio."""

    phones: list[str]
    posteriors: Posteriors
    seconds: float


@dataclass(frozen=True)
class Task:
    """What all systems decode, and with which language model."""

    phones: tuple[str, ...]
    phone_set: AnyPhoneSet
    arpa: Path
    dev: list[Utterance]
    test: list[Utterance]


def from_run(run: Path, order: int, folder: Path) -> Task:
    """The dev and test scores of a finished CTC run, and an n-gram of its training transcripts."""
    fold_dir = next((path for path in (run / "fold-1", run) if (path / "train" / "bundle").is_dir()), None)
    if fold_dir is None:
        raise InputError("is not a finished run", run)
    bundle = read_bundle(fold_dir / "train" / "bundle")
    if bundle.config.topology != "ctc":
        raise InputError("was not trained by CTC; name a run of a recipe with training.loss: ctc", run)
    prepared = next(
        path
        for path in (fold_dir.parent / "prepare" / fold_dir.name, fold_dir / "prepare")
        if (path / "train.cuts.jsonl.gz").is_file()
    )
    scorer = AcousticScorer(bundle)
    sets = [
        [
            Utterance(reference(cut).symbols, posteriors, cut.duration)
            for cut, posteriors in scored_split(scorer, Dataset(prepared, fold_dir / "features"), split)
        ]
        for split in ("dev", "test")
    ]
    return task(bundle.config.targets.phone_set, prepared, order, folder, *sets)


def made(corpus: Path | None, order: int, folder: Path) -> Task:
    """Scores made from the phone times of a corpus's dev and test sets: a spike for each phone between blanks, a
    neighbour's spike of almost the same height, and noise."""
    settings = {"name": "timit", "dir": corpus, "folds": 4} if corpus else {"name": "demo"}
    config = CorpusConfig.model_validate(settings)
    prepare(config, folder / "prepare")
    prepared = folder / "prepare" / ("fold-1" if config.folds > 1 else "")
    random = np.random.default_rng(0)
    phones = load_phone_set("timit48")
    sets = [
        [made_utterance(reference(cut), phones, random) for cut in read_cuts(prepared / f"{split}.cuts.jsonl.gz")]
        for split in ("dev", "test")
    ]
    return task("timit48", prepared, order, folder, *sets)


def made_utterance(spoken: Transcript, phones: Sequence[str], random: np.random.Generator) -> Utterance:
    frames = int(spoken.duration / FRAME_SHIFT)
    logits = random.normal(0, 1.2, (frames, 1 + len(phones)))
    logits[:, 0] += 5.0
    for segment in spoken.phones:
        (symbol,) = fold([segment.phone], "timit48") or [None]
        if symbol is None:
            continue
        middle = min(int((segment.start + segment.end) / 2 / FRAME_SHIFT), frames - 1)
        spike = slice(max(middle - 1, 0), middle + 2)
        rival = random.integers(len(phones))
        logits[spike, 1 + phones.index(symbol)] += random.normal(7.0, 2.0)
        logits[spike, 1 + rival] += random.normal(4.0, 2.0)
    log_posteriors = torch.from_numpy(logits).log_softmax(-1).float().numpy()
    return Utterance(spoken.symbols, log_posteriors, spoken.duration)


def task(
    phone_set: AnyPhoneSet, prepared: Path, order: int, folder: Path, dev: list[Utterance], test: list[Utterance]
) -> Task:
    phones = load_phone_set(phone_set)
    transcripts = (fold(phone_sequence(cut), phone_set) for cut in read_cuts(prepared / "train.cuts.jsonl.gz"))
    train_ngram(transcripts, order, phones, folder / "lm.arpa")
    return Task(phones, phone_set, folder / "lm.arpa", dev, test)


def graph(task: Task, beam: float, weight: float, penalty: float) -> Recognize:
    search = BeamSearch(build_graph(task.arpa, task.phones, topology="ctc", lm_weight=weight), beam, penalty)
    return lambda posteriors: [task.phones[span.phone] for span in search.best_path(posteriors).phones]


def kaldi(task: Task, beam: float, weight: float, penalty: float) -> Recognize:
    import kaldi_decoder
    import kaldifst

    from benchmarks.openfst import openfst

    fst = openfst(build_graph(task.arpa, task.phones, topology="ctc", lm_weight=weight), penalty)
    decoder = kaldi_decoder.FasterDecoder(fst, kaldi_decoder.FasterDecoderOptions(beam=beam))

    def recognize(posteriors: Posteriors, _kept: object = fst) -> list[str]:  # the decoder keeps no reference to it
        decoder.decode(kaldi_decoder.DecodableCtc(posteriors))
        _, path = decoder.get_best_path(use_final_probs=True)
        return [task.phones[phone - 1] for phone in kaldifst.get_linear_symbol_sequence(path)[2]]

    return recognize


def prefix_beam(task: Task, beam: float, weight: float, penalty: float) -> Recognize:
    prior = phone_prior(read_arpa(task.arpa), task.phones).weighted(weight, penalty)
    return lambda posteriors: [task.phones[i] for i in prefix_beam_search(posteriors, int(beam), prior)[0].phones]


def flashlight(task: Task, beam: float, weight: float, _: float) -> Recognize:
    from torchaudio.models.decoder import ctc_decoder

    tokens = ["-", *task.phones, "|"]
    decoder = ctc_decoder(
        None, tokens, lm=str(task.arpa), beam_size=int(beam), lm_weight=weight * math.log(10), log_add=True
    )

    def recognize(posteriors: Posteriors) -> list[str]:
        # The decoder wants a token between words, which phones have not.
        never = np.full((len(posteriors), 1), -100.0, np.float32)
        (found,) = decoder(torch.from_numpy(np.concatenate([posteriors, never], axis=1))[None])[0]
        return [token for token in decoder.idxs_to_tokens(found.tokens) if token != "|"]

    return recognize


def pyctcdecode(task: Task, beam: float, weight: float, penalty: float) -> Recognize:
    from pyctcdecode import build_ctcdecoder

    logging.disable(logging.WARNING)
    labels = ["", *(f"▁{phone}" for phone in task.phones), "▁⁇▁"]
    decoder = build_ctcdecoder(labels, str(task.arpa), list(task.phones), alpha=weight, beta=-penalty)

    def recognize(posteriors: Posteriors) -> list[str]:
        never = np.full((len(posteriors), 1), -100.0, np.float32)
        return decoder.best_path(np.concatenate([posteriors, never], axis=1), beam_width=int(beam)).split()

    return recognize


SYSTEMS: dict[str, tuple[Callable[[Task, float, float, float], Recognize], tuple[float, ...]]] = {
    "asr, graph": (graph, (2, 4, 8, 12, 16)),
    "kaldi_decoder": (kaldi, (2, 4, 8, 12, 16)),
    "asr, prefix beam": (prefix_beam, (4, 8, 16, 32, 64)),
    "torchaudio": (flashlight, (2, 5, 10, 20, 50)),
    "pyctcdecode": (pyctcdecode, (2, 5, 10, 20, 50)),
}
"""Each with its beams: costs for a graph, numbers of hypotheses for the others. Tuning takes the middle one."""


PACKAGES = {
    "kaldi_decoder": ("kaldi_decoder", "kaldifst"),
    "torchaudio": ("flashlight", "kenlm"),
    "pyctcdecode": ("pyctcdecode", "kenlm"),
}
"""What the others need besides torchaudio."""


def per(utterances: list[Utterance], recognize: Recognize) -> float:
    return counted_per((each.phones, recognize(each.posteriors)) for each in utterances)


def measure(task: Task) -> Iterator[dict[str, object]]:
    audio = sum(each.seconds for each in task.test)
    for name, (system, beams) in SYSTEMS.items():
        if missing := [package for package in PACKAGES.get(name, ()) if find_spec(package) is None]:
            print(f"{name}: not measured, as {missing[0]} is not installed; see make bench-decoding", file=sys.stderr)
            continue
        points = product(WEIGHTS, (0.0,) if system is flashlight else PENALTIES)
        weight, penalty = min(points, key=lambda point: per(task.dev, system(task, beams[len(beams) // 2], *point)))
        for beam in beams:
            recognize = system(task, beam, weight, penalty)
            recognize(task.dev[0].posteriors)  # warms up
            found, started = [], time.process_time()
            for each in task.test:
                found.append(recognize(each.posteriors))
            seconds = time.process_time() - started
            pairs = zip((each.phones for each in task.test), found, strict=True)
            yield {
                "benchmark": "decoding",
                "system": name,
                "figure": round(seconds / audio, 5),
                "unit": "real-time factor",
                "threads": 1,
                "beam": beam,
                "per": round(counted_per(pairs), 2),
                "lm_weight": weight,
                "insertion_penalty": penalty,
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--corpus", type=Path, default=SAMPLE if SAMPLE.is_dir() else None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    source = partial(from_run, arguments.run) if arguments.run else partial(made, arguments.corpus)
    table = Table("system", "beam", "PER %", "real-time factor", "LM weight", "penalty", title="CTC decoding, 1 thread")
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(source(arguments.order, Path(folder))):
            print(json.dumps(row), flush=True)
            shown = (row["system"], row["beam"], row["per"], row["figure"], row["lm_weight"], row["insertion_penalty"])
            table.add_row(*map(str, shown))
    Console().print(table)


if __name__ == "__main__":
    main()
