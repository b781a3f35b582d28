"""The labels of a corpus of one's own as phones: of a given set, or of one that is made from them."""

from pathlib import Path

import pytest
import yaml
from support.commands.asr_command import Command
from support.corpora.own_corpora import BUILDERS, SYMBOLS, all_cuts

from asr.corpora.cuts import phone_sequence
from asr.phones.labels import Labels
from asr.phones.phone_set import load_phone_set


def test_labels_are_written_in_a_given_phone_set(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace("sil sh iy sil", "spn SH IY1 <eps>"))
    given = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out", "--phone-set", "cmu39")
    assert given.status == 0, given.err
    assert {tuple(phone_sequence(cut)) for cut in all_cuts(tmp_path / "out")} == {("sil", "sh", "iy", "sil")}
    assert not (tmp_path / "out" / "phones.txt").exists()
    own = tmp_path / "own.txt"
    own.write_text("SH\nIY1\n")
    assert asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "own", "--phone-set", own).status == 0
    assert {tuple(phone_sequence(cut)) for cut in all_cuts(tmp_path / "own")} == {("SH", "IY1")}
    assert (tmp_path / "own" / "phones.txt").read_text().split() == ["SH", "-", "-", "-", "IY1", "-", "-", "-"]


@pytest.mark.parametrize("options", [(), ("--g2p",)])
def test_phones_given_as_words_are_warned_of(options: tuple[str, ...], tmp_path: Path, asr_command: Command) -> None:
    """Kaldi's text of TIMIT: its phones had no pronunciation, or one that the G2P made up."""
    BUILDERS["kaldi"](tmp_path / "corpus")
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\ni iy\nheed hh iy d\n")
    arguments = ("prepare", "kaldi", tmp_path / "corpus", tmp_path / "out", "--lexicon", tmp_path / "lexicon.txt")
    outcome = asr_command(*arguments, *options)
    message = f"corpus: most words of its texts look like phones ({SYMBOLS}); if they are, say so with --text phones"
    assert message in outcome.err
    BUILDERS["csv"](tmp_path / "words")
    table = tmp_path / "words" / "mine.csv"
    table.write_text(table.read_text().replace(SYMBOLS, ""))
    outcome = asr_command("prepare", "csv", tmp_path / "words", *arguments[3:], *options)
    assert (outcome.status, outcome.err) == (0, "")


def test_utterances_with_phones_and_with_words_need_one_set(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace(SYMBOLS, "", 1))
    (tmp_path / "lexicon.txt").write_text("she sh iy\nsaid s eh d\n")
    arguments = ("prepare", "csv", tmp_path / "corpus", tmp_path / "out", "--lexicon", tmp_path / "lexicon.txt")
    outcome = asr_command(*arguments)
    assert outcome.status == 1
    assert (
        "utterance ann0 has words and no phones, and others have phones; add them, or give the set of all"
        in outcome.err
    )
    outcome = asr_command(*arguments, "--phone-set", "cmu39")
    assert outcome.status == 0, outcome.err
    phones = {cut.id: " ".join(phone_sequence(cut)) for cut in all_cuts(tmp_path / "out")}
    assert (phones["ann0"], phones["bob0"]) == ("sh iy s eh d", SYMBOLS)


def test_ipa_makes_a_phone_set(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace(SYMBOLS, "t͡ʃ aː ə ˈa ç c\N{COMBINING CEDILLA} sp"))
    assert asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "out").status == 0
    phones = load_phone_set(tmp_path / "out" / "phones.txt")
    assert set(phones) == {"sil", "sp", "t͡ʃ", "aː", "ə", "ˈa", "ç"}
    assert phones.silences == ("sil", "sp")
    again = asr_command(
        "prepare", "csv", tmp_path / "corpus", tmp_path / "again", "--phone-set", tmp_path / "out" / "phones.txt"
    )
    assert again.status == 0, again.err


def test_phones_that_look_alike_are_warned_of_and_may_be_one(tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace(SYMBOLS, "gʰ ɡʰ t͡ʃʰ t ˥ sp"))
    narrow = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "narrow")
    assert "phones that look alike are written with other characters (gʰ and ɡʰ)" in narrow.err
    assert narrow.err.count("\n") == 1
    wide = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "wide", "--broad-ipa")
    assert (wide.status, wide.err) == (0, "")
    phones = load_phone_set(tmp_path / "wide" / "phones.txt")
    assert phones.symbols == ("sil", "sp", "t", "t͡ʃ", "ɡ", "˥")
    assert phones.ipa["ɡ"] == "ɡ"
    assert yaml.safe_load((tmp_path / "wide" / "recipe.yaml").read_text())["corpus"]["broad_ipa"]
    assert asr_command("prepare", "lhotse", tmp_path / "narrow", tmp_path / "again", "--broad-ipa").status == 0
    assert load_phone_set(tmp_path / "again" / "phones.txt") == phones
    (tmp_path / "mine.tsv").write_text("sil\tsilence\nt\nt͡ʃʰ\nɡ\n˥\n")
    given = asr_command(
        *(
            "prepare",
            "csv",
            tmp_path / "corpus",
            tmp_path / "given",
            "--broad-ipa",
            "--phone-set",
            tmp_path / "mine.tsv",
        )
    )
    assert (given.status, given.err) == (0, "")
    assert phone_sequence(all_cuts(tmp_path / "given")[0]) == ["ɡ", "ɡ", "t͡ʃʰ", "t", "˥", "sil"]


