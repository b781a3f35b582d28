"""A device is what the user named, or one line that says what there is."""

import pytest
import torch

from asr.device import choose_device, describe_device, single_precision, use_tf32
from asr.errors import InputError


def test_auto_is_a_device_of_this_machine() -> None:
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(("threads", "said"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
def test_cpu_says_its_threads(monkeypatch: pytest.MonkeyPatch, threads: int, said: str) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert describe_device(choose_device("cpu")) == said


@pytest.mark.parametrize("name", ["", "gpu", "CPU", "mps", "cuda:", "cuda:-1", "cuda:x", "cpu:1", "cuda:1 ", "cuda:²"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="use auto, cpu, cuda or cuda:N"):
        choose_device(name)


@pytest.mark.parametrize("number", [64, 127, 128, 256, 999, 10**12])
def test_a_gpu_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(InputError, match=r"this machine has \d+ CUDA devices; use cpu"):
        choose_device(f"cuda:{number}")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_of_several_processes_has_its_own_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert choose_device(name) == torch.device("cuda")
    for variable, number in {"RANK": "7", "WORLD_SIZE": "8", "LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(variable, number)
    assert choose_device(name) == torch.device("cuda", 3)
    monkeypatch.setenv("LOCAL_RANK", "4")
    with pytest.raises(InputError, match="has 4 CUDA devices"):
        choose_device(name)
    assert choose_device("cpu") == torch.device("cpu")


def test_without_a_gpu_cuda_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(InputError, match="this machine has 0 CUDA devices"):
        choose_device("cuda")


def rounds_to_tf32() -> list[bool]:
    """In matrix products, convolutions and recurrent layers; and in products by the name that Lightning reads."""
    kinds = torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn
    return [*(kind.fp32_precision == "tf32" for kind in kinds), torch.get_float32_matmul_precision() == "high"]


@pytest.mark.usefixtures("tf32")
def test_single_precision_holds_for_products_of_all_kinds_and_is_left_again() -> None:
    assert rounds_to_tf32() == [True] * 4
    with single_precision():
        assert rounds_to_tf32() == [False] * 4
    assert rounds_to_tf32() == [True] * 4
    use_tf32(False)
    assert rounds_to_tf32() == [False] * 4


@pytest.mark.usefixtures("tf32")
def test_single_precision_holds_until_the_last_thread_has_left_it() -> None:
    first, last = single_precision(), single_precision()
    with first:
        last.__enter__()
    assert rounds_to_tf32() == [False] * 4
    last.__exit__(None, None, None)
    assert rounds_to_tf32() == [True] * 4


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.usefixtures("tf32")
def test_recurrent_layers_on_cuda_follow_the_precision() -> None:
    layer, x = torch.nn.GRU(512, 512), torch.randn(50, 8, 512)  # cuDNN rounds nothing for a small one
    expected = layer(x)[0]
    layer, x = layer.cuda(), x.cuda()
    rounded = (layer(x)[0].cpu() - expected).abs().max()
    with single_precision():
        exact = (layer(x)[0].cpu() - expected).abs().max()
    assert exact < 1e-5 < rounded


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_is_named() -> None:
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cuda:0").index == 0
    assert describe_device(choose_device("cuda")) == torch.cuda.get_device_name(0)
