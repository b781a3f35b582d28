"""Whether asr is installed well: versions, devices, extras, and a short test of what compiled libraries do."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import numpy as np
import torch

from asr.device import choose_device
from asr.errors import InputError
from asr.runs.environment import environment
from asr.threads import available_cores

DISTRIBUTION = "asr-phones"
DEVELOPMENT = re.compile(r"dev|docs|bench")
"""Extras that only those who work on the project need."""


@dataclass(frozen=True)
class Check:
    """A part of the self-test; `problem` is None where it is right."""

    name: str
    problem: str | None


def described() -> dict[str, str]:
    """Versions, processor, devices and threads, in words."""
    found = environment(torch.device("cpu"))
    packages = found["packages"]
    assert isinstance(packages, dict)
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "python": str(found["python"]),
        **packages,
        "processor": f"{found['processor']}, {found['cores']} cores",
        "threads": f"{torch.get_num_threads()} of PyTorch, {available_cores()} cores available",
        "gpus": ", ".join(gpus) or "none that PyTorch can use",
    }


def missing_extras() -> dict[str, list[str]]:
    """The packages that are missing, by the extra that brings them; none where asr runs without being installed."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    missing: dict[str, list[str]] = {}
    for line in lines:
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        package = re.match(r"[\w.-]+", line)
        if extra and package and not DEVELOPMENT.match(extra[1]) and not _is_installed(package[0]):
            missing.setdefault(extra[1], []).append(package[0])
    return missing


def self_test(device: str = "auto") -> list[Check]:
    """Reads audio, computes features, changes a speed, trains a step and searches a graph, in about two seconds."""
    parts: dict[str, Callable[[], None]] = {
        "audio": _audio,
        "features": _features,
        "augmentation": _augmentation,
        "a training step": lambda: _training_step(choose_device(device)),
        "search": _search,
    }
    return [Check(name, _problem(part)) for name, part in parts.items()]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _problem(part: Callable[[], None]) -> str | None:
    try:
        part()
    except (InputError, ArithmeticError, ImportError, OSError, RuntimeError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None


def _audio() -> None:
    """A tone that is written at 8 kHz comes back at 16 kHz."""
    import soundfile

    from asr.audio.reading import read_audio

    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tone.flac")
        soundfile.write(path, tone, 8000)
        samples = read_audio(path, 16000)
    if len(samples) != 16000 or abs(float(np.abs(samples).max()) - 0.5) > 0.05:
        raise ArithmeticError("a tone is not read as it was written; reinstall soundfile and soxr")


def _features() -> None:
    from asr.config import FeaturesConfig
    from asr.features.frontend import FrontEnd

    noise = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0)) / 10
    energies, _ = FrontEnd(FeaturesConfig(type="fbank", bins=40))(noise, torch.tensor([16000]))
    if energies.shape != (1, 98, 40) or not bool(torch.isfinite(energies).all()):
        raise ArithmeticError("features of a second of noise are wrong; reinstall torch")


def _augmentation() -> None:
    """A tenth of a second at twice its speed, by torchaudio."""
    try:
        from asr.features.augmentation.speed import perturb_speed
    except (ImportError, OSError) as error:
        raise InputError(
            f"torchaudio {version('torchaudio')} does not load beside torch {version('torch')}; install both of one "
            "release, such as 2.11.0"
        ) from error
    faster, lengths = perturb_speed(torch.ones(1, 1600), [1600], Fraction(2))
    if lengths != [800] or not 0.9 < float(faster[0, 400]) < 1.1:
        raise ArithmeticError("speech at twice its speed is wrong; reinstall torch and torchaudio")


def _training_step(device: torch.device) -> None:
    """Steps on one minibatch lower its loss."""
    from asr import models
    from asr.config import DnnConfig

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = models.build(DnnConfig(layers=2, width=64, context=1, dropout=0), 40, 10).to(device)
        features, labels = torch.randn(1, 100, 40).to(device), torch.randint(10, (100,)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(10):
        logits, _ = model(features, torch.tensor([100], device=device))
        loss = torch.nn.functional.cross_entropy(logits[0], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if not losses[-1] < losses[0]:
        raise ArithmeticError(f"training on {device} does not lower the loss; reinstall torch")


def _search() -> None:
    """Three states in a row, two frames each."""
    from asr.alignment.graph import AlignmentGraph
    from asr.alignment.viterbi import best_path

    wanted = np.repeat(np.arange(3), 2)
    scores = np.log(np.where(wanted[:, None] == np.arange(3), 0.8, 0.1)).astype(np.float32)
    none = np.inf
    graph = AlignmentGraph(
        classes=np.arange(3),
        phones=np.arange(3),
        units=np.arange(3),
        items=np.arange(3),
        first=np.array([0, 1, 3, 5]),
        sources=np.array([0, 1, 0, 2, 1]),
        costs=np.zeros(5),
        starts=np.array([0, none, none]),
        finals=np.array([none, none, 0]),
    )
    if best_path(scores, graph).states.tolist() != wanted.tolist():
        raise ArithmeticError("the search finds another path than the best; reinstall numba")