def test_words_are_in_the_phones_of_their_lexicon(tmp_path: Path, asr_command: Command) -> None:
    """WikiPron's German, say: no set has these phones, and diacritics make many of them."""
    BUILDERS["csv"](tmp_path / "corpus")
    table = tmp_path / "corpus" / "mine.csv"
    table.write_text(table.read_text().replace(SYMBOLS, ""))
    lexicon = tmp_path / "words.tsv"
    lexicon.write_text("she\tʃ iː\nshe\tʃʰ i\nsaid\tz ɛ d̥\nnone\tg ɡ\n<noise>\tspn\nshe said\tʃ i\n")
    arguments = ("prepare", "csv", tmp_path / "corpus")
    narrow = asr_command(*arguments, tmp_path / "narrow", "--lexicon", lexicon)
    assert narrow.status == 0, narrow.err
    set_is, alike, left_out = narrow.err.splitlines()
    assert set_is.endswith("words.tsv: the phone set is that of the lexicon, 10 phones")
    assert "words.tsv: phones that look alike are written with other characters (g and ɡ)" in alike
    assert left_out == f"{lexicon}: 1 line with several words before the tab left out, the first 6"
    phones = load_phone_set(tmp_path / "narrow" / "phones.txt")
    assert phones.symbols == ("sil", "d̥", "g", "i", "iː", "z", "ɛ", "ɡ", "ʃ", "ʃʰ")
    again = asr_command("prepare", "csv", tmp_path / "corpus", tmp_path / "again", "--lexicon", lexicon, "--broad-ipa")
    assert again.err.splitlines() == [f"{lexicon}: the phone set is that of the lexicon, 7 phones", left_out]
    assert load_phone_set(tmp_path / "again" / "phones.txt").symbols == ("sil", "d", "i", "z", "ɛ", "ɡ", "ʃ")
    assert phone_sequence(all_cuts(tmp_path / "again")[0]) == ["ʃ", "i", "z", "ɛ", "d"]
    recipe = yaml.safe_load((tmp_path / "again" / "recipe.yaml").read_text())
    assert (recipe["targets"]["phone_set"], recipe["corpus"]["broad_ipa"]) == (str(tmp_path / "again/phones.txt"), True)
    given = asr_command(*arguments, tmp_path / "given", "--lexicon", lexicon, "--phone-set", "cmu39")
    assert "words.tsv:1: unknown phone 'ʃ': it is not in cmu39" in given.err


@pytest.mark.parametrize(
    ("labels", "warned"),
    [
        ("she had your dark suit in greasy wash water all year", True),
        ("t͡ʃ aː iəː ʈʂʰ ɹ̩ˤ pcl tcl axr iang4 ang1 zh aː˥˩ OW1 sil", False),
    ],
)
def test_words_given_as_phones_are_warned_of(labels: str, warned: bool, tmp_path: Path, asr_command: Command) -> None:
    BUILDERS["kaldi"](tmp_path / "corpus")
    text = tmp_path / "corpus" / "text"
    text.write_text(text.read_text().replace(SYMBOLS, labels))
    outcome = asr_command("prepare", "kaldi", tmp_path / "corpus", tmp_path / "out", "--text", "phones")
    assert outcome.status == 0, outcome.err
    message = "most of its 12 phones look like words (dark, greasy, suit, wash, water, ...); if they are, give them"
    assert (message in outcome.err) == warned
    if warned:
        assert outcome.err.count("\n") == 1
        again = tmp_path / "out" / "phones.txt"
        mine = asr_command(
            *("prepare", "kaldi", tmp_path / "corpus", tmp_path / "mine", "--text", "phones", "--phone-set", again)
        )
        assert (mine.status, mine.err) == (0, "")
    else:
        assert not outcome.err


def test_pauses_are_known_and_noises_are_sounds(tmp_path: Path) -> None:
    labels = Labels(None)
    assert [label for label in ("", "sil", "PAU", "sp", "#", "spn", "aa") if labels.is_spoken(label)] == ["spn", "aa"]
    (tmp_path / "mine.txt").write_text("_\tpause\naa\n")
    no_silence = Labels(load_phone_set(tmp_path / "mine.txt"))
    assert [label for label in ("", "sil", "_", "spn", "aa") if no_silence.is_spoken(label)] == ["aa"]
    timit = Labels(load_phone_set("timit61"))
    assert [label for label in ("h#", "pau", "epi", "spn", "AA1") if timit.is_spoken(label)] == ["spn", "AA1"]
