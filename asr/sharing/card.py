"""The model card: README.md in a bundle, with the header that the Hugging Face Hub reads, and LICENSE.

The same facts give the same bytes. A card or licence that the user wrote or changed is not replaced.
"""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import UnionType
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asr.acoustics.bundle import find_bundle
from asr.acoustics.bundle_manifest import model_folders, stored_weights
from asr.config.recipe_file import read_recipe
from asr.errors import InputError
from asr.phones.phone_set import PhoneSet
from asr.report.escaping import markdown
from asr.sharing.facts import CardFacts, Figure, read_facts, run_facts
from asr.sharing.licences import LICENCES, common_licence, corpus_licence, licence_text
from asr.storage.files import file_digest, owner_of, write_text
from asr.storage.json_files import json_text, numbered_jsonl
from asr.storage.output_folder import output_folder
from asr.storage.output_record import kind_of
from asr.storage.run_layout import CARD_FACTS, RECIPE, WEIGHTS
from asr.storage.text import read_text
from asr.storage.weights import count_weights
from asr.storage.yaml_text import parse_yaml

CARD, LICENSE = "README.md", "LICENSE"
TEMPLATES = Path(__file__).parent / "templates"
TASK = "automatic-speech-recognition"
WORST_CONDITIONS = 6
HELLO = ("hh", "ah", "l", "ow")
MOST_EXAMPLES = 3
MOST_NOTES = 100_000
"""Characters."""

_FENCE = "---"
_ROBUSTNESS, _RECOGNISERS = "robustness", "recognisers"
_NUMBER = int | float
_FIELDS: dict[str, dict[str, type | UnionType]] = {
    _ROBUSTNESS: {"condition": str, "figure": _NUMBER, "points": _NUMBER},
    _RECOGNISERS: {"test": str, "system": str, "figure": _NUMBER, "utterances": _NUMBER},
}
"""The benchmarks whose rows a card shows, and the fields that it shows."""


@dataclass(frozen=True)
class CardChoices:
    """What the user says about a model; None and empty: as before or, the first time, what follows from the run."""

    name: str | None = None
    license: str | None = None
    language: str | None = None
    measured: Sequence[Path] = ()
    """JSON Lines of benchmarks/robustness.py and benchmarks/recognisers.py."""
    notes: Path | None = None
    """Markdown."""


def write_card(model: Path, choices: CardChoices) -> Path:
    """Writes card.json, README.md and LICENSE into the bundle of a finished run, or one that has a card.json; returns
    the path of README.md.

    Raises InputError for another model, where the licence is not known, and for a README.md or LICENSE that asr did not
    write or that was changed since.
    """
    bundle = find_bundle(model)
    with _writing_into(bundle):
        return write_facts(bundle, card_facts(model, bundle, choices))


def card_facts(model: Path, bundle: Path, choices: CardChoices) -> CardFacts:
    """The facts of a model's card: those of its run or, for another model, of the card.json in its bundle.

    Raises InputError where it has neither.
    """
    known = read_facts(bundle / CARD_FACTS) if (bundle / CARD_FACTS).is_file() else None
    run = run_facts(model) or (known.run if known else None)
    if run is None:
        raise InputError(f"has no {CARD_FACTS} and is not in a finished run; pack the run with asr model pack", bundle)
    return CardFacts(
        name=choices.name or (known.name if known else run.recipe),
        language=choices.language or (known.language if known else _language(bundle)),
        license=choices.license or (known.license if known else common_licence(run.corpora)),
        run=run,
        measured=_measured(choices.measured) or (known.measured if known else []),
        notes=read_text(choices.notes, most=MOST_NOTES) if choices.notes else (known.notes if known else ""),
    )


def _language(bundle: Path) -> str:
    """English for the phone sets that ship; for others, the code of a language that is not known."""
    return "en" if read_recipe(bundle / RECIPE).targets.phone_set.ships else "und"


def write_facts(bundle: Path, facts: CardFacts) -> Path:
    """Writes card.json, README.md and LICENSE; none of them where one must not be replaced."""
    texts = {
        CARD_FACTS: json_text(facts.model_dump(by_alias=True)),
        LICENSE: licence_text(facts.license, facts.name, facts.run.corpora),
        CARD: card_text(bundle, facts),
    }
    for name, text in texts.items():
        _require_replaceable(bundle / name, text)
    for name, text in texts.items():
        write_text(bundle / name, text)
    return bundle / CARD


def card_text(bundle: Path, facts: CardFacts) -> str:
    """README.md of a bundle."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters["cell"] = markdown
    header = yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True)
    body = environment.get_template("card.md.j2").render(_content(bundle, facts))
    return f"{_FENCE}\n{header}{_FENCE}\n\n{body}"


def read_header(bundle: Path) -> dict[str, Any]:
    """The header of a bundle's card; empty where there is none. Raises InputError for one that is not YAML."""
    path = bundle / CARD
    if not path.is_file():
        return {}
    first, *lines = read_text(path).split("\n")
    if first != _FENCE or _FENCE not in lines:
        return {}
    text = "\n".join(lines[: lines.index(_FENCE)])
    header = parse_yaml(text, lambda message, line: InputError(message, path, line and line + 1)).value
    return header if isinstance(header, dict) else {}


