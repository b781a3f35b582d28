"""The parsers of corpora, with small valid inputs to begin with."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut

from asr.config import CorpusConfig
from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import read_cuts, utterance_cut, with_words, write_cuts
from asr.corpora.kaldi_files import read_table
from asr.corpora.lists import read_list
from asr.corpora.manifests.prepared import read_prepared
from asr.corpora.prepare import write_prepared
from asr.corpora.public.archives import unpack
from asr.corpora.speechocean762_files import read_spoken_words
from asr.corpora.timit_splits import read_speaker_list
from asr.phones.phone_set import load_phone_set
from support.fuzzing.parser import Parser, exhausted, rows, written


def _cuts() -> bytes:
    cut = utterance_cut(
        "u1", Path("/x/u1.wav"), 16000, 4800, speaker="s1", phones=[("aa", 0.0, 0.3)], words=[("ah", 0.0, 0.3)]
    )
    return written(lambda path: write_cuts(path, [cut]), "x.jsonl.gz")


def _own(layout: str) -> Callable[[Path], object]:
    """Reads a whole corpus, whose folder has a name below which `around` and the parsed file are."""

    def read(path: Path) -> object:
        root = next(each for each in path.parents if each.name == "mine")
        read_corpus = import_module(f"asr.corpora.own.{layout}").read_corpus
        found = read_corpus(CorpusConfig(name=layout, phone_set="timit39"), root)
        return {split: [cut.to_dict() for cut in cuts] for split, cuts in found.manifests.items()}

    return read


_SPLITS = (b"train", b"dev", b"test")


def _wav(number: int) -> bytes:
    noise = np.random.default_rng(number).normal(0, 0.1, 1600)
    return written(lambda path: soundfile.write(path, noise, 16000), "a.wav")


def _three_cuts() -> list[MonoCut]:
    return [
        utterance_cut(f"u{n}", Path(f"u{n}.wav"), 16000, 1600, speaker=f"s{n}", phones=[("aa", 0.0, 0.1)])
        for n in range(3)
    ]


def _chapters() -> Iterable[tuple[str, bytes]]:
    """The other parts of LibriSpeech, a speaker each."""
    for number, part in enumerate(("train-clean", "dev-clean"), 1):
        yield f"mine/{part}/{number}/1/{number}-1-0.wav", _wav(number)
        yield f"mine/{part}/{number}/1/{number}-1.trans.txt", b"%d-1-0 HAD\n" % number


def _packed(kind: str) -> bytes:
    def write(path: Path) -> None:
        if kind == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a/b.txt", "she had " * 9)
        else:
            with tarfile.open(path, kind) as tar:
                member = tarfile.TarInfo("./a/b.txt")
                member.size = 72
                tar.addfile(member, io.BytesIO(b"she had " * 9))

    return written(write, "x")


def _prepared(path: Path) -> object:
    cuts = [
        utterance_cut(f"u{number}", Path("/x"), 16000, 9, speaker="s", untimed_phones=["aa"]) for number in range(3)
    ]
    if not (path.parent / "dev.cuts.jsonl.gz").is_file():
        content = path.read_bytes()
        manifests = {split: [cut] for split, cut in zip(("train", "dev", "test"), cuts, strict=True)}
        write_prepared(path.parent, "csv", CorpusCuts(path.parent, manifests, phone_set=load_phone_set("timit39")))
        path.write_bytes(content)
    return read_prepared(path.parent).phone_set


def corpus_parsers() -> dict[str, Parser]:
    """All of them, by a name."""
    table = b"".join(b"%s,u%d,s%d,sh iy,%s,0,0.1\n" % (b"u%d.wav" % n, n, n, s) for n, s in enumerate(_SPLITS))
    table = b"path,id,speaker,phones,split,start,end\n" + table
    audio = tuple((f"mine/u{number}.wav", _wav(number)) for number in range(3))
    scp, segments, speakers = (
        b"".join(line % (n, n) for n in range(3)) for line in (b"r%d u%d.wav\n", b"u%d r%d 0.0 0.1\n", b"u%d s%d\n")
    )
    kaldi = (*audio, ("mine/wav.scp", scp), ("mine/text", b"u0 she\nu1 had\nu2 her\n"), ("mine/utt2spk", speakers))
    voice = tuple((name.replace("mine/", "mine/clips/"), content) for name, content in audio)
    chapter = "mine/test-clean/7/9/"
    recorded = rows(*(cut.recording.to_dict() for cut in _three_cuts()))
    pronounced = [with_words(cut, [("a", [("ah",), ("ey",)])]) for cut in _three_cuts()]
    said = rows(*(cut.supervisions[0].to_dict() for cut in _three_cuts()))
    known = {
        "cuts": Parser("x.jsonl.gz", exhausted(read_cuts), (_cuts(),)),
        "cuts text": Parser("x.jsonl.gz", exhausted(read_cuts), (gzip.decompress(_cuts()),)),
        "speakers": Parser("s.txt", read_speaker_list, (b"fabc0 # x\nmabc1\n",)),
        "kaldi": Parser("text", read_table, (b"u1 a b c\nu2 d e f\n",)),
        "text-phone": Parser(
            "resource/text-phone", lambda path: read_spoken_words(path.parent.parent), (b"u1.0 B_B EH0_E\nu1.1 R_S\n",)
        ),
        "list csv": Parser("x.csv", exhausted(read_list), (table, table.replace(b",", b";"))),
        "list jsonl": Parser(
            "x.jsonl",
            exhausted(read_list),
            (
                rows({"path": "a.wav", "id": "u", "phones": [{"phone": "aa", "start": 0, "end": 0.1}], "speaker": 1}),
                gzip.decompress(_cuts()),
                recorded,
            ),
        ),
        "own csv": Parser("mine/x.csv", _own("csv"), (table, table.replace(b",", b"\t")), audio),
        "own segments": Parser("mine/segments", _own("kaldi"), (segments,), kaldi),
        "own wav.scp": Parser("mine/wav.scp", _own("kaldi"), (scp.replace(b"r", b"u"),), kaldi),
        "own cuts": Parser(
            "mine/cuts.jsonl", _own("lhotse"), (rows(*(cut.to_dict() for cut in _three_cuts())),), audio
        ),
        "own words": Parser("mine/cuts.jsonl", _own("lhotse"), (rows(*(cut.to_dict() for cut in pronounced)),), audio),
        "own supervisions": Parser(
            "mine/supervisions.jsonl", _own("lhotse"), (said,), (*audio, ("mine/recordings.jsonl", recorded))
        ),
        "own recordings": Parser(
            "mine/recordings.jsonl", _own("lhotse"), (recorded,), (*audio, ("mine/supervisions.jsonl", said))
        ),
        "own trans": Parser(
            f"{chapter}7-9.trans.txt",
            _own("librispeech"),
            (b"7-9-0 SHE\n",),
            ((f"{chapter}7-9-0.wav", _wav(0)), *_chapters()),
        ),
        "own speakers": Parser(
            "mine/SPEAKERS.TXT",
            _own("librispeech"),
            (b"; x\n7  | F | test-clean | 1.0 | A B\n",),
            ((f"{chapter}7-9-0.wav", _wav(0)), (f"{chapter}7-9.trans.txt", b"7-9-0 SHE\n"), *_chapters()),
        ),
        "own commonvoice": Parser(
            "mine/validated.tsv",
            _own("commonvoice"),
            (b"client_id\tpath\tsentence\tgender\n" + b"".join(b"s%d\tu%d.wav\tShe.\tf\n" % (n, n) for n in range(3)),),
            voice,
        ),
        "prepared": Parser(
            "summary.json", _prepared, (rows({"corpus": "csv", "phone_set": "timit39", "missing": ["x"]}),)
        ),
    }
    for kind in ("zip", "w", "w:gz", "w:xz"):
        known[f"archive {kind}"] = Parser("x", lambda path: unpack(path, path.parent / "out"), (_packed(kind),))
    return known
