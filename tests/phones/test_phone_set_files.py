"""Phone sets and foldings as files: what ships, a user's own, and the messages about a broken one."""

import copy
import pickle
import unicodedata
from pathlib import Path

import pytest

from asr.errors import InputError
from asr.phones.folding import fold, folding, folds_to, with_foldings
from asr.phones.phone_set import PHONE_SETS, load_phone_set, silences

VOWELS = "a\t-\tɑ\nb\tstop\tb\tbx\nbx\nsil\tsilence\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    """The files of a folder; returns the first one's path."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(files))


def test_a_list_of_symbols_is_enough(tmp_path: Path) -> None:
    phone_set = load_phone_set(written(tmp_path, {"mine.txt": "b\n\n# a comment\naː\nh#\n"}))
    assert (str(phone_set), list(phone_set), phone_set.silences) == ("mine", ["b", "aː", "h#"], ())
    assert phone_set.numbers["aː"] == 1
    assert "aː" in phone_set
    assert "a" not in phone_set


def test_columns_say_kind_ipa_and_closure(tmp_path: Path) -> None:
    phone_set = load_phone_set(written(tmp_path, {"mine.txt": VOWELS}))
    assert (phone_set.silences, phone_set.ipa) == (("sil",), {"a": "ɑ", "b": "b"})
    stop = phone_set.phones[1]
    assert (stop.kind, stop.closure) == ("stop", "bx")
    assert silences(phone_set) == {"sil"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb\na\n", r"mine\.txt:3: symbol 'a' is already on line 1"),
        ("a\nsil silence\n", r"mine\.txt:2: symbol 'sil silence' is empty or has white space in it; separate columns"),
        ("a\n\tsilence\n", r"mine\.txt:2: symbol '' is empty"),
        ("a\tvowel\n", r"mine\.txt:1: unknown kind 'vowel'; use silence, pause, stop, affricate or -"),
        ("a\nb\tstop\tb\tbcl\n", r"mine\.txt: the closure 'bcl' of 'b' is not a symbol of the set"),
        ("a\tstop\tb\ta\tb\n", r"mine\.txt:1: expected at most 4 columns, found 5"),
        ("a\n</s>\n", r"mine\.txt:2: symbol '</s>' is reserved"),
        ("a\na_B\n", r"mine\.txt:2: symbol 'a_B' is reserved"),
        ("# nothing\n\n", r"mine\.txt: holds no symbols"),
        ("sil\tsilence\n", r"mine\.txt: holds no phones besides silence"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_phone_set(written(tmp_path, {"mine.txt": text}))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes("é\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"mine\.txt:1: is not UTF-8 text"):
        load_phone_set(tmp_path / "mine.txt")


def test_an_unknown_name_lists_those_that_ship(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'arpabet': choose timit61, .*cmu39, timit39, or give the path of a file"):
        load_phone_set("arpabet")
    with pytest.raises(InputError, match=r"timit39\.txt: the name timit39 belongs to a phone set that ships"):
        load_phone_set(written(tmp_path, {"timit39.txt": "a\n"}))
    with pytest.raises(InputError, match=r"the name 'my phones' of a phone set must not have white space"):
        load_phone_set(written(tmp_path, {"my phones.txt": "a\n"}))


def test_foldings_are_found_next_to_the_file_and_go_on_from_those_that_ship(tmp_path: Path) -> None:
    files = {
        "mine.txt": VOWELS,
        "mine-timit39.tsv": "a\taa\nb\tb\nbx\tsil\nsil\tsil\n",
        "other-mine.tsv": "A\ta\nO\t-\n",
        "unrelated-pair.tsv": "this is not read",
    }
    mine = load_phone_set(written(tmp_path, files))
    assert folds_to(mine, "timit39")
    assert not folds_to(mine, "cmu39")
    assert fold(["A", "O", "b"], mine) == ["a", "b"]
    timit39 = with_foldings(load_phone_set("timit39"), mine)
    assert fold(["a", "bx", "A", "ix", "q"], timit39) == ["aa", "sil", "aa", "ih"]
    assert folding("timit39", mine)["bx"] == "sil"
    with pytest.raises(InputError, match=r"unknown phone 'bx': it cannot be folded to timit39"):
        fold(["bx"], "timit39")
    with pytest.raises(InputError, match=r"no folding from timit61 to mine; write one to timit61-mine\.tsv"):
        folding(mine, "timit61")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mine-timit39.tsv", "a\taa\nb\tb\nbx\tsil\n", r"mine-timit39\.tsv: has no line for 'sil' of mine"),
        ("mine-timit39.tsv", "a\tao\nb\tb\nbx\tsil\nsil\tsil\n", r"'a' of mine becomes 'ao', which is not in timit39"),
        ("x-mine.tsv", "A\ta\nB\tc\n", r"x-mine\.tsv: 'B' of x becomes 'c', which is not in mine"),
        ("x-mine.tsv", "A\ta\nA\tb\n", r"x-mine\.tsv:2: symbol 'A' is already on line 1"),
        ("timit39-mine.tsv", "aa\ta\n", r"timit39-mine\.tsv: has no line for 'iy' of timit39"),
    ],
)
def test_a_broken_folding_is_named_with_both_sets(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_phone_set(written(tmp_path, {"mine.txt": VOWELS, name: text}))


def test_a_symbol_that_would_become_two_phones_is_refused(tmp_path: Path) -> None:
    """A transcript does not say which of the sets its `b` belongs to."""
    mine = load_phone_set(written(tmp_path, {"mine.txt": VOWELS, "x-mine.tsv": "b\ta\n"}))
    with pytest.raises(
        InputError, match=r"'b' of x would become 'a' in mine, but the same symbol in another set would become 'b'"
    ):
        fold(["b"], mine)


def test_a_phone_set_survives_the_way_to_another_process() -> None:
    phone_set = load_phone_set("timit48")
    assert phone_set.numbers
    assert phone_set.ipa
    assert pickle.loads(pickle.dumps(phone_set)) == phone_set
    assert copy.deepcopy(phone_set) == phone_set


@pytest.mark.parametrize("name", PHONE_SETS)
def test_every_phone_of_the_sets_that_ship_has_its_ipa(name: str) -> None:
    phone_set = load_phone_set(name)
    without = {"bcl", "sil", "h#", "pau", "epi", "cl", "vcl"}
    assert {symbol for symbol in phone_set if symbol not in phone_set.ipa} <= without
    assert all(unicodedata.is_normalized("NFC", ipa) for ipa in phone_set.ipa.values())
    phones = list(phone_set.ipa.values())
    assert len(phones) == len(set(phones))


@pytest.mark.parametrize(
    ("symbol", "ipa"), [("dx", "ɾ"), ("er", "ɝ"), ("dh", "ð"), ("jh", "d͡ʒ"), ("g", "ɡ"), ("ow", "oʊ"), ("q", "ʔ")]
)
def test_ipa_of_timit(symbol: str, ipa: str) -> None:
    assert load_phone_set("timit61").ipa[symbol] == ipa


def test_closures_of_the_sets_that_ship() -> None:
    closures = {
        name: {phone.symbol: phone.closure for phone in load_phone_set(name).phones if phone.closure}
        for name in PHONE_SETS
    }
    assert closures["timit61"] == {symbol: f"{symbol}cl" for symbol in "bdgptk"} | {"jh": "dcl", "ch": "tcl"}
    for name in PHONE_SETS[1:]:
        assert closures[name] == {
            symbol: fold([closure], name)[0] for symbol, closure in closures["timit61"].items() if closure
        }


def test_stress_and_letter_case_are_ignored_in_the_sets_that_ship(tmp_path: Path) -> None:
    assert fold(["HH", "AH0", "l", "OW1", "AO2"], "cmu39") == ["hh", "ah", "l", "ow", "ao"]
    assert fold(["AO2", "AX-H", "H#"], "timit39") == ["aa", "ah", "sil"]
    mine = load_phone_set(written(tmp_path, {"mine.txt": "a\na1\n"}))
    assert fold(["a", "a1"], mine) == ["a", "a1"]
    for written_so in ("A", "a2"):
        with pytest.raises(InputError, match="unknown phone"):
            fold([written_so], mine)
