"""The words of a text as people write it: with punctuation, typographic quotes, markup and notes of noises."""

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Container, Iterator

Spell = Callable[[str], str | None]
"""The words of a number, or None for what is not a number."""

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′＇", "'"))
_NO_WIDTH = re.compile("[\u00ad\u200c\u200d\u2060\ufeff]")
_SPOKEN_SIGNS = "&%@#‰"
"""Punctuation in Unicode, but read out as words, so never left out."""

_EVENT = (
    r"[(*]\s*(?:laugh(?:s|ing|ter|ed)?|chuckl(?:es?|ing|ed)|giggl(?:es?|ing)|cough(?:s|ing|ed)?|sneez(?:es?|ing)|"
    r"sigh(?:s|ing|ed)?|sniff(?:s|les?|ing)?|breath(?:s|es?|ing)?|inhal(?:es?|ing)|exhal(?:es?|ing)|clears throat|"
    r"noises?|music|applause|clapping|silence|pauses?|crosstalk|inaudible|unintelligible|indistinct)\s*[)*]"
)
_BRACKETS = r"<(?=\S)[^<>]*>|\[[^\[\]]*\]|\{[^{}]*\}"
_PIECE = re.compile(rf"({_BRACKETS}|{_EVENT})|(?:(?!{_EVENT})[^\s<\[{{])+|[<\[{{]")
_ACCENTS = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f]+")
_ENTITY = re.compile(r"&(?:#\w+|\w+);")
_MISSING_WORDS = ("<unk>", "<oov>", "[unk]", "[oov]")
"""What aligners write for words that they do not know; somebody says something there."""


def spelling(word: str) -> str:
    """The form of a word in which a lexicon and a text are compared: lower case, one kind of apostrophe, NFKC."""
    if word.isascii():
        return word.replace("`", "'").lower()
    plain = _NO_WIDTH.sub("", word.translate(_APOSTROPHES)).lower()
    return unicodedata.normalize("NFKC", plain)


def without_accents(text: str, kept: Container[str]) -> str:
    """A text whose Latin letters have no accents, but for the letters to be `kept`; other scripts keep theirs."""
    return "".join(
        letter if letter.lower() in kept else _ACCENTS.sub("", unicodedata.normalize("NFD", letter))
        for letter in unicodedata.normalize("NFC", text)
    )


class WithoutAccents:
    """A lexicon that also has words with accents that it never writes: café where it has cafe, and no é."""

    def __init__(self, lexicon: Collection[str]) -> None:
        self._lexicon = lexicon
        self._letters: set[str] = set().union(*lexicon)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.spelling(word) in self._lexicon

    def spelling(self, word: str) -> str:
        """The word as the lexicon would write it."""
        return word if word in self._lexicon else without_accents(word, self._letters)


def split_words(text: str, lexicon: Container[str], spell: Spell | None = None) -> tuple[list[str], list[str]]:
    """The words of a text in the `spelling` of the lexicon, and those that are not in it.

    - Tags in angle brackets, notes in square brackets or braces (unless the lexicon has them), and noises in
      parentheses or asterisks, such as (laughs), are left out.
    - Punctuation around a word is left out; a full stop or an apostrophe there belongs to the word where the lexicon
      has it so: mr., 'em.
    - A word that is not in the lexicon is split at punctuation inside it: glove,yellow, and/or, well-known.
    - `spell` gives the words of a number that is not in the lexicon.
    """
    words: list[str] = []
    unknown: list[str] = []
    for token, is_note in _tokens(text):
        if is_note and token not in lexicon and token not in _MISSING_WORDS:
            continue
        found = [token] if is_note else list(_words(token, lexicon, spell))
        words += found
        unknown += [word for word in found if word not in lexicon]
    return words, unknown


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """What stands between spaces or is in brackets, in the lexicon's spelling, and whether it is markup or a note."""
    plain = spelling(_ENTITY.sub(lambda match: html.unescape(match[0]), text).replace("\u200b", " "))
    for match in _PIECE.finditer(plain):
        yield match[0], match[1] is not None


def _words(token: str, lexicon: Container[str], spell: Spell | None) -> Iterator[str]:
    """The words of a token; those that are not in the lexicon as the user may look for them."""
    if token.isalpha() and token in lexicon:  # nearly all words
        yield token
        return
    bare = _bare(token)
    if not bare:
        return
    if found := next((word for word in _forms(token, bare) if word in lexicon), None):
        yield found
    elif spell and (spelled := spell(bare)) is not None:
        yield from split_words(spelled, lexicon)[0]
    elif len(parts := _split(bare)) > 1 and (spell or not has_digits(bare)):
        for part in parts:
            yield from _words(part, lexicon, spell)
    else:
        yield bare


def _forms(token: str, bare: str) -> Iterator[str]:
    """How the lexicon may have a token, the longest form first."""
    start = token.index(bare)
    before, after = token[:start][-1:], token[start + len(bare) :][:1]
    lead = before if before == "'" else ""
    trail = after if after in ("'", ".") else ""
    yield from (token, lead + bare + trail, lead + bare, bare + trail, bare)


def has_digits(word: str) -> bool:
    return any(character.isnumeric() for character in word)


def _bare(token: str) -> str:
    """A token without the punctuation around it; a minus before a number stays."""
    places = [place for place, character in enumerate(token) if not (character == "'" or _separates(character))]
    if not places:
        return ""
    start = places[0]
    negative = token[:start].endswith("-") and token[start].isnumeric()
    return token[start - negative : places[-1] + 1]


def _split(token: str) -> list[str]:
    """The parts of a token between punctuation, or of one with digits between dashes: 1/2 is not one two."""
    dashes = has_digits(token)
    parts = "".join(" " if _separates(each, dashes) else each for each in token).split()
    return [part for part in parts if _bare(part)]


def _separates(character: str, dashes: bool = False) -> bool:
    """Whether a character stands between words; with `dashes`, only those."""
    if character in "'" + _SPOKEN_SIGNS:
        return False
    category = unicodedata.category(character)
    return category == "Pd" if dashes else category.startswith("P") or character == "|"
