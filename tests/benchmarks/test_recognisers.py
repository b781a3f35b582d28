"""What other recognisers' phones become, and how all are scored."""

import sys
from pathlib import Path

import pytest

from asr.audio import read_audio
from asr.corpora.cuts import read_cuts, reference
from asr.errors import InputError
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set
from benchmarks import recognisers


def test_every_symbol_becomes_phones_of_the_39() -> None:
    known = {*load_phone_set("timit39")} - {"sil"}
    table = recognisers.phone_table()
    assert set(table) == {"hama", "pocketsphinx"}
    for symbols in table.values():
        assert {phone for phones in symbols.values() for phone in phones} <= known
    assert {*table["pocketsphinx"]} >= {phone.upper() for phone in load_phone_set("cmu39") if phone != "sil"}


def test_the_ipa_of_the_39_becomes_themselves() -> None:
    table = recognisers.phone_table()["hama"]
    for symbol, ipa in load_phone_set("timit39").ipa.items():
        if symbol != "sil":
            assert table[ipa] == [symbol]


def test_an_unknown_symbol_is_named() -> None:
    with pytest.raises(InputError, match="symbol '☃' is missing"):
        recognisers.converted(["i", "☃"], recognisers.phone_table()["hama"])


def test_a_system_that_says_the_reference_makes_no_errors(prepared: Path) -> None:
    cuts = list(read_cuts(prepared / "test.cuts.jsonl.gz"))
    said = iter([phone for phone in fold(reference(cut).symbols, "timit39") if phone != "sil"] for cut in cuts)
    assert recognisers.measure(lambda samples: next(said), None, cuts).counts.errors == 0
    said = iter([[]] * len(cuts))
    assert recognisers.measure(lambda samples: next(said), None, cuts).counts.per == 100


def test_a_model_writes_the_phones_of_the_references(demo_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = read_audio(next(demo_corpus.glob("test/*/*/*.flac")), recognisers.SAMPLE_RATE)
    small = recognisers.load("small", "cpu")
    recognized = small.recognize(audio)
    monkeypatch.setattr(small, "recognize", lambda samples: recognized)
    monkeypatch.setattr(recognisers, "load", lambda *_: small)
    own = {*recognized.symbols}
    assert {"ib", "dx"} & own
    for written, folded in (("timit39", {"ib": "ih", "dx": "dx"}), ("cmu39", {"ib": "ah", "dx": "t"})):
        said = recognisers.asr("small", written)(audio)
        assert {*said} <= {*load_phone_set(written)}
        assert {folded[phone] for phone in own & {*folded}} <= {*said}


def test_a_test_set_that_is_prepared_already(prepared: Path, tmp_path: Path) -> None:
    cuts = recognisers.mini_librispeech(prepared, tmp_path / "work")
    assert [cut.id for cut in cuts] == [cut.id for cut in read_cuts(prepared / "test.cuts.jsonl.gz")]
    assert not (tmp_path / "work").exists()


def test_the_sample_s_128_utterances(timit_sample: Path, tmp_path: Path) -> None:
    cuts = recognisers.timit_sample(timit_sample, tmp_path)
    assert (len(cuts), len({cut.id for cut in cuts})) == (128, 128)
    assert not any("-sa" in cut.id for cut in cuts)


def test_the_shared_part_s_test_of_speechocean762(speechocean762: Path, tmp_path: Path) -> None:
    cuts = recognisers.speechocean762(speechocean762, tmp_path)
    assert (len(cuts), len({cut.supervisions[0].speaker for cut in cuts})) == (500, 25)


def test_main_prints_a_row_and_keeps_it_for_the_card(
    tiny_run: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recognisers.SYSTEMS, "hama", lambda *_: lambda samples: ["k", "l", "æ", "s"])
    rows = tmp_path / "rows.jsonl"
    options = ["--tests", "mini_librispeech", "--librispeech", str(prepared), "--jsonl", str(rows)]
    recognisers.main(["--model", str(tiny_run), "--systems", "asr", "hama", *options])
    first, second, *table = capsys.readouterr().out.splitlines()
    assert rows.read_text().splitlines() == [first, second]
    assert '"system": "hama"' in second
    assert any("hama" in line for line in table)


def test_a_system_that_is_not_installed(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hama", None)
    with pytest.raises(SystemExit, match=r'pip install "asr-phones\[bench\]", or leave the system out'):
        recognisers.main(["--systems", "hama", "--tests", "mini_librispeech", "--librispeech", str(prepared)])
