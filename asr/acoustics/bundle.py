"""The model bundle: a folder with all that recognition needs, and nothing that could run code.

bundle.json        the version of this layout, and the SHA-256 of the files that nobody edits
recipe.yaml        the settings that it was trained with, without paths of the machine that trained it
model.safetensors  the acoustic model's weights
phones.txt         the phone set, one symbol a line
classes.tsv        each class (phone and HMM state) with its prior and self-loop probability
timing.tsv         the same for the classes of the second output, if the model has one
cmvn.safetensors   the training set's normalisation statistics
lm.arpa            the phone n-gram, which decoding adds; lm.arpa.gz in a bundle that `asr model pack` wrote
decoding.yaml      acoustic scale, insertion penalty, weight of the language model, and the parameters of confidences,
                   once they are tuned
ensemble           a bundle for each further model that decodes with this one: 01, 02, ...; optional
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn

from asr import models
from asr.acoustics.bundle_manifest import (
    check_files,
    lm_path,
    model_folders,
    read_manifest,
    stored_weights,
    write_manifest,
)
from asr.acoustics.tables import (
    BESIDE,
    ClassStatistics,
    Tuning,
    check_phones,
    read_statistics,
    read_timing,
    read_tuning,
)
from asr.config import RecipeConfig
from asr.config.recipe_file import read_recipe, write_recipe
from asr.errors import InputError
from asr.features.cmvn import Cmvn, load_cmvn, save_cmvn
from asr.models import AcousticModel
from asr.named_models.model_folder import model_folder
from asr.storage.files import complete_file, remove, write_text
from asr.storage.run_layout import (
    BUNDLE,
    BUNDLE_MANIFEST,
    CARD_FACTS,
    CLASSES,
    CMVN,
    DECODING_WEIGHTS,
    ENSEMBLE,
    LM,
    MODEL_PHONES,
    PACKED_LM,
    RECIPE,
    TIMING_CLASSES,
    TRAIN,
    WEIGHTS,
    bundle_places,
    fold_name,
    has_folds,
)
from asr.storage.weights import load_weights, save_weights


@dataclass(frozen=True)
class Bundle:
    """A trained model with all that is needed to turn its posteriors into phones."""

    folder: Path
    config: RecipeConfig
    model: AcousticModel
    statistics: ClassStatistics
    cmvn: Cmvn
    tuning: Tuning
    ensemble: tuple["Bundle", ...] = ()
    timing: ClassStatistics | None = None

    @property
    def subsampling(self) -> int:
        return self.model.subsampling

    @property
    def lm_path(self) -> Path:
        return lm_path(self.folder)

    @property
    def tuning_path(self) -> Path:
        return self.folder / DECODING_WEIGHTS


def write_bundle(
    folder: Path,
    config: RecipeConfig,
    model: nn.Module,
    statistics: ClassStatistics,
    cmvn: Cmvn,
    timing: ClassStatistics | None = None,
) -> None:
    """Writes all but lm.arpa, decoding.yaml and the ensemble, which decoding adds; deletes those of a previous
    model. `timing` are the statistics of the second output, if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (LM, PACKED_LM, DECODING_WEIGHTS, TIMING_CLASSES, CARD_FACTS):
        remove(folder / name)
    remove(folder / ENSEMBLE)
    save_weights(folder / WEIGHTS, model.state_dict())
    write_text(folder / MODEL_PHONES, "".join(f"{phone}\n" for phone in config.targets.phone_set))
    _write_statistics(folder / CLASSES, config.class_names, statistics)
    if timing is not None:
        _write_statistics(folder / TIMING_CLASSES, config.timing_names, timing)
    overall = Cmvn({"": cmvn.typical()}) if config.features.cmvn_prior else cmvn.overall()
    save_cmvn(folder / CMVN, overall)
    write_recipe(folder / RECIPE, portable(config))
    write_manifest(folder)


def _write_statistics(path: Path, names: Sequence[str], statistics: ClassStatistics) -> None:
    rows = zip(names, statistics.priors.tolist(), statistics.self_loops.tolist(), strict=True)
    lines = ["class\tprior\tself_loop\n", *(f"{name}\t{prior!r}\t{loop!r}\n" for name, prior, loop in rows)]
    write_text(path, "".join(lines))


def portable(config: RecipeConfig) -> RecipeConfig:
    """The recipe without the paths of the machine that trains, which mean nothing on another."""
    return config.model_copy(
        update={
            "corpus": config.corpus.model_copy(update={"dir": None}),
            "model": config.model.portable(),
            "training": config.training.model_copy(update={"align_with": None}),
            "decoding": config.decoding.model_copy(update={"ensemble": []}),
        }
    )


def write_tuning(path: Path, tuning: Tuning) -> None:
    """Writes a bundle's decoding.yaml."""
    write_text(path, yaml.safe_dump(asdict(tuning)))


