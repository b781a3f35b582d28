"""The phone language model: a proper distribution, the published estimate, the ARPA format."""

import math
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.lm.arpa import read_arpa, write_arpa
from asr.lm.backoff import Ngrams
from asr.lm.ngram import estimate, perplexity, train_ngram
from asr.phones.folding import fold
from asr.phones.phone_set import load_phone_set

PHONES = ("aa", "b", "sil", "zh")
SENTENCES = st.lists(st.lists(st.sampled_from(PHONES[:3]), max_size=12), min_size=1, max_size=12)


def parse_arpa(text):
    """An independent reader: {order: {ngram: (log10 probability, log10 back-off)}}."""
    entries, order = defaultdict(dict), 0
    for line in text.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1:].split("-")[0])
        elif order and line and not line.startswith("\\"):
            probability, ngram, *backoff = line.split("\t")
            entries[order][tuple(ngram.split(" "))] = float(probability), float(backoff[0]) if backoff else 0.0
    return entries


def probability(entries, history, symbol):
    if (entry := entries[len(history) + 1].get((*history, symbol))) is not None:
        return 10 ** entry[0]
    backoff = entries[len(history)].get(history, (0.0, 0.0))[1]
    return 10**backoff * probability(entries, history[1:], symbol)


@settings(max_examples=40, deadline=None)
@given(sentences=SENTENCES, order=st.integers(1, 9))
def test_next_phones_sum_to_one_for_every_history(tmp_path_factory, sentences, order):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    train_ngram(sentences, order, PHONES, path)
    entries = parse_arpa(path.read_text())
    histories = {ngram[:-1] for ngrams in entries.values() for ngram in ngrams} | {("<s>",)[: order - 1]}
    for history in histories:
        following = [probability(entries, history, symbol) for symbol in (*PHONES, "</s>")]
        assert min(following) > 0
        assert sum(following) == pytest.approx(1, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(sentences=SENTENCES, order=st.integers(1, 5))
def test_a_listed_ngram_is_never_less_probable_than_its_back_off(sentences, order):
    ngrams = estimate(sentences, order, PHONES)
    for ngram, log_probability in ngrams.probabilities.items():
        if len(ngram) > 1:
            backed_off = ngrams.backoffs[ngram[:-1]] + ngrams.log_probability(ngram[1:-1], ngram[-1])
            assert log_probability >= backed_off - 1e-9


@settings(max_examples=20, deadline=None)
@given(sentences=SENTENCES, order=st.integers(2, 5), shorter=st.integers(1, 5))
def test_a_shortened_model_is_a_distribution_over_next_phones(sentences, order, shorter):
    ngrams = estimate(sentences, order, PHONES)
    short = ngrams.packed().unpacked(shorter)
    assert short.order == min(order, shorter) >= max(map(len, short.probabilities))
    assert short.order > max(map(len, short.backoffs), default=0)
    for history in {ngram[:-1] for ngram in short.probabilities} | {("<s>",)}:
        following = [math.exp(short.log_probability(history, symbol)) for symbol in (*PHONES, "</s>")]
        assert sum(following) == pytest.approx(1)
        if len(history) < shorter - 1:
            assert short.log_probability(history, "b") == ngrams.log_probability(history, "b")


def test_unigrams_by_hand():
    ngrams = estimate([["aa", "b"], ["aa"]], 1, ("aa", "b", "zh"))
    # counts aa 2, b 1, end 2 of 5; discounts 1, 0.5, 1 leave 0.5 to four symbols
    expected = {"aa": 0.2 + 0.125, "b": 0.1 + 0.125, "</s>": 0.2 + 0.125, "zh": 0.125}
    for symbol, value in expected.items():
        assert math.exp(ngrams.log_probability((), symbol)) == pytest.approx(value)


def test_bigrams_by_hand():
    ngrams = estimate([["aa", "b"], ["aa"]], 2, ("aa", "b", "zh"))
    # contexts: aa 1, b 1, end 2 of 4; discounts 0.5, 0.5, 1 leave 0.5
    unigrams = {"aa": 0.25, "b": 0.25, "</s>": 0.375, "zh": 0.125}
    for symbol, value in unigrams.items():
        assert math.exp(ngrams.log_probability((), symbol)) == pytest.approx(value)
    # after aa: b once and the end once; half of each is left to the unigrams
    assert math.exp(ngrams.log_probability(("aa",), "b")) == pytest.approx(0.25 + 0.5 * 0.25)
    assert math.exp(ngrams.log_probability(("aa",), "zh")) == pytest.approx(0.5 * 0.125)


def test_perplexity_by_hand(tmp_path):
    ngrams = train_ngram([["aa", "b"], ["aa"]], 2, ("aa", "b", "zh"), tmp_path / "lm.arpa")
    # P(aa | start): twice in two, discount 1, so 0.5 + 0.5 * 0.25
    expected = (0.625 * 0.375 * (0.5 + 0.5 * 0.375)) ** (-1 / 3)
    assert perplexity(ngrams, [["aa", "b"]]) == pytest.approx(expected, rel=1e-5)


def test_perplexity_agrees_with_kaldingram(tmp_path):
    ppl, prune = pytest.importorskip("kaldingram.ppl"), pytest.importorskip("kaldingram.prune")
    path = tmp_path / "lm.arpa"
    ngrams = train_ngram([["sil", "aa", "b", "sil"], ["sil", "b", "sil"]] * 3, 3, PHONES, path)
    held_out = [["sil", "b", "aa", "zh", "sil"], ["b"]]
    theirs = ppl.compute_ppl(prune.ArpaParser().loadf(path)[0], [" ".join(sentence) for sentence in held_out])
    assert perplexity(ngrams, held_out) == pytest.approx(theirs["ppl"], rel=1e-5)


def test_bytes_do_not_depend_on_the_order_of_the_sentences(tmp_path):
    sentences = [["aa", "b"], ["b", "sil"], ["sil"], ["aa", "b", "aa"]]
    train_ngram(sentences, 3, PHONES, tmp_path / "one.arpa")
    train_ngram(sentences[::-1], 3, PHONES, tmp_path / "two.arpa")
    assert (tmp_path / "one.arpa").read_bytes() == (tmp_path / "two.arpa").read_bytes()


@settings(max_examples=20, deadline=None)
@given(sentences=SENTENCES, order=st.integers(1, 4))
def test_arpa_round_trip(tmp_path_factory, sentences, order):
    path = tmp_path_factory.mktemp("lm") / "lm.arpa"
    ngrams = train_ngram(sentences, order, PHONES, path)
    read = read_arpa(path).unpacked()
    assert read.order == order
    assert ngrams.packed().unpacked() == ngrams
    assert read.probabilities == pytest.approx(ngrams.probabilities, abs=1e-6)
    assert read.backoffs == pytest.approx(ngrams.backoffs, abs=1e-6)


def test_no_sentences_and_unknown_phones_are_named(tmp_path):
    with pytest.raises(InputError, match="no training transcripts"):
        train_ngram([], 2, PHONES, tmp_path / "lm.arpa")
    with pytest.raises(InputError, match="'ax-h'"):
        train_ngram([["ax-h"]], 2, PHONES, tmp_path / "lm.arpa")
    with pytest.raises(InputError, match="'ax-h'"):
        perplexity(estimate([["b"]], 2, PHONES), [["ax-h"]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", "no \\\\data"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n-1\tb\n", "cut off"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\nx\tb\n\\end\\\n", ":5: could not convert"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n-1\tb\tb\tb\n\\end\\\n", ":5: expected"),
        ("\\data\\\n\\end\\\n", "cut off"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\nnan\tb\n\\end\\\n", ":5: expected a log10 probability of at most 0"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n0.1\tb\n\\end\\\n", ":5: expected a log10 probability of at most 0"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n-1\tb\tinf\n\\end\\\n", ":5: .* a finite back-off weight"),
        ("\\data\\\nngram 1=2\n\n\\1-grams:\n-1\tb\n\\end\\\n", "says ngram 1=2 and has 1 of them"),
        ("\\data\\\nngram 1=2\n\n\\1-grams:\n-1\tb\n-2\tb\n\\end\\\n", "says ngram 1=2 and has 1 of them"),
        ("\\data\\\nngrams 1=1\n\n\\1-grams:\n-1\tb\n\\end\\\n", ":2: expected a line such as"),
        ("\\data\\\nngram 1=1\n\n\\2-grams:\n-1\tb\n\\end\\\n", r":4: expected \\1-grams:"),
        ("\\data\\\nngram 1=1\n\n\\1-grams:\n\n-1\tb\n \n-2\tc\t0,5\n\\end\\\n", ":8: could not convert"),
    ],
)
def test_broken_arpa_is_named(tmp_path, text, message):
    path = tmp_path / "lm.arpa"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_arpa(path)
    with pytest.raises(InputError, match="cannot read"):
        read_arpa(tmp_path / "missing.arpa")


@pytest.mark.parametrize("ends", ["\n", "\r\n", " \n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_editor_may_have_written_the_file(tmp_path, ends, encoding):
    lines = [
        "hello",
        "\\data\\",
        "ngram 1=2",
        "ngram 2=1",
        "\\1-grams:",
        "-1 ə -0.5",
        " -99\tb",
        "\\2-grams:",
        "-2e-1\tə  b",
    ]
    path = tmp_path / "lm.arpa"
    path.write_bytes(ends.join([*lines, "\\end\\", "bye"]).encode(encoding))
    read = read_arpa(path).unpacked()
    assert read.probabilities == pytest.approx(
        {("ə",): -math.log(10), ("b",): -math.inf, ("ə", "b"): -0.2 * math.log(10)}
    )
    assert read.backoffs == pytest.approx({("ə",): -0.5 * math.log(10)})


def test_impossible_probabilities_survive_the_file(tmp_path):
    write_arpa(tmp_path / "lm.arpa", Ngrams(1, {("<s>",): -math.inf, ("b",): math.log(0.5), ("</s>",): math.log(0.5)}))
    assert read_arpa(tmp_path / "lm.arpa").unpacked().probabilities[("<s>",)] == -math.inf


@pytest.mark.corpora
@pytest.mark.parametrize("order", [2, 3])
def test_real_transcripts_are_predicted_better_than_by_plain_kneser_ney(timit_sample, order, tmp_path, capfd):
    train = pytest.importorskip("kaldingram.train")
    speakers = sorted(path for path in timit_sample.iterdir() if path.is_dir())
    phones = load_phone_set("timit48")
    training, held_out = (
        [
            fold([line.split()[2] for line in file.read_text().splitlines()], "timit48")
            for speaker in part
            for file in sorted(speaker.glob("s[ix]*.phn"))
        ]
        for part in (speakers[:12], speakers[12:])
    )
    plain = train.NgramCounts(order)
    for sentence in training:
        plain.add_raw_counts_from_line(" ".join(sentence))
    plain.cal_discounting_constants()
    plain.cal_f()
    plain.cal_bow()
    with (tmp_path / "theirs.arpa").open("w") as file:
        plain.print_as_arpa(file)
    theirs = read_arpa(tmp_path / "theirs.arpa").unpacked()
    assert perplexity(estimate(training, order, phones), held_out) < perplexity(theirs, held_out) < 20


def test_discounts_are_those_of_the_paper():
    """Four symbols occur once (the end among them), two twice, one three and one four times."""
    sentence = [phone for phone, count in zip("abcdefg", (1, 1, 1, 2, 2, 3, 4), strict=True) for _ in range(count)]
    found = estimate([sentence], 1, "abcdefg").probabilities
    y = 4 / (4 + 2 * 2)
    discounts = {1: 1 - 2 * y * 2 / 4, 2: 2 - 3 * y * 1 / 2, 3: 3 - 4 * y * 1 / 1, 4: 3 - 4 * y * 1 / 1}
    freed = 4 * discounts[1] + 2 * discounts[2] + discounts[3] + discounts[4]
    for phone, count in (("a", 1), ("d", 2), ("f", 3), ("g", 4)):
        assert math.exp(found[(phone,)]) == pytest.approx(
            (count - discounts[count] + freed / 8) / len([*sentence, "end"])
        )
