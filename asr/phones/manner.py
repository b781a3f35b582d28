"""How a phone is articulated: the classes by which errors are grouped."""

from asr.phones.ipa import TIE
from asr.phones.phone_set import PhoneSet

MANNERS = ("vowel", "stop", "affricate", "fricative", "nasal", "approximant", "silence", "other")

_BY_IPA = {
    "vowel": "aeiouyɑɐɒæɔəɘɚɛɜɝɞɤɨɪɯɵøœɶʉʊʌʏ",
    "stop": "pbtdkgɡqɢʔʡɾɽʈɖcɟɓɗɠʄʛ",
    "fricative": "fvθðszʃʒçʝxɣχʁħʕhɦɸβʂʐɕʑɬɮʜʢɧ",
    "nasal": "mnŋɲɱɳɴ",
    "approximant": "lrɹɻjwʍʎɭʟʋɰʀɫɥɺʙ",
}


def manner(symbol: str, phone_set: PhoneSet) -> str:
    """One of MANNERS: by the kind of phone in its set, else by the first IPA letter, and the last under a tie.

    A flap is a stop here, and a closure is silence; `other` is what the set does not describe.
    """
    kind = next(phone.kind for phone in phone_set.phones if phone.symbol == symbol)
    if kind in ("silence", "pause") or any(phone.closure == symbol for phone in phone_set.phones):
        return "silence"
    if kind != "phone":
        return kind
    ipa = phone_set.ipa.get(symbol, "")
    first = _manner_of_letter(ipa[:1])
    tied = first == "stop" and TIE in ipa and _manner_of_letter(ipa[-1]) == "fricative"
    return "affricate" if tied else first


def _manner_of_letter(letter: str) -> str:
    return next((name for name, letters in _BY_IPA.items() if letter and letter in letters), "other")
