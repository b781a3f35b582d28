"""Whatever a file holds, a parser reads it or says in one short line what is wrong: no other exception comes out.

FUZZ_EXAMPLES and FUZZ_SEED choose how many damaged files each parser reads, and which; see `make fuzz`.
"""

import gzip
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support.mutations import damaged

from asr.acoustics.bundle import read_bundle
from asr.alignment.states import StateAlignment, read_aligned_split, write_alignments
from asr.audio import audio_info, read_audio
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import read_cuts
from asr.corpora.kaldi_files import read_table
from asr.corpora.timit_labels import read_phones, read_words
from asr.corpora.timit_splits import read_speaker_list
from asr.errors import InputError
from asr.features.archive import Archive
from asr.features.cmvn import load_cmvn
from asr.formats.ctm import read_ctm
from asr.formats.phn import read_labels
from asr.formats.plain_text import read_sentence
from asr.formats.textgrid import read_tier
from asr.formats.transcript import read_transcripts
from asr.lm.arpa import read_arpa
from asr.phones.lexicon import read_lexicon
from asr.phones.phone_set import load_phone_set
from asr.report.run_files import read_run
from asr.scoring.oracle import oracle_files
from asr.scoring.results import read_utterances
from asr.storage.output_folder import output_folder
from asr.storage.weights import read_weights, save_weights

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
LONGEST_MESSAGE = 1500
FOUND = Path(__file__).parent / "found"

ARPA = b"""\\data\\
ngram 1=3
ngram 2=1

\\1-grams:
-0.5	</s>
-99	<s>	-0.3
-0.4	aa	-0.1

\\2-grams:
-0.2	<s> aa

\\end\\
"""
TEXTGRID = b"""File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "aa"
        intervals [2]:
            xmin = 0.5
            xmax = 1
            text = ""
"""
SHORT_TEXTGRID = b"""File type = "ooTextFile"
Object class = "TextGrid"

0
1
<exists>
1
"IntervalTier"
"phones"
0
1
1
0
1
"aa"
"""
LABELS = b"0 3200 h#\n3200 6400 sh\n6400 16000 h#\n"
TRANSCRIPT = (
    b'{"utterance": "a", "speaker": "s", "audio": "a.wav", "duration": 1.0, "phones": [{"phone": "aa", "start": 0.0, '
    b'"end": 0.5, "score": 0.9}], "words": [{"word": "a", "start": 0.0, "end": 0.5}], "intervals": [[0.1, 0.2]]}\n'
)
NBEST = b'{"utterance": "a", "hypotheses": [{"cost": 1.5, "phones": [{"phone": "aa", "start": 0.0, "end": 0.5}]}]}\n'
LEXICON = b";;; a comment\nREAD  R EH1 D\nREAD(1)  R IY1 D # past\n<UNK> SPN\n"
RECORD = b'{"schema": 1, "kind": "run"}\n{"file": "a", "size": 1, "sha256": "' + b"0" * 64 + b'", "grows": true}\n'
CTM = b";; a comment\na 1 0.0000 0.5000 aa 0.9000\na 1 0.5000 0.5000 b\n"


@dataclass(frozen=True)
class Parser:
    """`read` reads the file `name` in a folder that holds all else that it needs; `seeds` are whole files."""

    name: str
    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]


def _audio(suffix: str, subtype: str | None = None) -> bytes:
    import io

    file = io.BytesIO()
    samples = np.sin(np.arange(1600) / 5)
    soundfile.write(file, samples, 16000, format=suffix, subtype=subtype)
    return file.getvalue()


def _read_record(path: Path) -> None:
    with output_folder(path.parent, "run", "--out"):
        pass


def _read_nbest(path: Path) -> object:
    (path.parent / "said.jsonl").write_bytes(TRANSCRIPT)
    said = path.parent / "said.jsonl"
    return oracle_files(said, said, path, path.parent, "timit39")


def _in_bundle(path: Path) -> object:
    return read_bundle(path.parent)


