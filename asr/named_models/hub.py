"""Models on the Hugging Face Hub: `hf:org/name@revision`, downloaded into its cache and used from there when offline.

Only the files of a bundle or an exported model are downloaded, and they hold no code. Needs the extra `hf`. The
environment variables of huggingface_hub apply: HF_HOME (the cache), HF_HUB_OFFLINE, HF_TOKEN (private repositories) and
HF_ENDPOINT.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import InputError
from asr.storage.run_layout import BUNDLE_FILES, BUNDLE_MANIFEST, CARD_FACTS, ENSEMBLE, ONNX_MANIFEST, ONNX_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "hf:"
MANIFESTS = (BUNDLE_MANIFEST, ONNX_MANIFEST)
FILES = (*BUNDLE_FILES, ONNX_MANIFEST, ONNX_MODEL, CARD_FACTS, "README.md", "LICENSE")
"""All that is downloaded, for a bundle also of the models of its ensemble."""

_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)


@cache
def hub_folder(model: str) -> Path:
    """The folder in the cache with the model `hf:org/name` or `hf:org/name@revision`; one commit for this process.

    A revision is a branch, a tag or a commit; main where there is none. Raises InputError for another form, where
    huggingface_hub is not installed, for a repository or revision that does not exist or is no model of asr, and where
    there is no network and the cache does not have it.
    """
    found = _NAME.fullmatch(model.removeprefix(PREFIX))
    if found is None:
        raise _misspelled(model)
    repository, revision = found["repository"], found["revision"]
    # The manifest first: a repository of something else may have gigabytes of weights.
    folder = _download(model, repository, revision, MANIFESTS)
    if not any((folder / name).is_file() for name in MANIFESTS):
        names = " or ".join(MANIFESTS)
        raise InputError(f"{model}: is not a model of asr: the repository has no {names} at its top")
    return _download(model, repository, folder.name, [*FILES, *(f"{ENSEMBLE}/*/{name}" for name in FILES)])


def _download(model: str, repository: str, revision: str | None, patterns: "Sequence[str]") -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            GatedRepoError,
            HFValidationError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ModuleNotFoundError as error:
        raise InputError(f'{model}: needs huggingface_hub: pip install "asr-phones[hf]"') from error
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(patterns)))
    except HFValidationError as error:
        raise _misspelled(model) from error
    except RevisionNotFoundError as error:
        raise InputError(f"{model}: {repository} has no revision {revision}") from error
    except GatedRepoError as error:
        message = f"{model}: needs the consent of its owner; ask for it on its page, then give HF_TOKEN"
        raise InputError(message) from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{model}: no such repository; a private one needs HF_TOKEN") from error
    except LocalEntryNotFoundError as error:
        where = "the Hugging Face Hub cannot be reached (no network, or HF_HUB_OFFLINE)"
        raise InputError(
            f"{model}: {where}, and the cache does not have it; download it once with a network"
        ) from error
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{model}: cannot be downloaded ({reason}); try again") from error


def _misspelled(model: str) -> InputError:
    return InputError(f"{model}: write it as hf:org/name or hf:org/name@revision")
