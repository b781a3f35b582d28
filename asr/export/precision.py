"""Smaller graphs: weights in half precision or in 8 bits, and a Fourier transform whose matrices are not stored."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from asr.export.quiet import quiet

Precision = Literal["fp32", "fp16", "int8"]

SMALLEST = 1024
"""Numbers; arrays of fewer stay as they are."""
QUANTIZED = ("MatMul", "Gemm", "LSTM")
"""Operators whose products onnxruntime computes in 8 bits. The weights of others are stored in 8 bits and computed with
in single precision."""


def shrink(model: onnx.ModelProto, precision: Precision) -> onnx.ModelProto:
    """A single-precision graph with its weights in another precision."""
    if precision == "int8":
        model = _with_integer_products(model)
        _replace_weights(model, _integers)
    elif precision == "fp16":
        _replace_weights(model, _halves)
    return model


def compact_fourier(model: onnx.ModelProto, size: int) -> None:
    """Replaces the matrices `cosines` and `sines` of a transform of `size` samples by a table of `size` cosines, from
    which they are gathered when the graph is loaded."""
    matrices = {each.name.rpartition(".")[2]: each for each in model.graph.initializer}
    rows, columns = matrices["cosines"].dims
    constants = {
        "fourier_table": np.cos(2 * np.pi / size * np.arange(size)),
        "fourier_rows": np.arange(rows)[:, None],
        "fourier_columns": np.arange(columns)[None],
        "fourier_size": np.array(size),
        "fourier_quarter": np.array(3 * size // 4),  # sin(x) = cos(x + 3/4 turn)
    }
    turned = [
        helper.make_node("Mul", ["fourier_rows", "fourier_columns"], ["fourier_product"]),
        helper.make_node("Add", ["fourier_product", "fourier_quarter"], ["fourier_turned"]),
        helper.make_node("Mod", ["fourier_product", "fourier_size"], ["fourier_cosine_index"]),
        helper.make_node("Mod", ["fourier_turned", "fourier_size"], ["fourier_sine_index"]),
        helper.make_node("Gather", ["fourier_table", "fourier_cosine_index"], [matrices["cosines"].name]),
        helper.make_node("Gather", ["fourier_table", "fourier_sine_index"], [matrices["sines"].name]),
    ]
    _remove(model, {matrices["cosines"].name, matrices["sines"].name})
    model.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants.items())
    _prepend(model, turned)


def forget_origin(part: Any) -> None:
    """Clears what the exporter notes of each part of a model: the lines of code, in files with their paths, that it
    comes from."""
    for name in {"metadata_props", "doc_string"} & {*part.DESCRIPTOR.fields_by_name}:
        part.ClearField(name)
    for field, value in part.ListFields():
        if field.message_type is not None:
            for each in [value] if hasattr(value, "ListFields") else value:
                forget_origin(each)


def _with_integer_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with 8-bit products in the network; those of the front end, in double precision, stay."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    weights = {each.name for each in _large(model)}
    exact = [node.name for node in model.graph.node if node.op_type in QUANTIZED and not weights & set(node.input)]
    with TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=list(QUANTIZED),
            nodes_to_exclude=exact,
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def _replace_weights(model: onnx.ModelProto, stored: Any) -> None:
    nodes, arrays = [], []
    for weight in _large(model):
        node, new = stored(weight.name, numpy_helper.to_array(weight))
        nodes.append(node)
        arrays += new
    _remove(model, {weight.name for weight in _large(model)})
    model.graph.initializer.extend(arrays)
    _prepend(model, nodes)


def _halves(name: str, values: npt.NDArray[np.float32]) -> tuple[onnx.NodeProto, list[TensorProto]]:
    stored = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
    return helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT), [stored]


def _integers(name: str, values: npt.NDArray[np.float32]) -> tuple[onnx.NodeProto, list[TensorProto]]:
    """One scale for each index of the first axis that has several: an output channel, or a gate's unit."""
    axis = next((number for number, size in enumerate(values.shape) if size > 1), 0)
    others = tuple(number for number in range(values.ndim) if number != axis)
    largest = np.maximum(np.abs(values).max(axis=others, keepdims=True), np.finfo(np.float32).tiny)
    scales = (largest / 127).astype(np.float32)
    stored = numpy_helper.from_array(np.round(values / scales).astype(np.int8), f"{name}_int8")
    scale = numpy_helper.from_array(scales.reshape(-1), f"{name}_scale")
    return helper.make_node("DequantizeLinear", [stored.name, scale.name], [name], axis=axis), [stored, scale]


def _large(model: onnx.ModelProto) -> Iterator[TensorProto]:
    for each in list(model.graph.initializer):
        if each.data_type == TensorProto.FLOAT and np.prod(each.dims) >= SMALLEST and len(each.dims) > 1:
            yield each


def _remove(model: onnx.ModelProto, names: set[str]) -> None:
    kept = [each for each in model.graph.initializer if each.name not in names]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _prepend(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    following = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *following])
