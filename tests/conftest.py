"""Fixtures that the whole suite shares."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support.commands.asr_command import Command, Outcome
from support.commands.made_once import made_once, shared_folder
from support.models.traced_graphs import tracing_once

from asr.cli.main import main

# The workers of a parallel test run share the cores; threads of their own would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says more about the machine than about the code.
# In CI the same examples each time, so that a commit passes or fails whatever the day; elsewhere others in each run.
settings.register_profile("asr", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("asr")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Without a GPU, Triton's kernels are interpreted; this is read when Triton is first imported."""
    import torch  # not above, where the number of its threads is not set yet

    if not torch.cuda.is_available():
        os.environ.setdefault("TRITON_INTERPRET", "1")


def pytest_collection_finish() -> None:
    """The tests and the libraries stay until the end: the garbage collector need not go through them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """What a test writes need not survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real speech; a test that asks for it skips where it is absent."""
    folder = Path(os.environ.get("ASR_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip(f"no real speech: {folder} is absent (set ASR_CORPORA)")
    return folder


@pytest.fixture(scope="session")
def timit_sample(corpora: Path) -> Path:
    folder = corpora / "timit_sample"
    if not folder.is_dir():
        pytest.skip(f"no TIMIT sample: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def speechocean762(corpora: Path) -> Path:
    folder = corpora / "speechocean762"
    if not folder.is_dir():
        pytest.skip(f"no speechocean762: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def demo_corpus() -> Path:
    return REPOSITORY / "data" / "demo"


@pytest.fixture
def tf32() -> Iterator[None]:
    """TF32 is on, and afterwards as before."""
    import torch

    from asr.device import use_tf32

    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    use_tf32(True)
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


TINY_SPEAKERS = {"train": ("fslt0", "mkal0"), "dev": ("mkal1",), "test": ("fslt2", "mawb0")}
TINY_RECIPE = """\
corpus: {{name: demo, dir: {corpus}}}
targets: {{phone_set: timit39, states: 1}}
model: {{type: dnn, layers: 1, width: 32, context: 2, dropout: 0.2}}
training: {{epochs: 2, batch_size: 64}}
decoding: {{acoustic_scales: [1.0], insertion_penalties: [0.0]}}
scoring: {{bootstrap: 50}}
"""


@pytest.fixture
def captured(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What `asr_command` writes. Override it with `capfd` where the command starts processes that write."""
    return capsys


@pytest.fixture
def asr_command(monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> Command:
    """Calls `asr` with the given arguments, in this process."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["asr", *map(str, arguments)])
        captured.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        return Outcome(int(leaving.value.code or 0), *captured.readouterr())

    return call


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all workers of this test run have."""
    return shared_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_corpus(demo_corpus: Path, shared: Path) -> Path:
    """Three utterances of each of five demo speakers, in the demo corpus's layout. Copy it before you change it."""

    def make(corpus: Path) -> None:
        for split, speakers in TINY_SPEAKERS.items():
            (corpus / f"{split}_speakers.txt").write_text("\n".join(speakers) + "\n")
            for speaker in speakers:
                source = next(demo_corpus.glob(f"*/*/{speaker}"))
                target = corpus / source.relative_to(demo_corpus)
                target.mkdir(parents=True)
                for audio in sorted(source.glob("*.flac"))[:3]:
                    for path in source.glob(f"{audio.stem}.*"):
                        shutil.copy(path, target)

    return made_once(shared / "corpus", make)


@pytest.fixture(scope="session")
def tiny_recipe(tiny_corpus: Path, shared: Path) -> Path:
    """A recipe that runs on the tiny corpus in a second or two."""
    text = TINY_RECIPE.format(corpus=tiny_corpus)
    return made_once(shared / "tiny", lambda folder: (folder / "dnn.yaml").write_text(text)) / "dnn.yaml"


@pytest.fixture(scope="session")
def tiny_run(tiny_recipe: Path, shared: Path) -> Path:
    """The finished run of the tiny recipe. Copy it before you change it."""
    import torch

    from asr.config.recipe_file import read_recipe
    from asr.runs.run import Run, execute

    def make(folder: Path) -> None:
        execute(Run(read_recipe(tiny_recipe), "tiny/dnn", folder, torch.device("cpu")))

    return made_once(shared / "run" / "dnn", make)


@pytest.fixture(scope="module")
def traced_once(shared: Path) -> Iterator[None]:
    """Tracing the graph of an export, some seconds, is done once for all tests that export the same model."""
    pytest.importorskip("onnxscript")
    with tracing_once(shared / "traced"):
        yield


@pytest.fixture
def prepared(tiny_run: Path, tmp_path: Path) -> Path:
    """The tiny corpus's manifests, which a test may change."""
    return Path(shutil.copytree(tiny_run / "prepare", tmp_path / "prepare"))


@pytest.fixture
def features(tiny_run: Path) -> Path:
    """The tiny corpus's feature archives."""
    return tiny_run / "features"


@pytest.fixture
def own_run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))