TEXTS: dict[str, Parser] = {
    "recipe": Parser(
        "recipe.yaml", read_recipe, (b"corpus: {name: demo}\nmodel:\n  type: cnn\n  dropout: 0.3\nlm:\n  order: 2\n",)
    ),
    "transcripts": Parser("a.jsonl", lambda path: list(read_transcripts(path)), (2 * TRANSCRIPT, TRANSCRIPT)),
    "nbest": Parser("nbest.jsonl", _read_nbest, (NBEST,)),
    "textgrid": Parser("a.TextGrid", lambda path: read_tier(path, "phones"), (TEXTGRID, SHORT_TEXTGRID)),
    "labels": Parser("a.phn", read_labels, (LABELS,)),
    "phn": Parser("a.phn", lambda path: read_phones(path, 16000, load_phone_set("timit61")), (LABELS,)),
    "wrd": Parser("a.wrd", lambda path: read_words(path, 16000), (LABELS,)),
    "text": Parser("a.txt", read_sentence, (b"0 46797 She had your dark suit.\n",)),
    "lexicon": Parser("lexicon.txt", read_lexicon, (LEXICON,)),
    "phone set": Parser(
        "mine.txt", load_phone_set, (b"# mine\na\n\xc9\x99\t-\t\xc9\x99\nt\tstop\tt\ttcl\ntcl\nsil\tsilence\n",)
    ),
    "folding": Parser(
        "mine-timit39.tsv",
        lambda path: load_phone_set(path.with_name("mine.txt")),
        (b"a\taa\n\xc9\x99\tah\nt\tt\ntcl\tsil\nsil\tsil\n",),
    ),
    "arpa": Parser("lm.arpa", read_arpa, (ARPA,)),
    "ctm": Parser("a.ctm", lambda path: list(read_ctm(path)), (CTM,)),
    "kaldi table": Parser("text", read_table, (b"a  she had\nb  your dark suit\n",)),
    "speakers": Parser("train_speakers.txt", read_speaker_list, (b"fabc0  # a comment\nmdef0\n",)),
    "output record": Parser(".asr.jsonl", _read_record, (RECORD,)),
    "wav": Parser(
        "a.wav", lambda path: (audio_info(path), read_audio(path, 16000)), (_audio("WAV"), _audio("WAV", "FLOAT"))
    ),
    "flac": Parser("a.flac", lambda path: (audio_info(path), read_audio(path, 16000)), (_audio("FLAC"),)),
    "ogg": Parser("a.ogg", lambda path: (audio_info(path), read_audio(path, 16000)), (_audio("OGG"),)),
    "sphere": Parser("a.sph", lambda path: (audio_info(path), read_audio(path, 16000)), (_audio("NIST"),)),
    "aiff, au": Parser(
        "a.au", lambda path: (audio_info(path), read_audio(path, 16000)), (_audio("AIFF"), _audio("AU"))
    ),
}


def _first_lines(path: Path, number: int = 3) -> bytes:
    return b"".join(path.read_bytes().splitlines(keepends=True)[:number])


