"""What a GPU needs to be kept busy: few kernels, and no step that waits for a value of the device."""

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

log = logging.getLogger(__name__)

DEVICES = {"cuda"}
"""The types of devices that count as a GPU."""


def on_gpu(x: Tensor) -> bool:
    """Whether to launch as few kernels as possible, and to read nothing back, so that a step fits a CUDA graph."""
    return x.device.type in DEVICES


def repeatable_attention(x: Tensor) -> AbstractContextManager[None]:
    """With gradients on a GPU, attention from plain products: the fused kernels' gradients differ from run to run."""
    return sdpa_kernel(SDPBackend.MATH) if on_gpu(x) and torch.is_grad_enabled() else nullcontext()


def has_triton(x: Tensor) -> bool:
    """Whether x is on a GPU for which Triton compiles our own kernels."""
    return on_gpu(x) and triton_works(x.device)


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **settings: Any) -> None:
    """Starts a Triton kernel on the device of its first argument."""
    with torch.cuda.device_of(arguments[0]):
        kernel[grid](*arguments, **settings)


@cache
def triton_works(device: torch.device) -> bool:
    """Tries a small kernel: Triton comes with PyTorch on Linux alone, and needs a C compiler and Python's headers.
    Before Ampere, GPUs have neither TF32 nor bf16."""
    x = torch.ones(2, 2, device=device)
    figures = torch.zeros(3, 1, 2, device=device)
    try:
        if device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0):
            raise RuntimeError("the GPU is older than Ampere")
        from asr.models.kernels.triton_moments import partial_moments

        valid = torch.ones(2, dtype=torch.uint8, device=device)
        launch(partial_moments, (1, 1), x, valid, *figures, 2, share=32, dim=2, row_block=32, column_block=32)
    except Exception as error:  # whatever the import, the compiler or the driver raises
        reason = str(error).partition("\n")[0]
        log.warning(
            "Triton does not work (%s): recurrent layers and batch normalisation take their slower ways", reason
        )
        return False
    return True
