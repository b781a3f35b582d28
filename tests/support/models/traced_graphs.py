"""Graphs of bundles, each traced once: tracing is nearly all that an export costs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.commands.made_once import made_once

if TYPE_CHECKING:
    import onnx

    from asr.acoustics.bundle import Bundle


@contextmanager
def tracing_once(folder: Path) -> Iterator[None]:
    """Exporting a bundle reads the graph that an export of the same settings and weights traced, from the folder."""
    import onnx

    from asr.export import export

    trace = export.onnx_graph

    def traced(bundle: "Bundle") -> "onnx.ModelProto":
        made = made_once(folder / _digest(bundle), lambda new: onnx.save(trace(bundle), new / "model.onnx"))
        return onnx.load(made / "model.onnx")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "onnx_graph", traced)
        yield


def _digest(bundle: "Bundle") -> str:
    found = sha256()
    for each in (bundle, *bundle.ensemble):
        found.update(json.dumps(each.config.model_dump(mode="json")).encode())
        for statistics in (each.cmvn.overall().total(), each.cmvn.prior):
            if statistics is not None:
                found.update(statistics.mean.tobytes() + statistics.deviation.tobytes())
        for name, tensor in each.model.state_dict().items():
            found.update(name.encode() + str(tensor.dtype).encode() + tensor.cpu().numpy().tobytes())
    return found.hexdigest()
