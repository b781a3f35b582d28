"""Models on the Hugging Face Hub, checked against a stand-in on this machine."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands.asr_command import Command
from support.pages.hub_server import COMMIT, Hub, serving

from asr.errors import InputError
from asr.named_models.hub import hub_folder
from asr.named_models.model_folder import model_folder
from asr.storage.files import file_digest

constants = pytest.importorskip("huggingface_hub.constants")

NAME = "org/phones"


@pytest.fixture
def repository(tiny_run: Path, tmp_path: Path) -> Path:
    """A bundle as a repository, beside files that nobody asked for."""
    folder = Path(shutil.copytree(tiny_run / "decode" / "bundle", tmp_path / "repository"))
    (folder / "README.md").write_text("# phones\n")
    (folder / "setup.py").write_text("raise SystemExit\n")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    return folder


@pytest.fixture
def hub(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"gigabytes of another model")
    hub_folder.cache_clear()
    with serving({NAME: repository, "org/other": tmp_path / "weights"}) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace("https://huggingface.co", hub.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield hub
    hub_folder.cache_clear()


def message(model: str) -> str:
    with pytest.raises(InputError) as error:
        model_folder(model)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.mark.parametrize("model", [f"hf:{NAME}", f"hf:{NAME}@v1", f"hf:{NAME}@{COMMIT}"])
def test_the_files_of_a_bundle_and_no_others_are_downloaded(hub: Hub, repository: Path, model: str) -> None:
    folder = model_folder(Path(model))
    wanted = {path.name for path in repository.iterdir()} - {"setup.py", "pytorch_model.bin"}
    assert {path.name for path in folder.iterdir()} == wanted == hub.downloaded
    assert all(file_digest(folder / name) == file_digest(repository / name) for name in wanted)


def test_from_the_cache_without_a_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    online = model_folder(f"hf:{NAME}@v1")
    hub_folder.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.paths)
    assert model_folder(f"hf:{NAME}@v1") == online
    assert len(hub.paths) == asked
    assert "cannot be reached (no network, or HF_HUB_OFFLINE)" in message(f"hf:{NAME}@main")


def test_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached (no network, or HF_HUB_OFFLINE), and the cache does not have it" in message(f"hf:{NAME}")


def test_what_does_not_exist(hub: Hub) -> None:
    assert message("hf:org/nothing") == "hf:org/nothing: no such repository; a private one needs HF_TOKEN"
    assert message(f"hf:{NAME}@v9") == f"hf:{NAME}@v9: {NAME} has no revision v9"


def test_what_is_not_a_model_of_asr_is_not_downloaded(hub: Hub) -> None:
    assert "is not a model of asr: the repository has no bundle.json or export.json" in message("hf:org/other")
    assert hub.downloaded == set()


@pytest.mark.parametrize("model", ["hf:", "hf:phones", "hf:a/b/c", "hf:a/b@", "hf:../etc", "hf:a--b/c", "hf:a/b@x y"])
def test_another_form(model: str) -> None:
    assert message(model) == f"{model}: write it as hf:org/name or hf:org/name@revision"


def test_without_huggingface_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    hub_folder.cache_clear()
    assert message("hf:a/b") == 'hf:a/b: needs huggingface_hub: pip install "asr-phones[hf]"'


def test_a_changed_file_is_found(hub: Hub, repository: Path) -> None:
    from asr.recognizer import load

    (repository / "phones.txt").write_text("aa\n")
    with pytest.raises(InputError, match=r"phones\.txt: is not the file that bundle\.json lists"):
        load(f"hf:{NAME}", "cpu")


def test_by_the_environment_then_transcribe_offline(
    repository: Path, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asr_command: Command
) -> None:
    model, audio = f"hf:{NAME}@v1", next(tiny_corpus.rglob("*.flac"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with serving({NAME: repository}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        code = "from asr.named_models.model_folder import model_folder; import sys; model_folder(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, model], check=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    options = (str(audio), "--device", "cpu", "--out")
    command = [sys.executable, "-m", "asr", "transcribe", model, *options, str(tmp_path / "offline")]
    offline = subprocess.run(command, capture_output=True, text=True, check=True)
    assert offline.stdout == asr_command("transcribe", repository, *options, tmp_path / "here").out != ""
