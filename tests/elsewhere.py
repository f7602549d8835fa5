"""What is a device without float64? Tensors that claim to be on another one, are reckoned with on the CPU, and are never float64.

As on Apple's MPS, such a number there is a TypeError, and so is a sum of tensors of two devices a RuntimeError.
"""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")  # the only other one that every PyTorch knows; nothing here is without numbers
BETWEEN = ("copy_", "_to_copy", "index", "index_put_")  # operations that may be given tensors of both


class Elsewhere(torch.Tensor):
    """A tensor on the pretended device; `kept` has its numbers."""

    @staticmethod
    def __new__(cls, kept: torch.Tensor) -> "Elsewhere":
        layout: dict[str, Any] = {"strides": kept.stride(), "storage_offset": kept.storage_offset()}
        return torch.Tensor._make_wrapper_subclass(cls, kept.shape, dtype=kept.dtype, device=DEVICE, **layout)  # type: ignore[attr-defined]

    def __init__(self, kept: torch.Tensor) -> None:
        self.kept = kept

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, dict(kwargs or {}))


class WithoutFloat64(TorchDispatchMode):
    """Within it the device exists: tensors are made there and moved there and back."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, dict(kwargs or {}))


class Literals(TorchFunctionMode):
    """`torch.tensor([...], device=...)`, which no dispatcher sees."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.tensor and kwargs.get("device") == DEVICE:
            return put(torch.tensor(*args, **{**kwargs, "device": "cpu"}))
        return func(*args, **kwargs)


def put(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the CPU, moved to the device."""
    if tensor.dtype == torch.float64:
        raise TypeError("Cannot convert a tensor to float64 dtype as the device doesn't support float64")
    return Elsewhere(tensor)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = func.__name__.split(".")[0]
    tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, torch.Tensor)]
    there = any(isinstance(each, Elsewhere) for each in tensors)
    if there and name not in BETWEEN and any(each.ndim and not isinstance(each, Elsewhere) for each in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {name} was given some of two")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == DEVICE.type
        kwargs["device"] = torch.device("cpu")
    found = func(*tree_map(_numbers, args), **tree_map(_numbers, kwargs))
    if kwargs.get("out") is not None:
        return kwargs["out"]
    if name.endswith("_") and not name.startswith("_"):  # in place
        return args[0]
    return tree_map(lambda each: put(each) if isinstance(each, torch.Tensor) else each, found) if there else found


def _numbers(given: Any) -> Any:
    return given.kept if isinstance(given, Elsewhere) else given
