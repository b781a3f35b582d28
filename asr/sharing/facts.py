"""card.json: what a model card says that the model's own files do not, collected from the run that trained it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from lhotse import MonoCut
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asr.acoustics.bundle import find_bundle, of_one_fold
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.cuts import CORPUS, read_cuts
from asr.errors import InputError
from asr.scoring.edit_alignment import EditPair, Outcome, outcome_of
from asr.scoring.results import UNKNOWN_SPEAKER, confusions, ranked, read_utterances, summarize
from asr.scoring.utterance import UtteranceScore
from asr.storage.json_files import read_json
from asr.storage.run_layout import (
    ENVIRONMENT,
    METRICS,
    PREPARE,
    RECIPE,
    RESULTS,
    SCORE,
    SPLITS,
    TEST,
    TRAIN,
    UTTERANCES,
    cuts_path,
    run_of,
)
from asr.training.metrics import read_metrics

MOST_CONFUSIONS = 10
"""Of substitutions, and of deleted and of inserted phones."""

Speech = dict[tuple[str, str], list[MonoCut]]

Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Part(_Facts):
    """The speech of a corpus in train, dev or test."""

    corpus: str
    split: str
    utterances: int
    speakers: int
    hours: Number


class Figure(_Facts):
    """PER in per cent, with its 95% interval, on the test speech of a corpus, or ("") of all.

    `pronounced`: the references are a dictionary's, and the pronunciation of each word that fits best counts.
    """

    corpus: str
    removed: Number
    removed_interval: tuple[Number, Number]
    counted: Number
    counted_interval: tuple[Number, Number]
    silence_transcribed: bool
    pronounced: bool
    utterances: int
    speakers: int
    reference_phones: int


class Confusion(_Facts):
    """A reference phone (null: inserted) recognised as another (null: deleted), with silence removed."""

    reference: str | None
    recognised: str | None
    count: int


class RunFacts(_Facts):
    """What is known from a finished run."""

    recipe: str
    parts: list[Part]
    figures: list[Figure]
    confusions: list[Confusion]
    device: str
    processor: str
    packages: dict[str, str]
    training_seconds: Number
    epochs: int
    known_speakers: int
    """Speakers of the test speech who are in the training speech too."""

    @property
    def corpora(self) -> list[str]:
        """Those trained on."""
        return list(dict.fromkeys(part.corpus for part in self.parts if part.split == "train"))


class CardFacts(_Facts):
    """The whole card.json; `measured` are rows of benchmarks, `notes` is Markdown."""

    schema_: Literal[1] = Field(1, alias="schema")
    name: str
    language: str = "en"
    license: str
    run: RunFacts
    measured: list[dict[str, Any]] = []
    notes: str = ""


def read_facts(path: Path) -> CardFacts:
    """Reads card.json. Raises InputError where it is missing or damaged."""
    try:
        return CardFacts.model_validate(read_json(path))
    except ValidationError as error:
        place = ".".join(str(each) for each in error.errors()[0]["loc"])
        raise InputError(
            f"field {place}: {error.errors()[0]['msg']}; make it again with asr model pack", path
        ) from error


def run_facts(model: Path) -> RunFacts | None:
    """What is known of the model of a finished run (one fold of it, where it has folds); None for another model.

    Raises InputError for files of the run that are missing or damaged.
    """
    bundle = find_bundle(of_one_fold(model))
    run, name = run_of(bundle) or (None, "")
    if run is None or not (run / RESULTS).is_file():
        return None
    fold = run / name
    config = read_recipe(bundle / RECIPE)
    results, environment = read_json(run / RESULTS), read_json(run / ENVIRONMENT)
    utterances = read_utterances(fold / SCORE / UTTERANCES)
    speech = _speech(run / PREPARE / name, _corpus(read_recipe(run / RECIPE)))
    try:
        return RunFacts(
            recipe=str(results["recipe"]),
            parts=[_part(*key, cuts) for key, cuts in speech.items()],
            figures=_figures(utterances, config),
            confusions=_confusions(utterances),
            device=environment["device"],
            processor=environment["processor"],
            packages=environment["packages"],
            training_seconds=results["seconds"][TRAIN] / max(len(results.get("folds", ())), 1),
            epochs=len(read_metrics(fold / TRAIN / METRICS)),
            known_speakers=len(_speakers(speech, "train") & _speakers(speech, TEST)),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise InputError(f"cannot be read ({error}); run asr run again", run / RESULTS) from error


def _corpus(config: RecipeConfig) -> str:
    """The corpus of a run's recipe, as a bundle's has no folder; one's own is called as its folder or list is."""
    corpus = config.corpus
    return corpus.dir.stem if corpus.entry.own and corpus.dir is not None else corpus.name


