"""A bundle as one graph, from samples to log posteriors."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asr.acoustics.bundle import Bundle
from asr.acoustics.onnx_model import OUTPUTS, TIMING_OUTPUTS
from asr.errors import InputError
from asr.export.cells import with_onnx_cells
from asr.export.front_end import front_end_graph
from asr.export.normalization import NormalizationGraph, check_supported
from asr.export.quiet import quiet
from asr.models import AcousticModel

if TYPE_CHECKING:
    import onnx

OPSET = 20
EXAMPLE_SECONDS = 1.0


class BundleGraph(nn.Module):
    """Front end, normalisation and acoustic models of a bundle; for an ensemble the mean of the posteriors."""

    def __init__(self, bundle: Bundle) -> None:
        """Raises InputError for settings that the graph does not follow."""
        super().__init__()
        config = bundle.config
        check_supported(config.features)
        if bundle.ensemble and config.decoding.search == "prefix_beam":
            raise InputError("an ensemble with decoding.search: prefix_beam cannot be exported; use search: graph")
        self.front_end = front_end_graph(config.features)
        self.normalization = NormalizationGraph(config.features, bundle.cmvn)
        self.models = nn.ModuleList(with_onnx_cells(each.model.cpu()) for each in (bundle, *bundle.ensemble))

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Waveforms [B, S] in [-1, 1] of `lengths` [B] samples -> log posteriors [B, T', C] and their frames [B], and
        those of the second output if there is one."""
        static, frames = self.front_end(waveforms, lengths)
        features = self.normalization(static, frames)
        first, *others = self.models
        assert isinstance(first, AcousticModel)
        scored = first(features, frames) if first.timing is None else first.forward_timed(features, frames)
        logits, output_frames, *timing = scored
        posteriors = [each.log_softmax(dim=-1) for each in (logits, *(model(features, frames)[0] for model in others))]
        combined = posteriors[0]
        if others:
            combined = torch.stack(posteriors).logsumexp(dim=0) - math.log(len(posteriors))
        return combined, output_frames, *(part for each in timing for part in (each.log_softmax(dim=-1), frames))


def onnx_graph(bundle: Bundle) -> "onnx.ModelProto":
    """The graph of a bundle as ONNX, in single precision.

    Raises InputError for settings or a model that cannot be exported, and where the exporter is not installed.
    """
    samples = round(EXAMPLE_SECONDS * bundle.config.features.sample_rate)
    example = torch.zeros(3, samples), torch.tensor([samples, samples // 2, samples - 7])
    shapes = ({0: "batch", 1: "samples"}, {0: "batch"})
    graph = BundleGraph(bundle).eval()
    try:
        with torch.no_grad(), quiet():
            program = torch.onnx.export(
                graph,
                example,
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=["waveforms", "lengths"],
                output_names=[*OUTPUTS, *([] if bundle.timing is None else TIMING_OUTPUTS)],
                opset_version=OPSET,
                verbose=False,
            )
    except ModuleNotFoundError as error:
        raise InputError('asr export needs the ONNX exporter: pip install "asr-phones[export]"') from error
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model
