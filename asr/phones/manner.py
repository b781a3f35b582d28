"""How a phone is articulated: the classes by which errors are grouped."""

from asr.phones.phone_set import PhoneSet

MANNERS = ("vowel", "stop", "affricate", "fricative", "nasal", "approximant", "silence", "other")

_BY_IPA = {
    "vowel": "aeiouyɑɐɒæɔəɘɚɛɜɝɞɤɨɪɯɵøœɶʉʊʌʏ",
    "stop": "pbtdkgɡqɢʔɾʈɖcɟ",
    "fricative": "fvθðszʃʒçʝxɣχʁħʕhɦɸβʂʐ",
    "nasal": "mnŋɲɱɳɴ",
    "approximant": "lrɹɻjwʍʎɭʋɰʀɫɥ",
}


def manner(symbol: str, phone_set: PhoneSet) -> str:
    """One of MANNERS: by the kind of phone in its set, else by the first IPA letter.

    A flap is a stop here, and a closure is silence; `other` is what the set does not describe.
    """
    kind = next(phone.kind for phone in phone_set.phones if phone.symbol == symbol)
    if kind in ("silence", "pause") or any(phone.closure == symbol for phone in phone_set.phones):
        return "silence"
    if kind != "phone":
        return kind
    ipa = phone_set.ipa.get(symbol, "")
    return next((name for name, letters in _BY_IPA.items() if ipa and ipa[0] in letters), "other")
