"""What decoding a split can write besides the best phones: n-best lists, and lattices as JSON and as Kaldi's text."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from asr.acoustics.posteriors import LogPosteriors
from asr.config import DecodingConfig
from asr.decoding.decode import Decoder, PathWriter, phone_segments
from asr.decoding.lattice.lattice import Lattice, lattice
from asr.decoding.lattice.nbest import Hypothesis, n_best
from asr.decoding.search.forced_path import forced_path
from asr.decoding.search.path import BestPath, PhoneSequence
from asr.errors import InputError
from asr.formats.transcript import Alternative, Transcript
from asr.storage.files import complete_file, write_text
from asr.storage.run_layout import LATTICES, NBEST

KALDI_LATTICES, SYMBOLS = "lattices.txt", "lattice_phones.txt"


@contextmanager
def alternatives_files(folder: Path, config: DecodingConfig, decoder: Decoder) -> Iterator[PathWriter]:
    """Opens the files that the recipe asks for; the function that it yields adds an utterance and ignores its phones.

    nbest.jsonl has `hypotheses` of phones with times, best first, each with its `cost`. lattices.jsonl has nodes'
    times (s), arcs [from, to, phone or null, graph cost, acoustic cost] and final nodes' costs; the acoustic cost is
    not scaled. lattices.txt is a text archive of Kaldi's compact lattices: words are the phones of lattice_phones.txt,
    the alignment's numbers are class index + 1.
    """
    with ExitStack() as files:
        names = [NBEST] * (config.nbest > 0) + [LATTICES, KALDI_LATTICES] * config.lattices
        opened: dict[str, IO[str]] = {name: files.enter_context(complete_file(folder / name)) for name in names}
        if config.lattices:
            symbols = ["<eps>", *decoder.phones]
            write_text(folder / SYMBOLS, "".join(f"{symbol} {number}\n" for number, symbol in enumerate(symbols)))

        def write_nbest(utterance: Transcript, best: list[Hypothesis]) -> None:
            opened[NBEST].write(json.dumps(_nbest_json(utterance, best, decoder), ensure_ascii=False) + "\n")

        def write(utterance: Transcript, log_posteriors: LogPosteriors, path: BestPath) -> None:
            if not opened:
                return
            if config.search == "prefix_beam":  # the recipe's schema allows no lattices of it
                write_nbest(utterance, n_best_hypotheses(log_posteriors, path, decoder, config, config.nbest))
                return
            paths = _lattice(log_posteriors, decoder, config)
            if config.nbest:
                write_nbest(utterance, n_best(paths, config.nbest))
            if config.lattices:
                row = _lattice_json(utterance, paths, decoder)
                opened[LATTICES].write(json.dumps(row, ensure_ascii=False) + "\n")
                opened[KALDI_LATTICES].writelines(_kaldi_lines(utterance.utterance, paths))

        yield write


def n_best_hypotheses(
    log_posteriors: LogPosteriors, path: BestPath, decoder: Decoder, config: DecodingConfig, count: int
) -> list[Hypothesis]:
    """The `count` best phone sequences, or as many as there are, for log posteriors and the best path found for them.

    Raises InputError for a greedy search, which finds only one.
    """
    if config.search == "greedy":
        raise InputError("the model's search is greedy, which finds one hypothesis; leave the n-best list out")
    if config.search == "prefix_beam":
        return _with_times(path.sequences[:count], decoder.scores(log_posteriors))
    return n_best(_lattice(log_posteriors, decoder, config), count)


def with_nbest(utterance: Transcript, hypotheses: Sequence[Hypothesis], decoder: Decoder) -> Transcript:
    """The utterance with its n-best list; a score is proportional to exp(-cost times the decoder's posterior scale)."""
    costs = np.array([each.cost for each in hypotheses]) * decoder.posterior_scale
    weights = np.exp(costs.min(initial=np.inf) - costs)
    nbest = [
        Alternative(phone_segments(hypothesis.phones, decoder, utterance.duration), round(float(share), 4))
        for hypothesis, share in zip(hypotheses, weights / weights.sum(), strict=True)
    ]
    return replace(utterance, nbest=nbest)


def _lattice(log_posteriors: LogPosteriors, decoder: Decoder, config: DecodingConfig) -> Lattice:
    scores = decoder.scores(log_posteriors)
    beam, density = config.lattice_beam, config.lattice_density
    return lattice(decoder.graph_search.flat, scores, decoder.acoustic_scale, beam, density)


def _with_times(found: Sequence[PhoneSequence], scores: LogPosteriors) -> list[Hypothesis]:
    """What a prefix beam search kept, with the best times by the scores of the first model."""
    first = scores if scores.ndim == 2 else scores[0]
    return [Hypothesis(forced_path(first, each.phones).phones, -each.score) for each in found]


def _nbest_json(utterance: Transcript, hypotheses: list[Hypothesis], decoder: Decoder) -> dict[str, Any]:
    row = utterance.to_json()
    del row["phones"]
    row["hypotheses"] = [
        {
            "cost": round(hypothesis.cost, 4),
            "phones": [
                {"phone": each.phone, "start": each.start, "end": each.end}
                for each in phone_segments(hypothesis.phones, decoder, utterance.duration)
            ],
        }
        for hypothesis in hypotheses
    ]
    return row


def _lattice_json(utterance: Transcript, paths: Lattice, decoder: Decoder) -> dict[str, Any]:
    finals = np.flatnonzero(np.isfinite(paths.finals)).tolist()
    arcs = (paths.sources, paths.targets, paths.phones, paths.graph, paths.acoustic)
    return {
        "utterance": utterance.utterance,
        "acoustic_scale": paths.acoustic_scale,
        "nodes": [round(decoder.times.offset + frame * decoder.times.shift, 4) for frame in paths.frames.tolist()],
        "arcs": [
            [source, target, decoder.phones[phone] if phone >= 0 else None, round(graph, 4), round(acoustic, 4)]
            for source, target, phone, graph, acoustic in zip(*(values.tolist() for values in arcs), strict=True)
        ],
        "finals": {str(node): round(float(paths.finals[node]), 4) for node in finals},
    }


def _kaldi_lines(utterance: str, paths: Lattice) -> Iterator[str]:
    """A compact lattice as `lattice-copy` writes it in text: from, to, word, graph cost, acoustic cost, alignment."""
    yield f"{utterance} \n"
    runs = [
        "_".join([str(number + 1)] * frames)
        for number, frames in zip(paths.classes.tolist(), paths.lengths.tolist(), strict=True)
    ]
    arcs = (
        paths.sources,
        paths.targets,
        paths.phones,
        paths.graph,
        paths.acoustic,
        paths.offsets[:-1],
        paths.offsets[1:],
    )
    for source, target, phone, graph, acoustic, first, end in zip(*(values.tolist() for values in arcs), strict=True):
        alignment = "_".join(runs[first:end])
        yield f"{source}\t{target}\t{phone + 1}\t{graph:.6g},{acoustic:.6g},{alignment}\n"
    for node in np.flatnonzero(np.isfinite(paths.finals)).tolist():
        yield f"{node}\t{paths.finals[node]:.6g},0,\n"
    yield "\n"
