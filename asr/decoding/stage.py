"""The decoding stage: posteriors of the acoustic model, tuning on dev, hypotheses of dev and test."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from asr.bundle import Bundle, Tuning, copy_bundle, portable, read_bundle, write_tuning
from asr.config import DecodingConfig, RecipeConfig
from asr.corpora.cuts import read_cuts, reference
from asr.decoding.alternatives import NBEST, Write, alternatives_files
from asr.decoding.decode import LogPosteriors, Search, decode_split
from asr.decoding.lm import perplexity
from asr.decoding.tuning import tune, tune_posterior_scale
from asr.device import describe_device
from asr.errors import InputError
from asr.features.archive import Archive
from asr.features.normalize import model_input, split_cmvn
from asr.files import make_folder, write_json
from asr.phones.phone_set import fold, load_phone_set
from asr.progress import track
from asr.recipe_file import write_recipe
from asr.recognizer import AcousticScorer, bundle_graph, bundle_search
from asr.scoring.calibration import calibrate_files
from asr.scoring.oracle import oracle_files
from asr.transcript import Transcript, write_transcripts

TRAINED_SECTIONS = ("features", "targets", "model", "topology")
"""What of the recipe a trained model holds fast."""

Scored = tuple[Transcript, LogPosteriors]
"""A reference and the log posteriors [T, C] of its utterance."""


SPEED = "speed.json"
"""How long the test set took: its audio, the acoustic model and the search in seconds. Features are made before."""


@dataclass
class _Timed:
    """Passes scored utterances on; counts the seconds of their audio, and those that the acoustic model took."""

    items: Iterable[Scored]
    audio: float = 0.0
    scoring: float = 0.0

    def __iter__(self) -> Iterator[Scored]:
        started = time.perf_counter()
        for item in self.items:
            self.scoring += time.perf_counter() - started
            self.audio += item[0].duration or 0.0
            yield item
            started = time.perf_counter()


def decode(
    config: RecipeConfig,
    bundle_dir: Path,
    prepare_dir: Path,
    features_dir: Path,
    out_dir: Path,
    device: torch.device,
    tuned: bool = True,
) -> None:
    """Tunes on dev what decoding weighs (or takes the bundle's own weights), then decodes dev and test.

    Writes tuning.json, speed.json, the bundle with what was tuned, and for dev and test: hypotheses.jsonl, .ctm and
    references.jsonl, calibration.json and .svg, and where the recipe asks for them n-best lists with oracle.json, and
    lattices. Raises InputError when the recipe's model is not the bundle's.
    """
    make_folder(out_dir)
    trained, config = read_bundle(bundle_dir, device), portable(config)
    for section in TRAINED_SECTIONS:
        if getattr(config, section) != getattr(trained.config, section):
            raise InputError(f"was trained with other settings in {section}; train anew to change them", bundle_dir)
    bundle = replace(trained, config=config)
    scorer = AcousticScorer(bundle, device)
    dev = list(_scored(bundle, scorer, prepare_dir, features_dir, "dev"))
    tuning = _tune(bundle, dev, out_dir) if tuned else bundle.tuning
    search = bundle_search(bundle, bundle_graph(bundle, tuning.lm_weight), tuning, device)
    _decode(dev, search, out_dir / "dev", config.decoding)
    test = _scored(bundle, scorer, prepare_dir, features_dir, "test")
    _decode_timed(test, search, out_dir, config.decoding, device)
    for split in ("dev", "test"):
        write_transcripts(out_dir / split / "references.jsonl", _references(prepare_dir, features_dir, split))
        _measure(out_dir / split, config)
    copy_bundle(bundle_dir, out_dir / "bundle")
    write_recipe(out_dir / "bundle" / "recipe.yaml", config)
    write_tuning(out_dir / "bundle", tuning)


def _scored(
    bundle: Bundle, scorer: AcousticScorer, prepare_dir: Path, features_dir: Path, split: str
) -> Iterator[Scored]:
    """The utterances of a split, one at a time, in the manifest's order."""
    archive = Archive(features_dir / split, bundle.config.features.static_dim)
    cmvn = split_cmvn(features_dir, split, bundle.config.features)
    numbers = {utterance: number for number, utterance in enumerate(archive.utterances)}
    for cut in track(read_cuts(prepare_dir / f"{split}.cuts.jsonl.gz"), f"scoring frames of {split}", len(archive)):
        if (number := numbers.get(cut.id)) is not None:  # else left out by `corpus.skip_bad`
            features = model_input(archive[number], archive.speakers[number], cmvn, bundle.config.features)
            yield reference(cut), scorer.log_posteriors(features)


def _references(prepare_dir: Path, features_dir: Path, split: str) -> Iterator[Transcript]:
    """What was said in each utterance that `_scored` yields."""
    usable = set(Archive(features_dir / split).utterances)
    return (reference(cut) for cut in read_cuts(prepare_dir / f"{split}.cuts.jsonl.gz") if cut.id in usable)


def _tune(bundle: Bundle, dev: Sequence[Scored], out_dir: Path) -> Tuning:
    config = bundle.config
    utterances = [(spoken.symbols, posteriors) for spoken, posteriors in dev]
    phones = load_phone_set(config.targets.phone_set)
    graph_of, settings = partial(bundle_graph, bundle), _settings_to_tune(config)
    found = tune(utterances, bundle.statistics.priors, graph_of, phones, settings, config.scoring.phone_set)
    print(
        f"tuned on dev: acoustic scale {found.acoustic_scale:g}, prior scale {found.prior_scale:g}, insertion penalty "
        f"{found.insertion_penalty:g}, weight of the language model {found.lm_weight:g}, dev PER {found.per:.1f}",
        file=sys.stderr,
    )
    for name in found.at_edge:
        print(f"decoding.{name}: the best is at the end of the list; a longer list might do better", file=sys.stderr)
    tuning = Tuning(found.acoustic_scale, found.insertion_penalty, found.lm_weight, found.prior_scale)
    search = bundle_search(bundle, bundle_graph(bundle, tuning.lm_weight), tuning)
    tuning = replace(tuning, posterior_scale=tune_posterior_scale(dev, search, config.scoring.phone_set))
    dev_perplexity = perplexity(bundle.lm_path, (fold(said, config.targets.phone_set) for said, _ in utterances))
    print(f"phone language model: order {config.lm.order}, perplexity {dev_perplexity:.2f} on dev", file=sys.stderr)
    beside = {"posterior_scale": tuning.posterior_scale, "dev_perplexity": round(dev_perplexity, 4)}
    write_json(out_dir / "tuning.json", asdict(found) | beside)
    return tuning


def _settings_to_tune(config: RecipeConfig) -> DecodingConfig:
    """Under CTC priors are uniform: their scale changes nothing and is not searched."""
    return config.decoding if config.topology == "hmm" else config.decoding.model_copy(update={"prior_scales": [1.0]})


def _decode_timed(
    items: Iterable[Scored], search: Search, out_dir: Path, config: DecodingConfig, device: torch.device
) -> None:
    """Writes the hypotheses of the test set, and how long they took."""
    timed = _Timed(items)
    started = time.perf_counter()
    _decode(timed, search, out_dir / "test", config)
    seconds = time.perf_counter() - started
    speed = {"audio": timed.audio, "acoustic_model": timed.scoring, "search": seconds - timed.scoring}
    rounded = {name: round(value, 3) for name, value in speed.items()}
    write_json(out_dir / SPEED, {**rounded, "device": describe_device(device)})


def _decode(items: Iterable[Scored], search: Search, out_dir: Path, config: DecodingConfig) -> None:
    """Writes the hypotheses of a split, and what else the recipe asks for."""
    with alternatives_files(out_dir, config, search) as write:
        decoded = decode_split(_each_also(items, write), search, out_dir)
    for utterance in decoded.incomplete:
        print(f"utterance {utterance}: too short for a whole path; its best partial path is kept", file=sys.stderr)


def _each_also(items: Iterable[Scored], write: Write) -> Iterator[Scored]:
    for item in items:
        yield item
        write(*item)


def _measure(folder: Path, config: RecipeConfig) -> None:
    """How far a split's confidences can be trusted, and what its n-best lists hold."""
    references, phone_set = folder / "references.jsonl", config.scoring.phone_set
    calibrate_files(references, folder / "hypotheses.jsonl", folder, phone_set)
    if nbest := config.decoding.nbest:
        found = oracle_files(references, folder / NBEST, nbest, phone_set)
        print(f"{folder.name}: PER {found.per:.1f}, of the best of {nbest} {found.oracle_per:.1f}", file=sys.stderr)
