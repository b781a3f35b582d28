"""A phone set as a setting: the name of one that ships, the path of a file, or the set itself.

A recipe that asr writes, into a run's folder or a bundle, contains any set that does not ship, with its foldings: the
folder can be copied, and the set's file is not needed again. (Runs also see whether the file has changed.)
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, WithJsonSchema

from asr.config.section import Section
from asr.errors import InputError
from asr.phones.phone_set import PHONE_SETS, Kind, Phone, PhoneSet, load_phone_set, make_phone_set


class OwnPhoneSet(Section):
    """A phone set in full; `asr.phones.phone_set` describes its columns."""

    name: str = Field(description="name of the set")
    symbols: list[str] = Field(min_length=1, description="phones, in the order of a model's classes")
    kinds: dict[str, Kind] = Field({}, description="phones that are silence, pause, stop or affricate")
    ipa: dict[str, str] = Field({}, description="IPA of each phone, where known")
    closures: dict[str, str] = Field({}, description="for a stop or an affricate, the phone that is its closure")
    foldings: dict[str, dict[str, str | None]] = Field(
        {}, description="FROM-TO: each symbol of FROM with its symbol in TO, or null to drop it"
    )


def _read(value: Any) -> PhoneSet:
    """Raises ValueError for what is not a phone set."""
    if isinstance(value, PhoneSet):
        return value
    try:
        if isinstance(value, str | Path):
            return load_phone_set(value)
        plain = OwnPhoneSet.model_validate(value)
        if plain.name in PHONE_SETS:
            raise ValueError(f"the name {plain.name} belongs to a phone set that ships; rename it")
        phones = (
            Phone(symbol, plain.kinds.get(symbol, "phone"), plain.ipa.get(symbol), plain.closures.get(symbol))
            for symbol in plain.symbols
        )
        return make_phone_set(plain.name, phones, plain.foldings)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except InputError as error:
        raise ValueError(str(error)) from error


def _write(phone_set: PhoneSet) -> str | dict[str, Any]:
    if phone_set.ships:
        return phone_set.name
    phones = phone_set.phones
    own = OwnPhoneSet(
        name=phone_set.name,
        symbols=list(phone_set),
        kinds={phone.symbol: phone.kind for phone in phones if phone.kind != "phone"},
        ipa=dict(phone_set.ipa),
        closures={phone.symbol: phone.closure for phone in phones if phone.closure},
        # Others may be there too: see RecipeConfig, which adds them again.
        foldings={
            f"{each.source}-{each.target}": dict(each.pairs)
            for each in phone_set.foldings
            if phone_set.name in (each.source, each.target)
        },
    )
    return own.model_dump(exclude_defaults=True)


PhoneSetSetting = Annotated[
    PhoneSet,
    PlainValidator(_read),
    PlainSerializer(_write),
    WithJsonSchema({"anyOf": [{"enum": list(PHONE_SETS)}, {"type": "string", "format": "path"}]}),
]
"""The type of a setting that is a phone set."""
