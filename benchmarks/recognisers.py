"""PER of phone recognisers on the same files: a model of asr, PyPI's hama and pocketsphinx.

    python benchmarks/recognisers.py [--model small] [--systems asr hama pocketsphinx] [--tests timit_sample ...]

Tests: `timit_sample`, the 128 utterances of NLTK's sample of TIMIT without the SA sentences, against its hand labels;
`mini_librispeech`, the six speakers of test-clean, against the dictionary: the pronunciation of each word that fits a
system's phones best counts, and words that the dictionary lacks are guessed (which takes some minutes); and
`speechocean762`, the test utterances of the part of it that is there, against the phones that its learners were meant
to say. --librispeech and --speechocean762 may also be folders from asr prepare, whose test set is used then. All is
folded to the 39 phones of Lee & Hon, with silence removed; recogniser_phones.tsv has what each symbol becomes.
`--jsonl FILE` keeps the rows for asr model card. Needs the extra `bench`; without one of the systems, leave it out with
--systems.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lhotse import MonoCut
from rich.console import Console
from rich.table import Table

from asr.audio.waveform import Waveform
from asr.config import CorpusConfig, ScoringConfig
from asr.corpora.cuts import read_cuts, reference
from asr.corpora.prepare import prepare
from asr.errors import InputError
from asr.features.extract import read_cut
from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.folding import fold, with_foldings
from asr.phones.phone_set import load_phone_set
from asr.progress import track
from asr.recognizer import load
from asr.scoring.results import TreatmentScore
from asr.scoring.score import score
from asr.storage.run_layout import cuts_path, fold_name
from asr.storage.text import read_lines

CORPORA = Path(os.environ.get("ASR_CORPORA", "../shared/corpora"))
PHONES = Path(__file__).with_name("recogniser_phones.tsv")
SAMPLE_RATE = 16000
FOLDS = 4

Recognise = Callable[[Waveform], list[str]]
"""Samples at SAMPLE_RATE to symbols of the system's own."""


def asr(model: str, phone_set: str) -> Recognise:
    recognizer = load(model, "cpu")
    if recognizer.sample_rate != SAMPLE_RATE:
        raise InputError(f"{model}: is not a model of speech at {SAMPLE_RATE} Hz, as this benchmark needs")
    target = with_foldings(load_phone_set(phone_set), load_phone_set(recognizer.bundle.config.targets.phone_set))
    return lambda samples: fold(recognizer.recognize(samples).symbols, target)


def hama(_: str, __: str) -> Recognise:
    from hama import ASRModel

    model = ASRModel()
    return lambda samples: model.transcribe_waveform(samples, SAMPLE_RATE).phonemes


def pocketsphinx(_: str, __: str) -> Recognise:
    """Its US English model and phone trigram, with the settings that its documentation gives for phones."""
    from pocketsphinx import Decoder, get_model_path

    trigram = get_model_path("en-us/en-us-phone.lm.bin")
    decoder = Decoder(allphone=trigram, lw=2.0, beam=1e-20, pbeam=1e-20, loglevel="FATAL")

    def recognise(samples: Waveform) -> list[str]:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("int16").tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        return [segment.word for segment in decoder.seg()]

    return recognise


SYSTEMS = {"asr": asr, "hama": hama, "pocketsphinx": pocketsphinx}


def timit_sample(folder: Path, work: Path) -> list[MonoCut]:
    """The test sets of the four folds: each utterance once."""
    prepare(CorpusConfig(name="timit", dir=folder, folds=FOLDS), work)
    names = (fold_name(number) for number in range(1, FOLDS + 1))
    return [cut for name in names for cut in read_cuts(cuts_path(work / name, "test"))]


def mini_librispeech(folder: Path, work: Path) -> list[MonoCut]:
    return test_set(CorpusConfig(name="librispeech", dir=folder, g2p=True), work)


def speechocean762(folder: Path, work: Path) -> list[MonoCut]:
    return test_set(CorpusConfig(name="speechocean762", dir=folder), work)