def copy_bundle(source: Path, target: Path, ensemble: Sequence[Path] = ()) -> None:
    """Copies a bundle's files into a folder, and below them those of the bundles of its ensemble.

    Lists what is there then: a language model, if the folder has one already.
    """
    for number, folder in enumerate(ensemble, 1):
        _copy_files(folder, target / ENSEMBLE / f"{number:02}")
    _copy_files(source, target)


def _copy_files(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    files = (path for path in source.iterdir() if path.is_file() and not path.name.startswith("."))
    for path in sorted(path for path in files if path.name != BUNDLE_MANIFEST):
        _copy_file(path, target)
    # A copy that went wrong is found later: a file keeps the checksum that it had.
    known = read_manifest(source)
    known = {name: digest for name, digest in known.items() if not name.startswith(f"{ENSEMBLE}/")}
    write_manifest(target, known, stored_weights(source))


def _copy_file(path: Path, folder: Path) -> None:
    with open(path, "rb") as original, complete_file(folder / path.name, "wb") as copy:
        shutil.copyfileobj(original, copy)


def inherit(trained: Path, folder: Path) -> None:
    """Copies from a trained bundle what its weights need to recognise the same in another: normalisation, language
    model and tuning; and card.json, what is known of it. Copies nothing to one that takes other features, or scores
    other classes."""
    if not (trained / RECIPE).is_file():
        return
    if unlike_section(read_recipe(trained / RECIPE), read_recipe(folder / RECIPE)) is not None:
        return
    for name in (CMVN, LM, PACKED_LM, DECODING_WEIGHTS, CARD_FACTS):
        if (trained / name).is_file():
            _copy_file(trained / name, folder)
    write_manifest(folder)


def find_bundle(path: Path) -> Path:
    """The bundle that a user means by `path`: a bundle, a run's folder (the first fold, where it has folds), or another
    model that `model_folder` finds.

    Raises InputError when there is none.
    """
    path = model_folder(path)
    for candidate in bundle_places(path):
        if (candidate / WEIGHTS).is_file():
            return candidate
    for trained in (path / TRAIN / BUNDLE, path / fold_name(1) / TRAIN / BUNDLE):
        if (trained / WEIGHTS).is_file():
            raise InputError(f"is not decoded yet; finish the run, or name {trained}", path)
    raise InputError(f"holds no model bundle ({WEIGHTS}); name a bundle or the folder of a finished run", path)


def of_one_fold(path: Path) -> Path:
    """Returns `path`. Raises InputError for a run with folds, each of which has test speakers that the others trained
    on."""
    if has_folds(path):
        raise InputError(f"has folds, each with its own model; give one fold, such as its {fold_name(1)}", path)
    return path


def read_bundle(path: Path, device: torch.device | str = "cpu") -> Bundle:
    """Reads a bundle (or the bundle of a run) onto a device, ready to recognise.

    Raises InputError for a file that is missing, damaged, or of another model, and for a bundle of another layout.
    """
    folder = find_bundle(path)
    check_files(folder)
    config = read_recipe(folder / RECIPE)
    check_phones(folder / MODEL_PHONES, config)
    model = models.build_for(config)
    load_weights(folder / WEIGHTS, model)
    bundle = Bundle(
        folder=folder,
        config=config,
        model=model.to(device).eval(),
        statistics=read_statistics(folder / CLASSES, config.class_names),
        timing=read_timing(folder, config),
        cmvn=_read_cmvn(folder / CMVN, config.features.static_dim),
        tuning=read_tuning(folder),
    )
    return replace(bundle, ensemble=tuple(_read_ensemble(bundle, device)))


def _read_ensemble(bundle: Bundle, device: torch.device | str) -> Iterator[Bundle]:
    for path in model_folders(bundle.folder)[1:]:
        other = read_bundle(path, device)
        if differing := difference(other, bundle):
            raise InputError(f"its {differing} differ from those of its bundle; copy the bundle again", path)
        yield other


def difference(bundle: Bundle, other: Bundle) -> str | None:
    """The difference that keeps two models from decoding together; None where they can."""
    if section := unlike_section(bundle.config, other.config):
        return f"settings in {section}"
    if bundle.subsampling != other.subsampling:
        return "frames (model.subsampling)"
    mean, own = bundle.cmvn.total().mean, other.cmvn.total().mean
    if bundle.config.features.cmvn == "global" and not np.array_equal(mean, own):
        return "statistics of the training set (features.cmvn: global)"
    return None


def unlike_section(config: RecipeConfig, other: RecipeConfig) -> str | None:
    """The section of two recipes that keeps their models from decoding together."""
    sections = ("features", "targets", "topology")
    return next((name for name in sections if getattr(config, name) != getattr(other, name)), None)


def _read_cmvn(path: Path, dim: int) -> Cmvn:
    try:
        cmvn = load_cmvn(path)
    except InputError as error:
        raise InputError("missing or damaged; copy the bundle again, or train the model again", path) from error
    if any(
        statistics.sum.shape != (dim,) or statistics.squares.shape != (dim,) for statistics in cmvn.speakers.values()
    ):
        raise InputError(f"its statistics are not of the {dim} features of {BESIDE}", path)
    return replace(cmvn, prior=cmvn.total())
