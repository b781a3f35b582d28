"""What a corpus says was spoken in an utterance."""

from lhotse import MonoCut

from asr.alignment.spoken import Spoken, spoken_phones, spoken_word_phones
from asr.corpora.cuts import has_words, phone_sequence, word_phones
from asr.phones.phone_set import AnyPhoneSet


def spoken_in(cut: MonoCut, phone_set: AnyPhoneSet) -> Spoken:
    """What is said in a cut, in a model's phones; where its words are known, each in any of its pronunciations and with
    optional silences between them."""
    if has_words(cut):
        return spoken_word_phones(word_phones(cut), phone_set)
    return spoken_phones(phone_sequence(cut), phone_set)
