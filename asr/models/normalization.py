"""Normalisation, the same in every model. Padding never counts."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from asr.config import Normalization
from asr.models.kernels.fused_batch_norm import fused_batch_norm
from asr.models.kernels.gpu import has_triton, on_gpu
from asr.models.kernels.standardize import Total, alone, standardize


def make_normalization(name: Normalization, width: int) -> "BatchNorm | LayerNorm | NoNorm":
    """Makes a module whose `forward(x [..., width], valid [...])` normalises frames of `width` values."""
    return {"batch": BatchNorm, "layer": LayerNorm, "none": NoNorm}[name](width)


class MapNormalization(nn.Module):
    """Normalises maps [B, M, T, F]: `batch` each map over the bins of all frames, `layer` each frame over its maps and
    bins."""

    def __init__(self, name: Normalization, maps: int, bins: int) -> None:
        super().__init__()
        self.normalization = make_normalization(name, maps * bins if name == "layer" else maps)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Takes maps x [B, M, T, F] and which of their frames count, valid [B, T] (None: all)."""
        match self.normalization:
            case BatchNorm() as norm if on_gpu(x) and (not norm.training or (valid is None and norm.is_alone)):
                return norm.of_all(x)
            case BatchNorm():
                counted = None if valid is None else valid[:, :, None].expand(-1, -1, x.shape[3])
                return self.normalization(x.permute(0, 2, 3, 1), counted).permute(0, 3, 1, 2)
            case LayerNorm():
                frames = x.transpose(1, 2)
                return self.normalization(frames.flatten(2)).view(frames.shape).transpose(1, 2)
            case NoNorm():
                return x
            case _:
                raise AssertionError(self.normalization)


class NoNorm(nn.Module):
    """Returns its input."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        return x


class LayerNorm(nn.LayerNorm):
    """Each frame to mean 0 and variance 1 over its own values (Ba et al. 2016)."""

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        return super().forward(x)


class BatchNorm(nn.Module):
    """Each column to mean 0 and variance 1 over the valid frames of the batch (Ioffe & Szegedy 2015).

    Running means and (unbiased) variances [width] are updated with `momentum`. They replace the batch's outside
    training, and for a batch of fewer than two frames, which has no variance and does not update them. Where several
    processes share a batch, `total` sums over them.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.total: Total = alone
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    @property
    def is_alone(self) -> bool:
        """Whether no other process shares the batches."""
        return self.total is alone

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Takes x [..., D] and which of its frames count, valid [...] (None: all); returns x's shape and precision."""
        if self.training and on_gpu(x) and self.is_alone:
            if valid is None:
                return self.of_all(x.reshape(-1, x.shape[-1])).view(x.shape)
            if has_triton(x):
                return self._fused(x, valid)
        frames = x.reshape(-1, x.shape[-1]).to(self.weight.dtype)
        if not self.training:
            return self.of_all(frames).view(x.shape).to(x.dtype)
        counted = frames.new_ones(len(frames)) if valid is None else valid.reshape(-1).to(frames.dtype)
        statistics = self.running_mean, self.running_var
        normed, mean, var, count = standardize(frames, counted, *statistics, self.eps, self.total)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * torch.where(count < 2, 1.0, count / (count - 1)), self.momentum)
        return torch.addcmul(self.bias, normed, self.weight).view(x.shape).to(x.dtype)

    def of_all(self, x: Tensor) -> Tensor:
        """Normalises x [N, D, ...], of which everything counts, as `forward` does, by the library's kernel."""
        batch = self.training and x.numel() >= 2 * x.shape[1]
        statistics = self.running_mean, self.running_var
        return functional.batch_norm(x, *statistics, self.weight, self.bias, batch, self.momentum, self.eps)

    def _fused(self, x: Tensor, valid: Tensor) -> Tensor:
        rows, counted = x.reshape(-1, x.shape[-1]), valid.reshape(-1)
        parameters = self.weight, self.bias, self.running_mean, self.running_var
        return fused_batch_norm(rows, counted, *parameters, self.momentum, self.eps).view(x.shape)


def share_batches(model: nn.Module, total: Total) -> None:
    """Batch normalisation over the frames of all processes that share each batch."""
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.total = total
