"""Phone sets: the symbols in which a transcript or a model is written, and which of them are silence.

Four sets ship, in data/phones: TIMIT's 61 phones, the 48 and 39 of Lee & Hon (1989), and the CMU dictionary's 39. Any
other is a text file of yours, one symbol a line, in the order of the classes of models. Up to three columns may follow,
separated by tabs; `-` or nothing where there is none:

    kind      silence, pause, stop or affricate; - for any other phone
    IPA
    closure   of a stop or an affricate: the symbol of the same set that may stand before it

The name of a set is its file's, without the suffix. Next to it may be foldings to and from other sets, each a file
FROM-TO.tsv; a line has a symbol of FROM, a tab, and its symbol in TO or `-` to drop it. They are found by their names,
not by a setting, so that a set always comes with its foldings: in a recipe, a bundle and `asr score` alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, cast, get_args, overload

from asr.data_files import data_path
from asr.errors import InputError
from asr.phones.symbols import NO_PHONE, check_symbol, read_table

Kind = Literal["phone", "silence", "pause", "stop", "affricate"]
"""What a phone is to scoring and alignment. Nobody speaks in a silence or a pause, but scoring counts a pause (TIMIT's
epi) as a phone. A stop may be said as its closure alone, an affricate may not."""

PHONE_SETS = ("timit61", "timit48", "cmu39", "timit39")
"""The sets that ship."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A symbol of a set; `closure` is another symbol of it, which may stand before a stop or an affricate."""

    symbol: str
    kind: Kind = "phone"
    ipa: str | None = None
    closure: str | None = None


@dataclass(frozen=True, slots=True)
class Folding:
    """What each symbol of the set `source` becomes in the set `target`; None where it is dropped."""

    source: str
    target: str
    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, repr=False)
