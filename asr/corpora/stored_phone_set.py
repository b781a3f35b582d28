"""The phone set of prepared manifests and of shards: named in SUMMARY; in PHONE_SET next to it if it does not ship."""

from pathlib import Path
from typing import Any, TypeGuard

from asr.corpus_registry import CORPORA
from asr.errors import InputError
from asr.phones.phone_set import PhoneSet, load_phone_set, phone_set_text
from asr.storage.files import write_text
from asr.storage.json_files import read_json
from asr.storage.run_layout import PHONE_SET, SUMMARY


def store_phone_set(phone_set: PhoneSet | None, folder: Path) -> str | None:
    """What SUMMARY says of a phone set. Writes PHONE_SET for one that does not ship."""
    if phone_set is None or phone_set.ships:
        return None if phone_set is None else phone_set.name
    write_text(folder / PHONE_SET, phone_set_text(phone_set))
    return PHONE_SET


def is_summary(row: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the content of a file is that of a SUMMARY."""
    return isinstance(row, dict) and row.get("corpus") in list(CORPORA)


def stored_phone_set(folder: Path) -> PhoneSet | None:
    """The set of the transcripts in a folder; None where it has no SUMMARY of asr's, or that has none.

    Raises InputError for a set that cannot be read.
    """
    summary = folder / SUMMARY
    row = read_json(summary) if summary.is_file() else None
    if not is_summary(row):
        return None
    name = row.get("phone_set") or CORPORA[row["corpus"]].phone_set
    try:
        return load_phone_set(folder / PHONE_SET if name == PHONE_SET else str(name)) if name else None
    except InputError as error:
        raise InputError(f"phone_set: {error}", summary) from error