def _of_run(run: Path, folder: Path) -> dict[str, Parser]:
    """Parsers of files that a run left, each in its place in a copy of the run."""
    bundle = Path(shutil.copytree(run / "decode" / "bundle", folder / "bundle"))
    whole = Path(shutil.copytree(run, folder / "run"))
    cuts = gzip.decompress((run / "prepare/dev.cuts.jsonl.gz").read_bytes()).splitlines(keepends=True)[0]
    save_weights(folder / "w.safetensors", {"weight": torch.ones(2, 3), "bias": torch.zeros(2)})
    aligned = StateAlignment.split_evenly(["aa"], [0.0, 0.5], 3)
    write_alignments(folder / "states.jsonl", "x", [("a", aligned, None), ("b", None, "too short")])

    def unpacked(path: Path) -> object:
        path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes(), 1))
        return list(read_cuts(path.with_suffix(".gz")))

    parsers = {
        "cuts": Parser(str(folder / "cuts.jsonl"), unpacked, (cuts,)),
        "packed cuts": Parser(str(folder / "dev.gz"), lambda path: list(read_cuts(path)), (gzip.compress(cuts),)),
        "state alignments": Parser(
            str(folder / "states.jsonl"), read_aligned_split, ((folder / "states.jsonl").read_bytes(),)
        ),
        "utterances": Parser(
            str(folder / "u.jsonl"), read_utterances, (_first_lines(run / "score/utterances.jsonl", 1),)
        ),
        "cmvn": Parser(str(folder / "c.safetensors"), load_cmvn, ((bundle / "cmvn.safetensors").read_bytes(),)),
        "weights": Parser(str(folder / "w.safetensors"), read_weights, ((folder / "w.safetensors").read_bytes(),)),
    }
    for name in (
        "bundle.json",
        "recipe.yaml",
        "classes.tsv",
        "phones.txt",
        "decoding.yaml",
        "cmvn.safetensors",
        "model.safetensors",
    ):
        parsers[f"bundle, {name}"] = Parser(str(bundle / name), _in_bundle, ((bundle / name).read_bytes(),))
    for name in ("dev.npy", "dev.index.jsonl"):
        path = whole / "features" / name
        parsers[f"archive, {name}"] = Parser(
            str(path), lambda path: Archive(whole / "features/dev")[0].sum(), (path.read_bytes(),)
        )
    for name in ("results.json", "recipe.yaml", "environment.json", "train/metrics.jsonl", "score/utterances.jsonl"):
        parsers[f"run, {name}"] = Parser(
            str(whole / name), lambda path: read_run(whole), ((whole / name).read_bytes(),)
        )
    return parsers


OF_RUN = (
    "cuts",
    "packed cuts",
    "state alignments",
    "utterances",
    "cmvn",
    "weights",
    "bundle, bundle.json",
    "bundle, recipe.yaml",
    "bundle, classes.tsv",
    "bundle, phones.txt",
    "bundle, decoding.yaml",
    "bundle, cmvn.safetensors",
    "bundle, model.safetensors",
    "archive, dev.npy",
    "archive, dev.index.jsonl",
    "run, results.json",
    "run, recipe.yaml",
    "run, environment.json",
    "run, train/metrics.jsonl",
    "run, score/utterances.jsonl",
)


@pytest.fixture(scope="module")
def of_run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parser]:
    return _of_run(tiny_run, tmp_path_factory.mktemp("run-files"))


def reads_or_refuses(parser: Parser, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        parser.read(path)
    except InputError as error:
        message = str(error)
        assert "\n" not in message
        assert len(message) <= LONGEST_MESSAGE


def fuzz(parser: Parser, path: Path) -> None:
    contents = st.sampled_from(parser.seeds).flatmap(damaged)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(contents)
    def each(content: bytes) -> None:
        reads_or_refuses(parser, path, content)

    path.parent.mkdir(parents=True, exist_ok=True)
    for content in parser.seeds:
        path.write_bytes(content)
        parser.read(path)
    each()
    path.write_bytes(parser.seeds[0])


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_of_anyone(name: str, tmp_path: Path) -> None:
    if name == "folding":
        (tmp_path / "mine.txt").write_bytes(TEXTS["phone set"].seeds[0])
    fuzz(TEXTS[name], tmp_path / TEXTS[name].name)


@pytest.mark.parametrize("name", OF_RUN)
def test_a_file_of_a_run(name: str, of_run: dict[str, Parser]) -> None:
    fuzz(of_run[name], Path(of_run[name].name))


@pytest.mark.parametrize("found", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}, {path.name}")
def test_what_was_found_before(found: Path, tmp_path: Path) -> None:
    parser = TEXTS[found.parent.name]
    reads_or_refuses(parser, tmp_path / parser.name, found.read_bytes())