class PhoneSet(Sequence[str]):
    """The symbols of a phone set, in the order of a model's classes; `foldings` are those to and from it.

    As text it is its name.
    """

    name: str
    phones: tuple[Phone, ...]
    foldings: tuple[Folding, ...] = ()

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        return tuple(phone.symbol for phone in self.phones)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The place of each symbol in the set."""
        return MappingProxyType({symbol: number for number, symbol in enumerate(self.symbols)})

    @cached_property
    def silences(self) -> tuple[str, ...]:
        """The symbols that scoring treats as silence; the first is the one at an utterance's edges."""
        return tuple(phone.symbol for phone in self.phones if phone.kind == "silence")

    @cached_property
    def unspoken(self) -> frozenset[str]:
        """The symbols in which nobody speaks: silences and pauses."""
        return frozenset(phone.symbol for phone in self.phones if phone.kind in ("silence", "pause"))

    @cached_property
    def ipa(self) -> Mapping[str, str]:
        """The IPA of each symbol that has one."""
        return MappingProxyType({phone.symbol: phone.ipa for phone in self.phones if phone.ipa})

    @property
    def ships(self) -> bool:
        """Whether it is one of `PHONE_SETS`."""
        return self.name in PHONE_SETS

    def __len__(self) -> int:
        return len(self.phones)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.symbols[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.numbers

    def __hash__(self) -> int:
        return hash((self.name, len(self.phones)))

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[type["PhoneSet"], tuple[object, ...]]:
        # Without the cached properties, of which some cannot be pickled for another process.
        return PhoneSet, (self.name, self.phones, self.foldings)


AnyPhoneSet: TypeAlias = PhoneSet | Path | str
"""A phone set, the name of one that ships, or the path of a file with one."""


def load_phone_set(phone_set: AnyPhoneSet) -> PhoneSet:
    """The phone set of a name or file; a set itself as it is.

    Raises InputError for an unknown name, and for a broken file with the file and the line.

    >>> phones = load_phone_set("timit39")
    >>> len(phones), phones[:3], phones.silences
    (39, ('iy', 'ih', 'eh'), ('sil',))
    """
    if isinstance(phone_set, PhoneSet):
        return phone_set
    if phone_set in PHONE_SETS:
        return _shipped(str(phone_set))
    path = Path(phone_set)
    try:
        there = path.is_file()
    except OSError:  # a name that is too long
        there = False
    if not there:
        raise InputError(
            f"phone set {str(phone_set)!r}: choose {', '.join(PHONE_SETS)}, or give the path of a file with your own"
        )
    if path.stem in PHONE_SETS:
        raise InputError(f"the name {path.stem} belongs to a phone set that ships; rename the file", path)
    return _read(path)


def silences(phone_set: AnyPhoneSet) -> frozenset[str]:
    """The symbols of a phone set that scoring treats as silence."""
    return frozenset(load_phone_set(phone_set).silences)


def phone_set_text(phone_set: PhoneSet) -> str:
    """The text of a set's file, without its foldings."""
    rows = ((each.symbol, each.kind.replace("phone", NO_PHONE), each.ipa, each.closure) for each in phone_set.phones)
    return "".join("\t".join(column or NO_PHONE for column in row) + "\n" for row in rows)


def make_phone_set(name: str, phones: Iterable[Phone], foldings: Mapping[str, Mapping[str, str | None]]) -> PhoneSet:
    """A set from its phones and its foldings, each by the name FROM-TO, one of which is the set's.

    Raises InputError that says what is wrong with them.
    """
    if name.split() != [name]:
        raise InputError(f"the name {name!r} of a phone set must not have white space in it; rename it")
    alone = PhoneSet(name, tuple(phones))
    for number, phone in enumerate(alone.phones):
        check_symbol(phone.symbol)
        if alone.numbers[phone.symbol] != number:
            raise InputError(f"symbol {phone.symbol!r} occurs twice; remove one")
        if phone.closure is not None and phone.closure not in alone:
            raise InputError(f"the closure {phone.closure!r} of {phone.symbol!r} is not a symbol of the set; add it")
    if len(alone.unspoken) == len(alone):
        raise InputError("holds no phones besides silence; write one symbol on each line")
    known = []
    for title, pairs in foldings.items():
        if (names := _folding_names(title, name)) is None:
            raise InputError(f"folding {title!r} is not from or to {name}; name it FROM-TO")
        known.append(Folding(*names, tuple(sorted(pairs.items()))))
        _check_folding(known[-1], alone)
    return PhoneSet(name, alone.phones, tuple(sorted(known, key=lambda each: (each.source, each.target))))


@cache
def _shipped(name: str) -> PhoneSet:
    return _read(data_path("phones", f"{name}.tsv"))


def _read(path: Path) -> PhoneSet:
    phones = [_phone(columns, path, number) for number, columns in read_table(path, 4)]
    alone = PhoneSet(path.stem, tuple(phones))
    foldings = {}
    for file in sorted(path.parent.glob("*-*.tsv")):
        if file != path and (names := _folding_names(file.stem, alone.name)):
            pairs = {symbol: None if to == NO_PHONE else to for _, (symbol, to) in read_table(file, 2)}
            try:
                _check_folding(Folding(*names, tuple(pairs.items())), alone)
            except InputError as error:
                raise InputError(str(error), file) from error
            foldings[file.stem] = pairs
    try:
        return make_phone_set(path.stem, phones, foldings)
    except InputError as error:
        raise InputError(str(error), path) from error


def _phone(columns: Sequence[str], path: Path, line: int) -> Phone:
    symbol, kind, ipa, closure = (None if column == NO_PHONE else column for column in columns)
    if kind is not None and kind not in get_args(Kind):
        raise InputError(f"unknown kind {kind!r}; use silence, pause, stop, affricate or {NO_PHONE}", path, line)
    return Phone(cast(str, symbol), cast(Kind, kind or "phone"), ipa, closure)


def _folding_names(title: str, name: str) -> tuple[str, str] | None:
    """The two sets of a folding FROM-TO, if `name` is one of them; names may have hyphens themselves."""
    if title.startswith(f"{name}-"):
        return name, title.removeprefix(f"{name}-")
    if title.endswith(f"-{name}"):
        return title.removesuffix(f"-{name}"), name
    return None


def _check_folding(folding: Folding, phone_set: PhoneSet) -> None:
    """Raises InputError where a folding lacks a symbol of one set or gives one that is not in the other.

    What is known of the sets: `phone_set`, and the other where it ships.
    """

    def known(name: str) -> PhoneSet | None:
        if name == phone_set.name:
            return phone_set
        return load_phone_set(name) if name in PHONE_SETS and not phone_set.ships else None

    source, target, pairs = known(folding.source), known(folding.target), dict(folding.pairs)
    for symbol in source or ():
        if symbol not in pairs:
            drop = f"or {NO_PHONE} to drop it"
            raise InputError(f"has no line for {symbol!r} of {source}; give its symbol in {folding.target}, {drop}")
    for symbol, folded in pairs.items():
        if source is not None and symbol not in source:
            raise InputError(f"symbol {symbol!r} is not in {source}; remove its line")
        if target is not None and folded is not None and folded not in target:
            raise InputError(f"{symbol!r} of {folding.source} becomes {folded!r}, which is not in {target}")
