"""Which symbols of the phone sets are silence."""

from asr.phones.phone_set import PhoneSetName

SILENCE = "sil"
"""The silence of all sets but the 61; in timit39 and cmu39 it stands for h#, pau, epi and the six closures too."""

PAUSES = ("h#", "pau", SILENCE)
"""The silences of the phone sets; a closure is none."""

UNSPOKEN = frozenset({"h#", "pau", "epi"})
"""TIMIT's symbols in which nobody speaks."""

_SILENCES: dict[PhoneSetName, frozenset[str]] = {
    "timit61": frozenset({"h#", "pau"}),
    "timit48": frozenset({"sil"}),
    "cmu39": frozenset({"sil"}),
    "timit39": frozenset({"sil"}),
}


def silences(phone_set: PhoneSetName) -> frozenset[str]:
    """The symbols of a phone set that stand for silence; in 61 phones those that fold to `sil` in 48."""
    return _SILENCES[phone_set]
