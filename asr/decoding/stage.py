"""The decoding stage: scores by the acoustic model, tuning on dev, hypotheses for dev and test."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from lhotse import MonoCut

from asr.acoustics.bundle import (
    Bundle,
    Tuning,
    copy_bundle,
    difference,
    of_one_fold,
    portable,
    read_bundle,
    write_tuning,
)
from asr.alignment.states import (
    NO_ALIGNMENTS,
    Alignments,
    read_aligned_split,
    said_phones,
)
from asr.config import DecodingConfig, RecipeConfig
from asr.config.recipe_file import write_recipe
from asr.corpora.cuts import read_cuts, reference, word_phones
from asr.decoding.bundle_decoder import bundle_decoder, bundle_ngrams, search_factory, viterbi_factory
from asr.decoding.decode import Decoder
from asr.decoding.shares import (
    Scored,
    Work,
    decode_files,
    decoded_by_all,
    do_share,
    scored_by_all,
    warn_of_incomplete,
)
from asr.decoding.tuning import tune, tune_confidences
from asr.errors import InputError
from asr.features.dataset import Dataset
from asr.formats.transcript import PhoneSegment, PronouncedWord, write_transcripts
from asr.lm.ngram import perplexity, train_ngram
from asr.lm.word_starts import mark_word_starts, symbols
from asr.phones.folding import fold
from asr.phones.pronounce import chosen_pronunciations, fold_pronunciations
from asr.processes.tasks import ALONE, Others, Task
from asr.scoring.pronunciations import fitting_pronunciations
from asr.storage.files import make_folder, write_bytes
from asr.storage.json_files import write_json
from asr.storage.outputs import UNFINISHED, complete_outputs
from asr.storage.run_layout import BUNDLE, RECIPE, REFERENCES, SPEED, TUNED, alignments_path, cuts_path

log = logging.getLogger(__name__)

TRAINED_SECTIONS = ("features", "targets", "model", "topology")
"""What of the recipe cannot change once a model is trained."""

OUTPUTS = (BUNDLE, "dev", "test", SPEED, TUNED)


def decode(
    config: RecipeConfig,
    bundle_dir: Path,
    prepare_dir: Path,
    features_dir: Path,
    out_dir: Path,
    device: torch.device,
    tuned: bool = True,
    others: Others = ALONE,
) -> None:
    """Estimates the language model, tunes the weights of decoding on dev (or takes the bundle's own), then decodes dev
    and test. The `others` score their share of dev and decode theirs of test, by `help_decode`.

    Writes tuning.json, speed.json, the bundle with language model and tuned weights, and for dev and test
    hypotheses.jsonl, .ctm and references.jsonl, and n-best lists and lattices if the recipe asks for them; all of them
    or, when stopped early, none. A bundle that already has a language model, or an ensemble, keeps it.
    Raises InputError when the recipe's model, or language model, is not the bundle's, and for an ensemble that does not
    fit.
    """
    make_folder(out_dir)
    dataset = Dataset(prepare_dir, features_dir)
    trained, loaded = _loaded(config, bundle_dir, device)
    if not (tuned or trained.tuning_path.is_file()):
        log.warning("Not tuned; using default weights: %s", trained.folder)
    config = loaded.config
    with complete_outputs(out_dir, OUTPUTS) as out:
        bundle = replace(loaded, folder=out / BUNDLE)
        write_lm(trained, bundle, dataset)
        work = Work(bundle, dataset, out_dir, device)
        dev = scored_by_all(work, "dev", others)
        if tuned:
            tuning, decoder = _tune(bundle, dev, out, device)
        else:
            tuning, decoder = bundle.tuning, bundle_decoder(bundle, bundle.tuning, device)
        warn_of_incomplete("dev", decode_files(dev, decoder, out / "dev", config.decoding))
        write_json(out / SPEED, decoded_by_all(work, "test", decoder, tuning, out / "test", others))
        for split in ("dev", "test"):
            said = (reference(cut) for cut in dataset.split(split, config.features).cuts())
            write_transcripts(out / split / REFERENCES, said)
        copy_bundle(trained.folder, bundle.folder, [each.folder for each in bundle.ensemble])
        write_recipe(bundle.folder / RECIPE, config)
        write_tuning(bundle.tuning_path, tuning)


def help_decode(
    config: RecipeConfig,
    bundle_dir: Path,
    prepare_dir: Path,
    features_dir: Path,
    out_dir: Path,
    device: torch.device,
    task: Task,
) -> object:
    """In another process: does this one's share of what `decode` asked for, with the same arguments."""
    _, loaded = _loaded(config, bundle_dir, device)
    bundle = replace(loaded, folder=out_dir / UNFINISHED / BUNDLE)
    return do_share(Work(bundle, Dataset(prepare_dir, features_dir), out_dir, device), task)


def _loaded(config: RecipeConfig, bundle_dir: Path, device: torch.device) -> tuple[Bundle, Bundle]:
    """The bundle as it was trained, and with the recipe's decoding and ensemble."""
    trained = read_bundle(bundle_dir, device)
    ensemble = read_ensemble(config, trained, device) or trained.ensemble
    config = portable(config)
    for section in TRAINED_SECTIONS:
        if getattr(config, section) != getattr(trained.config, section):
            raise InputError(f"was trained with other settings in {section}; train again to change them", bundle_dir)
    return trained, replace(trained, config=config, ensemble=ensemble)


def read_ensemble(config: RecipeConfig, trained: Bundle, device: torch.device) -> tuple[Bundle, ...]:
    """The recipe's further models; all models of one that is an ensemble itself.

    Raises InputError for a model that is missing, takes other features, or scores other frames or classes.
    """
    ensemble: list[Bundle] = []
    for path in config.decoding.ensemble:
        try:
            found = read_bundle(of_one_fold(path), device)
        except InputError as error:
            raise InputError(f"decoding.ensemble: {error}") from error
        if differing := difference(found, trained):
            raise InputError(f"decoding.ensemble: its {differing} differ; leave it out", path)
        ensemble += [found, *found.ensemble]
    return tuple(ensemble)


def write_lm(trained: Bundle, bundle: Bundle, dataset: Dataset) -> None:
    """Copies the language model of a bundle that has one; otherwise estimates it, on the alignments of training.

    Raises InputError where the recipe asks for another language model than the one to be copied, and where the
    alignments are missing.
    """
    config = bundle.config
    make_folder(bundle.folder)
    if trained.lm_path.is_file():
        if config.lm != trained.config.lm:
            message = "already has a language model; give the bundle that asr train wrote to change the settings in lm"
            raise InputError(message, trained.folder)
        write_bytes(bundle.folder / trained.lm_path.name, trained.lm_path.read_bytes())
        return
    alignments = _alignments(trained)
    phones: Sequence[str] = config.targets.phone_set
    if config.lm.word_starts:
        phones = symbols(phones)
    sentences = (_sentence(cut, config, alignments) for cut in dataset.cuts("train"))
    train_ngram(sentences, config.lm.order, phones, bundle.lm_path, config.lm.prune)


def _alignments(trained: Bundle) -> Alignments:
    """The alignments that a model was trained on, next to its bundle; none for the corpus's own phone times."""
    path = alignments_path(trained.folder.parent, "train")
    if path.is_file():
        return read_aligned_split(path).alignments
    if trained.config.training.flat_start:  # only then are its phones, silences among them, not the corpus's own
        raise InputError("missing; the language model is estimated on it: copy it too, or train again", path)
    return NO_ALIGNMENTS


def _sentence(cut: MonoCut, config: RecipeConfig, alignments: Alignments) -> list[str]:
    """The symbols of a training utterance for the language model."""
    phones = said_phones(cut, config, alignments)
    if not config.lm.word_starts:
        return phones
    silences = config.targets.phone_set.silences
    try:
        words = chosen_pronunciations([phone for phone in phones if phone not in silences], _words(cut, config))
        return mark_word_starts(phones, words, silences)
    except ValueError as error:
        raise InputError(f"lm.word_starts: utterance {cut.id}: {error}; set it to false") from error


def _words(cut: MonoCut, config: RecipeConfig) -> list[PronouncedWord]:
    """The pronunciations of each word. Raises InputError where the corpus does not have them."""
    try:
        return [(word, fold_pronunciations(each, config.targets.phone_set)) for word, each in word_phones(cut)]
    except InputError as error:
        raise InputError(f"lm.word_starts: {error}; set it to false") from error


def check_language_model(config: RecipeConfig, prepare_dir: Path) -> None:
    """Raises InputError where the training transcripts lack what the language model needs."""
    if config.lm.word_starts:
        for cut in read_cuts(cuts_path(prepare_dir, "train")):
            _words(cut, config)


def _tune(bundle: Bundle, dev: Sequence[Scored], out_dir: Path, device: torch.device) -> tuple[Tuning, Decoder]:
    config = bundle.config
    if any(said.pronunciations for said, _ in dev):
        dev = _in_best_pronunciations(dev, bundle_decoder(bundle, bundle.tuning, device), config)
    utterances = [(spoken.symbols, posteriors) for spoken, posteriors in dev]
    phones = config.targets.phone_set
    settings, ngrams = _settings_to_tune(config), bundle_ngrams(bundle)
    found = tune(
        utterances,
        bundle.statistics.priors,
        search_factory(bundle, ngrams),
        phones,
        settings,
        config.scoring.phone_set,
        viterbi_factory(bundle, ngrams, device),
    )
    log.info(
        "Tuned on dev: acoustic scale %g, prior scale %g, insertion penalty %g, language model weight %g, dev PER %.1f",
        *(found.acoustic_scale, found.prior_scale, found.insertion_penalty, found.lm_weight, found.per),
    )
    for name in found.at_edge:
        log.warning("decoding.%s: the best value is at the end of the list; a longer list might do better", name)
    tuning = Tuning(found.acoustic_scale, found.insertion_penalty, found.lm_weight, found.prior_scale)
    decoder = bundle_decoder(bundle, tuning, device)
    also: dict[str, float] = {}
    if decoder.scoring:
        posterior_scale, recalibration = tune_confidences(dev, decoder, config.scoring.phone_set)
        also = {"posterior_scale": posterior_scale} | {
            f"confidence_{name}": value for name, value in asdict(recalibration).items()
        }
        tuning = replace(tuning, **also)
        decoder = replace(decoder, posterior_scale=posterior_scale, recalibration=recalibration)
    dev_perplexity = perplexity(ngrams.unpacked(), (fold(said, config.targets.phone_set) for said, _ in utterances))
    log.info("Phone language model: order %d, perplexity %.2f on dev", config.lm.order, dev_perplexity)
    write_json(out_dir / TUNED, asdict(found) | also | {"dev_perplexity": round(dev_perplexity, 4)})
    return tuning, decoder


def _in_best_pronunciations(dev: Sequence[Scored], decoder: Decoder, config: RecipeConfig) -> list[Scored]:
    """The references in those pronunciations of their words that fit the hypotheses of the default weights best."""
    scored = config.scoring.phone_set
    fitted = []
    for said, posteriors, path in decoder.best_paths(dev):
        heard = fold((decoder.phones[span.phone] for span in path.phones), scored)
        if said.pronunciations:
            chosen = fitting_pronunciations(said.pronunciations, heard, scored)
            phones = [PhoneSegment(phone) for pronunciation in chosen for phone in pronunciation]
            said = replace(said, phones=phones, pronunciations=[])
        fitted.append((said, posteriors))
    return fitted


def _settings_to_tune(config: RecipeConfig) -> DecodingConfig:
    """The settings that have an effect: not the scale of CTC's uniform priors, nor the weights of a greedy search."""
    fixed: dict[str, list[float]] = {}
    if config.topology == "ctc":
        fixed = {"prior_scales": [1.0]}
    if config.decoding.search == "greedy":
        fixed |= {"acoustic_scales": [1.0], "insertion_penalties": [0.0], "lm_weights": [1.0]}
    return config.decoding.model_copy(update=fixed)