def header_figures(header: dict[str, Any]) -> list[tuple[str, float]]:
    """The test sets and PERs in the header of a card; none where someone wrote another header."""
    try:
        results = [result for model in header["model-index"] for result in model["results"]]
        return [(str(each["dataset"]["name"]), float(each["metrics"][0]["value"])) for each in results]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


@contextmanager
def _writing_into(bundle: Path) -> Iterator[None]:
    """Records what is written in the output folder that the bundle is in, if it is in one."""
    for folder in (bundle, *bundle.absolute().parents):
        if (kind := kind_of(folder)) is not None:
            with output_folder(folder, kind, "MODEL"):
                yield
            return
    yield


def _require_replaceable(path: Path, text: str) -> None:
    """Raises InputError for a file that the user may have written or changed, unless it has this text."""
    if not path.is_file() or path.read_bytes() == text.encode():
        return
    if (owner := owner_of(path)) is not None:
        owner.require_replaceable(path)
    elif path.name != CARD_FACTS:
        raise InputError("is there already, and may have been edited; move it away to have it made again", path)


def _measured(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The rows of the benchmarks that a card shows. Raises InputError for a file that has none, or broken ones."""
    rows = []
    for path in files:
        found = [(line, row) for line, row in numbered_jsonl(path) if row.get("benchmark") in _FIELDS]
        if not found:
            raise InputError(f"has no rows of the benchmarks {' and '.join(_FIELDS)}", path)
        for line, row in found:
            for name, kind in _FIELDS[row["benchmark"]].items():
                if name not in row:
                    raise InputError(f"field {name} is missing", path, line)
                if not isinstance(row[name], kind):
                    raise InputError(f"field {name} must be {'text' if kind is str else 'a number'}", path, line)
            if not _is_interval(row.get("interval")):
                raise InputError("field interval must be two numbers, or left out", path, line)
            rows.append(row)
    return rows


def _is_interval(value: object) -> bool:
    """Whether a row's interval is one, or none."""
    return value is None or (isinstance(value, list) and [isinstance(each, _NUMBER) for each in value] == [True] * 2)


def _header(facts: CardFacts) -> dict[str, Any]:
    """See https://huggingface.co/docs/hub/model-cards."""
    return {
        "license": facts.license,
        "language": [facts.language],
        "library_name": "asr-phones",
        "pipeline_tag": TASK,
        "tags": ["phoneme-recognition", "forced-alignment", "speech", TASK],
        "datasets": facts.run.corpora,
        "metrics": ["per"],
        "model-index": [{"name": facts.name, "results": [_result(each, facts) for each in facts.run.figures]}],
    }


def _result(figure: Figure, facts: CardFacts) -> dict[str, Any]:
    corpus = figure.corpus or ", ".join(dict.fromkeys(part.corpus for part in facts.run.parts if part.split == "test"))
    return {
        "task": {"type": TASK, "name": "Phoneme recognition"},
        "dataset": {"type": corpus, "name": corpus, "split": "test"},
        "metrics": [{"type": "per", "name": "PER, silence removed", "value": figure.removed}],
    }


def _content(bundle: Path, facts: CardFacts) -> dict[str, Any]:
    config = read_recipe(bundle / RECIPE)
    robustness = [row for row in facts.measured if row["benchmark"] == _ROBUSTNESS]
    licence = LICENCES.get(facts.license)
    return {
        "facts": facts,
        "run": facts.run,
        "config": config,
        "phones": list(config.targets.phone_set),
        "spoken": _quoted_phones(config.targets.phone_set),
        "fingerprint": file_digest(bundle / RECIPE),
        "parameters": sum(count_weights(folder / WEIGHTS) for folder in model_folders(bundle)),
        "megabytes": sum(path.stat().st_size for path in bundle.rglob("*") if _counts(path)) / 1e6,
        "stored": stored_weights(bundle) or "float32",
        "licence": licence,
        "corpus_licences": {corpus: corpus_licence(corpus) or "not known" for corpus in facts.run.corpora},
        "several": len(facts.run.figures) > 1,
        "conditions": sorted(robustness, key=lambda row: -row["points"])[:WORST_CONDITIONS],
        "as_it_is": next((row["figure"] for row in robustness if row["condition"] == "as it is"), None),
        "compared": [row for row in facts.measured if row["benchmark"] == _RECOGNISERS],
    }


def _quoted_phones(phone_set: PhoneSet) -> str:
    """Some phones of the set, as a shell reads them: an English word, where they are in it."""
    if all(phone in phone_set for phone in HELLO):
        return f'"{" ".join(HELLO)}"'
    spoken = (phone for phone in phone_set if phone not in phone_set.silences)
    return shlex.quote(" ".join(islice(spoken, MOST_EXAMPLES)))


def _counts(path: Path) -> bool:
    """Whether a file of a bundle is part of its size: not what this module writes."""
    return path.is_file() and not path.name.startswith(".") and path.name not in (CARD, CARD_FACTS, LICENSE)