def test_set(corpus: CorpusConfig, work: Path) -> list[MonoCut]:
    """The test utterances of a corpus, or of a folder that is prepared already."""
    assert corpus.dir is not None
    if cuts_path(corpus.dir, "test").is_file():
        return list(read_cuts(cuts_path(corpus.dir, "test")))
    prepare(corpus, work)
    return list(read_cuts(cuts_path(work, "test")))


TESTS = {
    "timit_sample": (timit_sample, "timit39"),
    "mini_librispeech": (mini_librispeech, "cmu39"),
    "speechocean762": (speechocean762, "cmu39"),
}
"""Each with the phones of its references; a model of asr writes these, where its own are others."""


def phone_table(path: Path = PHONES) -> dict[str, dict[str, list[str]]]:
    """For each system, what its symbols become: phones of timit39, or none."""
    table: dict[str, dict[str, list[str]]] = {}
    for _, line in read_lines(path):
        if line and not line.startswith("#"):
            system, symbol, phones = line.split("\t")
            table.setdefault(system, {})[symbol] = [] if phones == "-" else phones.split()
    return table


def converted(symbols: Sequence[str], table: dict[str, list[str]] | None) -> list[str]:
    """Raises InputError for a symbol that the system's table lacks; without a table they stay as they are."""
    if table is None:
        return list(symbols)
    if unknown := [symbol for symbol in symbols if symbol not in table]:
        raise InputError(f"symbol {unknown[0]!r} is missing; add what it becomes", PHONES)
    return [phone for symbol in symbols for phone in table[symbol]]


def measure(recognise: Recognise, table: dict[str, list[str]] | None, cuts: Sequence[MonoCut]) -> TreatmentScore:
    """The PER of a system on utterances, silence removed."""
    found = []
    for cut in track(cuts, "recognising", len(cuts)):
        phones = converted(recognise(read_cut(cut, SAMPLE_RATE)), table)
        found.append(Transcript(cut.id, [PhoneSegment(phone) for phone in phones]))
    config = ScoringConfig.model_validate({"phone_set": "timit39"})
    return score(map(reference, cuts), found, config).treatments["removed"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="small", help="a model of asr, as in asr transcribe")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--tests", nargs="+", default=list(TESTS), choices=TESTS)
    parser.add_argument("--timit", type=Path, default=CORPORA / "timit_sample", help="the sample's folder")
    parser.add_argument("--librispeech", type=Path, default=CORPORA / "mini_librispeech", help="its folder")
    parser.add_argument("--speechocean762", type=Path, default=CORPORA / "speechocean762", help="its folder")
    parser.add_argument("--jsonl", type=Path, help="a file for the rows, too")
    options = parser.parse_args(arguments)
    logging.getLogger("asr").setLevel(logging.ERROR)
    folders = {
        "timit_sample": options.timit,
        "mini_librispeech": options.librispeech,
        "speechocean762": options.speechocean762,
    }
    table, rows = Table("test", "system", "PER", "95% interval", "utterances"), []
    try:
        phones = phone_table()
        for test in options.tests:
            read, written = TESTS[test]
            with tempfile.TemporaryDirectory() as work:
                cuts = read(folders[test], Path(work))
                for name in options.systems:
                    found = measure(SYSTEMS[name](options.model, written), phones.get(name), cuts)
                    shown = options.model if name == "asr" else name
                    rows.append(row(test, shown, found, len(cuts)))
                    print(json.dumps(rows[-1]), flush=True)
                    low, high = found.interval
                    table.add_row(test, shown, f"{found.counts.per:.1f}", f"{low:.1f} to {high:.1f}", str(len(cuts)))
    except InputError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f'error: {error}; pip install "asr-phones[bench]", or leave the system out with --systems')
    if options.jsonl:
        options.jsonl.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    Console().print(table)


def row(test: str, system: str, found: TreatmentScore, utterances: int) -> dict[str, object]:
    return {
        "benchmark": "recognisers",
        "test": test,
        "system": system,
        "figure": round(found.counts.per or 0.0, 2),
        "unit": "% PER, 39 phones, silence removed",
        "interval": [round(bound, 2) for bound in found.interval],
        "utterances": utterances,
        "threads": 1,
    }


if __name__ == "__main__":
    main()
