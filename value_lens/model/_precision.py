"""Where float64 can be kept: on the device if it has it, else on the CPU."""

import functools

import torch
from jaxtyping import Float, Float64
from torch import Tensor


@functools.cache
def has_float64(device: torch.device) -> bool:
    """Whether the device can hold float64 and reckon in it: tried, since there are others than those with a name here."""
    try:
        torch.zeros(1, dtype=torch.float64, device=device).add_(1)
    except (TypeError, RuntimeError):
        return False
    return True


def to_float64(numbers: Float[Tensor, "..."]) -> Float64[Tensor, "..."]:
    """The same numbers in float64: on their device, or on the CPU where that has none."""
    return numbers.to(torch.float64) if has_float64(numbers.device) else numbers.cpu().to(torch.float64)
