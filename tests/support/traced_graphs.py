"""Graphs of bundles, each traced once: tracing is nearly all that an export costs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import onnx

    from asr.acoustics.bundle import Bundle

_TRACED: dict[str, "onnx.ModelProto"] = {}


@contextmanager
def tracing_once() -> Iterator[None]:
    """Exporting a bundle takes a copy of the graph that an export of the same settings and weights traced."""
    from asr.export import export

    trace = export.onnx_graph

    def traced(bundle: "Bundle") -> "onnx.ModelProto":
        key = _digest(bundle)
        if key not in _TRACED:
            _TRACED[key] = trace(bundle)
        copy = type(_TRACED[key])()
        copy.CopyFrom(_TRACED[key])
        return copy

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
