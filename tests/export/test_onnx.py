"""An exported model gives what its bundle gives, and needs no PyTorch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands.asr_command import Command
from support.models.encoder_folder import ARCHITECTURES

import asr
from asr import models
from asr.acoustics.bundle import copy_bundle, read_bundle, write_bundle, write_tuning
from asr.acoustics.onnx_model import OnnxScorer, read_onnx_model
from asr.acoustics.tables import ClassStatistics, Tuning
from asr.acoustics.waveform_scorer import WaveformScorer
from asr.audio import read_audio
from asr.config import RecipeConfig
from asr.errors import InputError
from asr.export.export import export
from asr.features.cmvn import Cmvn, Statistics
from asr.lm.ngram import train_ngram
from asr.phones.phone_set import load_phone_set

pytest.importorskip("onnxscript")

Settings = dict[str, object]

DNN: Settings = {"type": "dnn", "layers": 1, "width": 512, "context": 2}
ONE_LAYER: Settings = {"layers": 1, "width": 16}


def few_convolutions(name: str, **changes: object) -> Settings:
    """The settings of an encoder with three convolutions, which hop and see as far as the usual seven."""
    return ARCHITECTURES[name].model_dump() | {"convolutions": [(8, 10, 5), (8, 15, 8), (8, 9, 8)], **changes}


RECURRENT: Settings = {"layers": 1, "width": 12, "bidirectional": True}
KINDS: dict[str, tuple[Settings, list[Settings]]] = {
    "dnn": (
        {"cmvn": "speaker", "cmvn_frames": "speech", "cmvn_prior": 200, "floor": -3, "deltas": 2},
        [DNN],
    ),
    "plain": ({"cmvn": "none"}, [{"type": "dnn", "layers": 1, "width": 8, "context": 0}]),
    "spliced": ({"cmvn": "utterance", "floor": -3}, [{"type": "dnn", "layers": 1, "width": 8, "context": 5}]),
    "frames": (
        {"type": "mfcc", "energy": True, "cmvn": "global", "snip_edges": False}
        | {"frame_length": 20, "frame_shift": 12.5},
        [
            {"type": "cnn", "layers": 1, "width": 32, "context": 5, "convolutions": [{"filters": 4, "kernel": [3, 3]}]},
            {"type": "gru", **RECURRENT},
            {"type": "ligru", **RECURRENT},
        ],
    ),
    "timed": (
        {"cmvn": "utterance", "cmvn_variance": False, "window": "hamming", "remove_dc_offset": False},
        [
            {"type": "tdnn", "dilations": [3], "width": 16, "subsampling": 3},
            {"type": "crdnn", "filters": [2, 3], "subsampling": 3, "recurrent": "lstm", "recurrent_layers": 1}
            | {"recurrent_width": 8, "layers": 1, "width": 16, "normalization": "layer"},
            {"type": "conformer", "filters": 4, "layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "kernel": 7}
            | {"subsampling": 3},
        ],
    ),
    "encoders": (
        {"type": "waveform"},
        [
            {"type": "wav2vec2", **ONE_LAYER, "architecture": few_convolutions("base", layers=1)},
            {"type": "wav2vec2", **ONE_LAYER, "architecture": few_convolutions("wavlm_large"), "layer": "weighted"},
        ],
    ),
}
"""Features and models that between them have every setting that the graph follows, and each kind of layer. Models that
take the same features are one ensemble: most of an export is tracing, which they share."""


def make_ensemble(folder: Path, kind: str) -> Path:
    """The bundle of all models of a kind."""
    features, models = KINDS[kind]
    training: Settings | None = (
        {"loss": "ctc", "timing": {"dilations": [1, 2], "width": 12}} if kind == "timed" else None
    )
    made = [make_bundle(folder / str(number), model, features, training) for number, model in enumerate(models)]
    copy_bundle(made[0], folder / "bundle", made[1:])
    return folder / "bundle"


def make_bundle(folder: Path, model: Settings, features: Settings, training: Settings | None = None) -> Path:
    config = RecipeConfig.model_validate(
        {
            "corpus": {"name": "demo"},
            "targets": {"phone_set": "timit39", "states": 1},
            "model": model,
            "features": features,
            "training": training or {},
            "lm": {"order": 2},
        }
    )
    torch.manual_seed(0)
    classes, dim = len(config.class_names), config.features.static_dim
    network = models.build_for(config)
    statistics, timing = (
        ClassStatistics(np.full(size, 1 / size), np.full(size, 0.5)) if size else None
        for size in (classes, len(config.timing_names))
    )
    assert statistics is not None
    rng = np.random.default_rng(0)
    cmvn = Cmvn({"a": Statistics.of(rng.normal(5, 3, (50, dim)).astype(np.float32))})
    write_bundle(folder, config, network, statistics, cmvn, timing)
    phones = load_phone_set("timit39").symbols
    train_ngram([list(phones), list(phones)[::-1]], 2, load_phone_set("timit39"), folder / "lm.arpa")
    write_tuning(folder / "decoding.yaml", Tuning())
    return folder


@pytest.fixture(scope="module")
def waveforms(demo_corpus: Path) -> list[np.ndarray]:
    files = sorted(demo_corpus.glob("test/**/*.flac"))[:3]
    spoken = [read_audio(path, 16000) for path in files]
    silent = spoken[0].copy()
    silent[:8000] = 0
    return [*spoken, silent, spoken[0][:400]]


@pytest.fixture(scope="module")
def exported(traced_once: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """The bundle of the DNN, and its export in single precision."""
    folder = tmp_path_factory.mktemp("dnn")
    bundle = make_ensemble(folder, "dnn")
    export(bundle, folder / "fp32")
    return {"dnn": (bundle, folder / "fp32")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_gives_the_bundles_posteriors(
    kind: str,
    exported: dict[str, tuple[Path, Path]],
    waveforms: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The front end in double precision throughout: what is left is the difference of the graph.
    monkeypatch.setattr("asr.features.frontend.QUIET", {"fbank": 1e9, "mfcc": 1e9})
    if kind in exported:
        bundle, out = exported[kind]
    else:
        bundle, out = make_ensemble(tmp_path, kind), tmp_path / "onnx"
        export(bundle, out)
    expected = WaveformScorer(read_bundle(bundle))
    graph = OnnxScorer(read_onnx_model(out))
    together = graph.batch(waveforms)
    for waveform, in_batch in zip(waveforms, together, strict=True):
        for alone, batched, wanted in zip(graph.scored(waveform), in_batch, expected.scored(waveform), strict=True):
            assert (wanted is None) == (alone is None) == (batched is None)
            if wanted is not None:
                np.testing.assert_allclose(alone, wanted, atol=1e-4)
                np.testing.assert_allclose(batched, wanted, atol=1e-4)
    assert (expected.scored(waveforms[0]).timing is not None) == (kind == "timed")


def test_a_model_that_is_too_large_for_a_file(
    exported: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.export.export.MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"its weights are 0\.\d GB, and an ONNX file holds 0; use the bundle"):
        export(exported["dnn"][0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_recognises_and_aligns_as_the_bundle(exported: dict[str, tuple[Path, Path]], demo_corpus: Path) -> None:
    file = str(next(demo_corpus.glob("test/**/*.flac")))
    bundle, out = (asr.load(path, device="cpu") for path in exported["dnn"])
    assert [each.phone for each in out.transcribe(file).phones] == [
        each.phone for each in bundle.transcribe(file).phones
    ]
    assert out.align(file, phones="dh ih s").symbols == bundle.align(file, phones="dh ih s").symbols
    assert out.posteriors(file).classes == bundle.posteriors(file).classes


def test_runs_without_torch(exported: dict[str, tuple[Path, Path]], demo_corpus: Path, tmp_path: Path) -> None:
    file = next(demo_corpus.glob("test/**/*.flac"))
    model, out = str(exported["dnn"][1]), tmp_path / "out"
    code = (
        "import sys\n"
        "for name in ('torch', 'torchaudio', 'lhotse', 'onnx', 'lightning_fabric'): sys.modules[name] = None\n"
        "import asr\n"
        f"recognizer = asr.load({model!r})\n"
        f"assert recognizer.transcribe({str(file)!r}).phones\n"
        "assert 'asr.alignment.aligner' not in sys.modules\n"  # only what is needed
        f"assert recognizer.align({str(file)!r}, phones='dh ih s').phones\n"
        "from asr.cli.main import main\n"
        f"for command in (['transcribe'], ['align', '--text', 'dh ih s']):\n"
        f"    sys.argv = ['asr', *command, {model!r}, {str(file)!r}, '-o', {str(out)!r} + '-' + command[0]]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as leaving:\n"
        "        assert not leaving.code\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for command in ("transcribe", "align"):
        assert list(Path(f"{out}-{command}").rglob("*.TextGrid"))


def test_the_graph_tells_nothing_of_the_machine_it_was_traced_on(exported: dict[str, tuple[Path, Path]]) -> None:
    content = (exported["dnn"][1] / "model.onnx").read_bytes()
    assert str(Path(asr.__file__).parent).encode() not in content
    assert b"site-packages" not in content


@pytest.mark.parametrize(("precision", "share", "tolerance"), [("fp16", 0.75, 0.02), ("int8", 0.6, 0.5)])
def test_smaller_precisions_are_near(
    exported: dict[str, tuple[Path, Path]],
    waveforms: list[np.ndarray],
    tmp_path: Path,
    precision: str,
    share: float,
    tolerance: float,
) -> None:
    bundle, whole = exported["dnn"]
    export(bundle, tmp_path / "small", precision)
    sizes = [(folder / "model.onnx").stat().st_size for folder in (tmp_path / "small", whole)]
    assert sizes[0] < share * sizes[1]
    small, full = (OnnxScorer(read_onnx_model(folder)) for folder in (tmp_path / "small", whole))
    difference = np.abs(small.log_posteriors(waveforms[0]) - full.log_posteriors(waveforms[0]))
    assert 0 < difference.max() < tolerance


def test_damage_is_one_clear_line(exported: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    for name, content, message in (
        ("model.onnx", b"x", r"model\.onnx: missing, or not the file that export\.json lists"),
        ("export.json", b'{"schema": 9}', r"export\.json: is not of schema 1"),
        ("export.json", json.dumps({"schema": 1, "files": {"model.onnx": "0"}}).encode(), r"export\.json: damaged"),
        ("recipe.yaml", b"model: {type: nothing}", "recipe.yaml"),
    ):
        folder = Path(shutil.copytree(exported["dnn"][1], tmp_path / "copy", dirs_exist_ok=True))
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            asr.load(folder)
        shutil.rmtree(folder)


def test_settings_that_the_graph_does_not_follow_are_named(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", DNN, {"dither": 1.0})
    with pytest.raises(InputError, match=r"features\.dither: 1\.0 cannot be exported"):
        export(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_a_language_model_is_refused(tmp_path: Path, asr_command: Command) -> None:
    bundle = make_bundle(tmp_path / "bundle", DNN, {})
    (bundle / "lm.arpa").unlink()
    (bundle / "decoding.yaml").unlink()
    outcome = asr_command("export", bundle, tmp_path / "out")
    assert outcome.status == 1
    assert "has no lm.arpa" in outcome.err


@pytest.mark.parametrize("option", [["--webgpu"], ["--lexicon", "none"], ["--runtime", "folder"]])
def test_options_of_the_page_need_it(option: list[str], tmp_path: Path, asr_command: Command) -> None:
    outcome = asr_command("export", "small", tmp_path / "out", *option)
    assert outcome.status == 1
    assert "are for the page; give --format web too" in outcome.err
    assert not (tmp_path / "out").exists()
