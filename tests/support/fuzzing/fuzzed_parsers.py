"""Every parser of the package, with small valid inputs to begin with."""

import gzip
import json
import tempfile
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from praatio import textgrid

from asr.acoustics.bundle import ClassStatistics, Tuning, read_bundle, write_bundle, write_tuning
from asr.alignment.states import read_aligned_split
from asr.audio import AudioInfo
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe, write_recipe
from asr.corpora.timit_labels import read_phones, read_words
from asr.features.archive import Archive, ArchiveWriter
from asr.features.cmvn import Cmvn, Statistics, load_cmvn, save_cmvn
from asr.formats.lab import read_transcript as read_lab
from asr.formats.plain_text import read_sentence
from asr.formats.textgrid import write_textgrid
from asr.formats.textgrid_reader import read_tier
from asr.formats.transcript import Alternative, PhoneSegment, Transcript, WordSegment, read_recognised, read_transcripts
from asr.lm.arpa import read_arpa
from asr.lm.ngram import train_ngram
from asr.models import build
from asr.phones.folding import folding
from asr.phones.lexicon import read_lexicon
from asr.phones.numbers import number_speller
from asr.phones.phone_set import load_phone_set
from asr.phones.words import split_words
from asr.recordings.transcripts import ListedTranscripts
from asr.scoring.oracle import oracle_files
from asr.scoring.results import read_utterances
from asr.storage.json_files import read_json, write_json
from asr.storage.text import read_text
from asr.storage.weights import read_weights, save_weights
from asr.training.checkpoint import Progress, Trained, load_checkpoint, save_checkpoint
from asr.training.metrics import read_metrics
from support.fuzzing.fuzzed_corpora import corpus_parsers
from support.fuzzing.parser import Parser, exhausted, rows, written

TRANSCRIPT = Transcript(
    "u1",
    [PhoneSegment("sil", 0.0, 0.1, 0.9), PhoneSegment("aa", 0.1, 0.3, 0.5)],
    speaker="s1",
    audio="/x/u1.wav",
    duration=0.3,
    words=[WordSegment("ah", 0.1, 0.3)],
    intervals=[(0.05, 0.15)],
    nbest=[Alternative([PhoneSegment("aa", 0.1, 0.3)], 0.75)],
)
LINE = json.dumps(TRANSCRIPT.to_json()).encode() + b"\n"
COUNTS = {"substitutions": 1, "deletions": 0, "insertions": 0, "reference_phones": 2}
TREATMENTS = ("counted", "optional", "removed")
SCORED = {
    "utterance": "u1",
    "speaker": "s1",
    "counts": dict.fromkeys(TREATMENTS, COUNTS),
    "alignments": {treatment: [["aa", "ae"], ["sil", None]] for treatment in TREATMENTS},
}
EPOCH = {"epoch": 1, "train_loss": 1.5, "dev_loss": 1.25, "learning_rate": 0.001}
RECIPE = b"""\
seed: 1
corpus: {name: demo, dir: /x/y}
targets: {phone_set: timit39, states: 1}
model: {type: dnn, layers: 1, width: 8, context: 0, dropout: 0.2}
training: {epochs: 2, batch_size: 64, optimizer: {type: adam, learning_rate: 1.0e-3}}
decoding:
  acoustic_scales: [0.5, 1.0]
  ensemble: []
"""
CHRONOLOGICAL = b"""\
"Praat chronological TextGrid text file"
0 0.3   ! Time domain.
2   ! Number of tiers.
"IntervalTier" "phones" 0 0.3
"TextTier" "boundaries" 0 0.3
1 0 0.1
"sil"
2 0.1
"here"
1 0.1 0.3
"aa"
"""
UNCHECKED = b'{"schema": 1}'
"""A bundle.json without checksums, which would keep a damaged file from its parser."""


