"""Phone and word errors of pronunciations of words that a lexicon lacks, compared with other packages.

    python benchmarks/g2p.py [--words N] [--orders N ...] [--systems asr espeak gruut g2p-en] [--seed N]

A tenth of the stems of the CMU dictionary is held out, with all words on them (walk, walks, walker's); asr's model is
trained on the others. Of words with several pronunciations, the nearest counts. PER is of phones without stress, WER
the share of words whose pronunciation is not in the dictionary; `any` is the WER where any of asr's three guesses may
be right. gruut and g2p-en have been trained on the whole dictionary, held-out words too; espeak-ng has rules of its
own, which differ above all in unstressed vowels. Needs the extra `english`, and for the others `bench-g2p`.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from rich.console import Console
from rich.table import Table

from asr.g2p.model import ORDER, train_g2p
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import load_phone_set
from asr.phones.pronounce import CMUDICT, load_pronouncer
from asr.scoring.edit_alignment import count_errors, edit_alignment

Pronounce = Callable[[str], list[tuple[str, ...]]]

SYSTEMS = ("asr", "espeak", "gruut", "g2p-en")
HELD_OUT = 10
"""One of this many stems is held out."""
SUFFIXES = re.compile(
    r"('s|s'|'|ies|ied|iness|ness|less|ments?|ingly|ings?|edly|ers?|ed|es|s|ly|y|e|ally|able|ibly|ably|ors?|ists?|isms?)$"
)
SHORTEST = 4
"""Letters of a stem, at least."""

IPA = {
    "əl": "ah l", "n̩": "ah n", "ɚ": "er", "ɝ": "er", "ɜ": "er", "ɐ": "ah", "ə": "ah", "ᵻ": "ih", "ɨ": "ih", "ɾ": "t",
    "ʔ": "t", "oʊ": "ow", "o": "ao", "ɔ": "ao", "ɒ": "aa", "ɑ": "aa", "a": "aa", "i": "iy", "u": "uw", "e": "ey",
    "tʃ": "ch", "dʒ": "jh", "t͡ʃ": "ch", "d͡ʒ": "jh", "r": "r", "g": "g", "ɬ": "l", "ɫ": "l", "x": "k",
}  # fmt: skip
"""Of espeak-ng's and gruut's symbols, those that are not the IPA of cmu39's phones."""


@dataclass(frozen=True)
class Errors:
    """Phone errors and wrong words, in per cent; `seconds` to load or train, and `milliseconds` a word."""

    per: float
    wer: float
    any_wer: float
    seconds: float
    milliseconds: float


def stem(word: str) -> str:
    """A word without its endings, as far as SHORTEST letters are left."""
    while (shorter := SUFFIXES.sub("", word)) != word and len(shorter) >= SHORTEST:
        word = shorter
    return word


def split(lexicon: Lexicon, seed: int) -> tuple[Lexicon, Lexicon]:
    """The lexicon's words of letters and apostrophes, without and with the held-out stems."""
    words = {word: spoken for word, spoken in lexicon.items() if re.fullmatch(r"[a-z]+('[a-z]+)?", word)}
    stems = sorted({stem(word) for word in words})
    random.Random(seed).shuffle(stems)
    held_out = set(stems[: len(stems) // HELD_OUT])
    return (
        {word: spoken for word, spoken in words.items() if stem(word) not in held_out},
        {word: spoken for word, spoken in words.items() if stem(word) in held_out},
    )


def from_ipa(text: str) -> tuple[str, ...]:
    """IPA, with stress and length marks or not, in cmu39's phones; what is not known is left out."""
    known = {ipa: symbol for symbol, ipa in load_phone_set("cmu39").ipa.items()} | IPA
    pattern = re.compile("|".join(sorted(map(re.escape, known), key=len, reverse=True)))
    return tuple(" ".join(known[each] for each in pattern.findall(re.sub("[ˈˌː͡ ]", "", text))).split())


def espeak() -> Pronounce:
    import espeakng_loader
    from phonemizer.backend import EspeakBackend
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    backend = EspeakBackend("en-us")
    return lambda word: [from_ipa(backend.phonemize([word], strip=True)[0])]


def gruut() -> Pronounce:
    from pathlib import Path

    import gruut_lang_en
    from gruut.g2p import GraphemesToPhonemes

    model = GraphemesToPhonemes(Path(gruut_lang_en.__file__).parent / "g2p" / "model.crf")
    return lambda word: [from_ipa("".join(model(word)))]


def g2p_en() -> Pronounce:
    import nltk
    import nltk.corpus

    # Its model of spelling alone: without the dictionary and the tagger that it downloads.
    nltk.download = lambda *_: True
    nltk.corpus.cmudict = SimpleNamespace(dict=dict)
    from g2p_en import G2p

    model = G2p()
    return lambda word: [tuple(re.sub(r"\d", "", phone).lower() for phone in model.predict(word))]


OTHERS: dict[str, Callable[[], Pronounce]] = {"espeak": espeak, "gruut": gruut, "g2p-en": g2p_en}


def nearest(spoken: Sequence[str], references: Iterable[Sequence[str]]) -> tuple[int, int]:
    """The errors against the nearest reference, and its phones."""
    counts = (count_errors(edit_alignment(list(reference), list(spoken))) for reference in references)
    return min((count.errors, -count.reference_phones) for count in counts)


def measure(load: Callable[[], Pronounce], test: Lexicon) -> Errors:
    started = time.perf_counter()
    pronounce = load()
    pronounce("word")
    seconds = time.perf_counter() - started
    errors = phones = wrong = none = 0
    started = time.perf_counter()
    found = {word: pronounce(word) or [()] for word in test}
    milliseconds = 1000 * (time.perf_counter() - started) / len(test)
    for word, references in test.items():
        missed, minus_phones = nearest(found[word][0], references)
        errors, phones, wrong = errors + missed, phones - minus_phones, wrong + (missed > 0)
        none += not set(found[word]) & set(references)
    share = 100 / len(test)
    return Errors(100 * errors / phones, share * wrong, share * none, seconds, milliseconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=2000, help="held-out words that are pronounced")
    parser.add_argument("--orders", type=int, nargs="+", default=[ORDER], help="of asr's n-gram")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--seed", type=int, default=0, help="of the held-out stems")
    arguments = parser.parse_args()
    train, held_out = split(load_pronouncer([CMUDICT], "cmu39").lexicon, arguments.seed)
    chosen = random.Random(arguments.seed).sample(sorted(held_out), min(arguments.words, len(held_out)))
    test = {word: held_out[word] for word in chosen}
    table = Table(title=f"{len(test)} of {len(held_out)} held-out words; {len(train)} to train on")
    for column in ("system", "PER %", "WER %", "any %", "load s", "ms a word"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for system in arguments.systems:
        loaders = (
            {f"asr, order {order}": lambda order=order: train_g2p(train, order) for order in arguments.orders}
            if system == "asr"
            else {system: OTHERS[system]}
        )
        for name, load in loaders.items():
            found = measure(load, test)
            row = (found.per, found.wer, found.any_wer, found.seconds, found.milliseconds)
            table.add_row(name, *(f"{value:.1f}" for value in row))
    Console().print(table)


if __name__ == "__main__":
    main()