def _speech(prepared: Path, recipe_corpus: str) -> Speech:
    """The cuts in the manifests by split and corpus."""
    speech: Speech = {}
    for split in SPLITS:
        found: defaultdict[str, list[MonoCut]] = defaultdict(list)
        for cut in read_cuts(cuts_path(prepared, split)):
            found[str((cut.supervisions[0].custom or {}).get(CORPUS, recipe_corpus))].append(cut)
        speech |= {(split, corpus): cuts for corpus, cuts in sorted(found.items())}
    return speech


def _part(split: str, corpus: str, cuts: list[MonoCut]) -> Part:
    speakers = {cut.supervisions[0].speaker for cut in cuts}
    hours = round(sum(cut.duration for cut in cuts) / 3600, 3)
    return Part(corpus=corpus, split=split, utterances=len(cuts), speakers=len(speakers), hours=hours)


def _speakers(speech: Speech, split: str) -> set[str]:
    cuts = (cut for (each, _), cuts in speech.items() if each == split for cut in cuts)
    return {cut.supervisions[0].speaker for cut in cuts}


def _figures(utterances: Iterable[UtteranceScore], config: RecipeConfig) -> list[Figure]:
    """The figures of each corpus, if there are several, and of all test speech."""
    groups: defaultdict[str, list[UtteranceScore]] = defaultdict(list)
    for item in utterances:
        groups[item.corpus or ""].append(item)
    everything = [item for members in groups.values() for item in members]
    return [_figure(corpus, groups[corpus], config) for corpus in sorted(groups) if corpus] + [
        _figure("", everything, config)
    ]


def _figure(corpus: str, utterances: list[UtteranceScore], config: RecipeConfig) -> Figure:
    result = summarize(utterances, config.scoring, config.seed)
    removed, counted = result.treatments["removed"], result.treatments["counted"]
    return Figure(
        corpus=corpus,
        removed=round(removed.counts.per or 0.0, 3),
        removed_interval=(round(removed.interval[0], 3), round(removed.interval[1], 3)),
        counted=round(counted.counts.per or 0.0, 3),
        counted_interval=(round(counted.interval[0], 3), round(counted.interval[1], 3)),
        silence_transcribed=result.silence_transcribed,
        pronounced=any(item.pronounced for item in utterances),
        utterances=len(utterances),
        speakers=len(result.by_speaker.keys() - {UNKNOWN_SPEAKER}),
        reference_phones=removed.counts.reference_phones,
    )


def _confusions(utterances: Iterable[UtteranceScore]) -> list[Confusion]:
    """The most frequent substitutions, deletions and insertions."""
    kinds: dict[Outcome, Counter[EditPair]] = {"substituted": Counter(), "deleted": Counter(), "inserted": Counter()}
    for pair, count in confusions(utterances, "removed").items():
        if (kind := outcome_of(pair)) != "right":
            kinds[kind][pair] = count
    return [
        Confusion(reference=reference, recognised=recognised, count=count)
        for pairs in kinds.values()
        for (reference, recognised), count in ranked(pairs)[:MOST_CONFUSIONS]
    ]