def _praat_textgrid(form: str) -> bytes:
    grid = textgrid.Textgrid(0.0, 0.3)
    grid.addTier(textgrid.IntervalTier("phones", [(0.0, 0.1, "sil"), (0.1, 0.3, "aa")], 0.0, 0.3))
    return written(lambda path: grid.save(str(path), format=form, includeBlankSpaces=True))


def _archive() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        with ArchiveWriter(Path(name) / "x", 2) as archive:
            archive.append("u1", "s1", np.ones((3, 2), np.float32))
            archive.append("u2", "s1", np.zeros((2, 2), np.float32))
        return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def _read_archive(path: Path) -> None:
    archive = Archive(path.parent / "x")
    for number in range(len(archive)):
        archive[number].sum()


def _cmvn(dim: int = 2) -> Cmvn:
    cmvn = Cmvn()
    cmvn.add("s1", Statistics.of(np.random.default_rng(0).normal(size=(9, dim)).astype(np.float32)))
    return cmvn


def _config() -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "targets": {"phone_set": "timit39", "states": 1},
            "model": {"type": "dnn", "layers": 1, "width": 4, "context": 0},
            "features": {"bins": 10, "deltas": 0},
        }
    )


def _bundle() -> dict[str, bytes]:
    config = _config()
    classes = len(config.class_names)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        statistics = ClassStatistics(np.full(classes, 1 / classes), np.full(classes, 0.5))
        model = build(config.model, config.features.dim, classes)
        write_bundle(folder, config, model, statistics, _cmvn(config.features.static_dim))
        write_tuning(folder / "decoding.yaml", Tuning())
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _trained() -> Trained:
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return Trained(model, optimizer)


def _read_checkpoint(path: Path) -> None:
    load_checkpoint(path, _trained(), "f", _config().training)


def _read_oracle(path: Path) -> None:
    lines = path.parent / "hypotheses.jsonl"
    oracle_files(lines, lines, path, path.parent, "timit39")


