"""Names of files in a corpus, whose accents macOS writes as characters of their own (NFD) and others do not (NFC)."""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path


def composed(name: str) -> str:
    """A name in the form in which names are compared (NFC)."""
    return unicodedata.normalize("NFC", name)


def find_file(name: str, folders: Sequence[Path]) -> str:
    """The absolute path of a file in the first folder that has it, in either form; in the first folder if none has."""
    spellings = dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name)))
    # Links are kept, and texts are faster than Paths: a list may have a million.
    paths = [os.path.abspath(os.path.join(folder, each)) for each in spellings for folder in folders]  # noqa: PTH100, PTH118
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def without_spaces(name: str) -> str:
    """A name with `_` in the place of white space, which CTM files and sclite's do not allow in names."""
    return re.sub(r"\s+", "_", name)
