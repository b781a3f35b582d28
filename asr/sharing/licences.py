"""Licences of models: by the identifiers of the Hugging Face Hub, and those of the corpora that are known."""

from collections.abc import Iterable
from dataclasses import dataclass

from asr.corpora.public.sources import PUBLIC
from asr.errors import InputError


@dataclass(frozen=True)
class Licence:
    """`short` is how a corpus names it."""

    title: str
    short: str
    url: str


_CREATIVE_COMMONS = "https://creativecommons.org"

LICENCES = {
    "apache-2.0": Licence("Apache License 2.0", "Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": Licence("MIT License", "MIT", "https://opensource.org/license/mit"),
    "cc0-1.0": Licence("Creative Commons Zero 1.0", "CC0 1.0", f"{_CREATIVE_COMMONS}/publicdomain/zero/1.0/"),
    **{
        f"cc-{terms}-4.0": Licence(
            f"Creative Commons {title} 4.0 International",
            f"CC {terms.upper()} 4.0",
            f"{_CREATIVE_COMMONS}/licenses/{terms}/4.0/",
        )
        for terms, title in (
            ("by", "Attribution"),
            ("by-sa", "Attribution-ShareAlike"),
            ("by-nc", "Attribution-NonCommercial"),
            ("by-nc-sa", "Attribution-NonCommercial-ShareAlike"),
        )
    },
}
"""By the identifier in the header of a model card; others can be given too."""

_SHIPPED = {"demo": "Apache 2.0"}
"""Corpora in the repository."""


def corpus_licence(corpus: str) -> str | None:
    """The licence of a corpus, as its source says it; None where that is not known."""
    return _SHIPPED.get(corpus) or (PUBLIC[corpus].licence if corpus in PUBLIC else None)


def common_licence(corpora: Iterable[str]) -> str:
    """The identifier of the licence that all corpora have. Raises InputError where they have none in common."""
    known = {corpus: corpus_licence(corpus) for corpus in corpora}
    found = [name for name, licence in LICENCES.items() if {*known.values()} == {licence.short}]
    if not found:
        said = ", ".join(f"{corpus}: {licence or 'not known'}" for corpus, licence in known.items())
        raise InputError(
            f"which licence the model has does not follow from its corpora ({said}); give it with --license"
        )
    return found[0]


def licence_text(licence: str, model: str, corpora: Iterable[str]) -> str:
    """The content of a model's LICENSE file: the licence, where its text is, and the corpora to be credited."""
    known = LICENCES.get(licence)
    title = f"{known.title} ({licence})\n{known.url}" if known else licence
    credits = "".join(f"- {corpus}: {corpus_licence(corpus) or 'licence not known'}\n" for corpus in corpora)
    return f"The model {model} is licensed under:\n\n{title}\n\nIt was trained on:\n\n{credits}"