def _beside(files: dict[str, bytes], name: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((other, content) for other, content in files.items() if other != name)


def _words(path: Path) -> object:
    return split_words(read_text(path, fallback=True), {"a", "don't", "twenty"}, number_speller("en"))


def _phone_set(path: Path) -> object:
    return folding(load_phone_set(path), "timit61")


@cache
def parsers() -> dict[str, Parser]:
    """All of them, by a name."""
    archive, bundle = _archive(), _bundle()
    mine = "a\t-\tɑ\nb\tstop\tb\tbcl\nbcl\tsilence\n".encode()
    fold = "".join(f"{phone}\ta\n" for phone in load_phone_set("timit61")).encode()
    known = corpus_parsers() | {
        "recipe": Parser("recipe.yaml", read_recipe, (RECIPE, written(lambda path: write_recipe(path, _config())))),
        "transcripts": Parser("x.jsonl", exhausted(read_transcripts), (LINE * 2,)),
        "recognised": Parser("x.jsonl", exhausted(read_recognised), (LINE * 2, rows({"utterance": "a", "phones": []}))),
        "listed": Parser("y.jsonl", partial(ListedTranscripts, tier="phones"), (LINE,)),
        "said": Parser("z.jsonl", partial(ListedTranscripts, tier="words"), (rows({"utterance": "a", "text": "b"}),)),
        "utterances": Parser("utterances.jsonl", read_utterances, (rows(SCORED),)),
        "nbest": Parser(
            "nbest.jsonl",
            _read_oracle,
            (rows({"utterance": "u1", "hypotheses": [{"phones": [{"phone": "aa"}]}, {"phones": []}]}),),
            (("hypotheses.jsonl", LINE),),
        ),
        "states": Parser(
            "alignments.jsonl",
            read_aligned_split,
            (
                rows(
                    {"schema": 1, "source": "x"},
                    {"utterance": "u1", "phones": [{"phone": "a", "start": 0, "end": 0.3, "states": [0.1]}]},
                    {"utterance": "u2", "failed": "short"},
                ),
            ),
        ),
        "metrics": Parser("metrics.jsonl", read_metrics, (rows(EPOCH, EPOCH),)),
        "json": Parser("x.json", read_json, (written(lambda path: write_json(path, SCORED)),)),
        "textgrid": Parser(
            "x.TextGrid",
            partial(read_tier, tier="phones"),
            (
                written(lambda path: write_textgrid(path, TRANSCRIPT), "x.TextGrid"),
                *map(_praat_textgrid, ("short_textgrid", "json", "textgrid_json")),
                CHRONOLOGICAL,
            ),
        ),
        "phn": Parser(
            "x.phn", lambda path: read_phones(path, 9000.0, load_phone_set("timit61")), (b"0 50 h#\n50 9000 aa\n",)
        ),
        "wrd": Parser("x.wrd", lambda path: read_words(path, 9000.0), (b"0 50 she\n50 9000 had\n",)),
        "txt": Parser(
            "x.txt", partial(read_sentence, length=lambda: AudioInfo(16000, 9000, 1)), (b"0 9000 She had.\n",)
        ),
        "lab": Parser(
            "x.lab",
            partial(read_lab, tier="phones", audio=Path("x.wav")),
            (b"sil aa b\n", b"0 1000000 sil -5.1\n1000000 2500000 aa -7e1 word\n3000000 4000000 b\n"),
        ),
        "words": Parser(
            "words.txt", _words, (b'<i>Don\xe2\x80\x99t</i> (laughs) [noise] a/b, "c-d" \'em 21st &amp;\n',)
        ),
        "lexicon": Parser(
            "lexicon.txt",
            read_lexicon,
            (b";;; x\nREAD R EH1 D # y\nREAD(1) R IY1 D\n<UNK> SPN\n", b"a\t0.9\t1e-2\tAH0\nd\xe9 1 D EY\n"),
        ),
        "phone set": Parser("mine.tsv", _phone_set, (mine,), (("timit61-mine.tsv", fold),)),
        "folding": Parser(
            "timit61-mine.tsv", lambda path: _phone_set(path.with_name("mine.tsv")), (fold,), (("mine.tsv", mine),)
        ),
        "arpa": Parser(
            "lm.arpa",
            lambda path: read_arpa(path).unpacked(),
            (written(lambda path: train_ngram([["a", "b"], ["b", "a", "a"]], 2, ["a", "b"], path)),),
        ),
        "cmvn": Parser("x.cmvn.safetensors", load_cmvn, (written(lambda path: save_cmvn(path, _cmvn())),)),
        "weights": Parser(
            "x.safetensors", read_weights, (written(lambda path: save_weights(path, {"a": torch.ones(2, 3)})),)
        ),
        "checkpoint": Parser(
            "last.safetensors",
            _read_checkpoint,
            (written(lambda path: save_checkpoint(path, _trained(), Progress(0.1, [9.0]), "f")),),
        ),
    }
    for name in ("x.npy", "x.index.jsonl"):
        known[name] = Parser(name, _read_archive, (archive[name],), _beside(archive, name))
    for name in sorted(bundle):
        around = _beside(bundle | {"bundle.json": UNCHECKED}, name)
        known[f"bundle {name}"] = Parser(name, lambda path: read_bundle(path.parent), (bundle[name],), around)
    return known


def stored(parser: str, content: bytes) -> bytes:
    """What is written for a mutated content: cuts are text that is packed afterwards."""
    return gzip.compress(content, mtime=0) if parser == "cuts text" else content


WRITTEN_BY_PEOPLE = (
    *("recipe", "transcripts", "json", "textgrid", "phn", "wrd", "txt", "lab", "words", "lexicon", "phone set"),
    *("folding", "arpa", "speakers", "kaldi", "text-phone", "list csv", "own csv", "own segments", "own commonvoice"),
)
"""Those of text files that may come from any editor, and whose results can be compared."""

PARSERS: list[str] = sorted(parsers())
