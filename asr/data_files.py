"""Where the data that ships with the package is: tables, speaker lists, the demo corpus."""

from pathlib import Path

from asr.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """The path of a data file or folder: `asr/data/...` in an installed package, `data/...` in a checkout.

    Raises InputError where neither exists (only a checkout has the demo corpus).
    """
    for folder in (_PACKAGE / "data", _PACKAGE.parent / "data"):
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    name = "/".join(parts)
    raise InputError(f"data/{name} is not part of this installation; work in a checkout of the repository that has it")
