"""Runs without `torch.autocast`, with a warning where it was on."""

import warnings
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def run_without_autocast(device: torch.device, function: Callable[[], T]) -> T:
    """`function()` with nothing cast. Warns where something would have been: counts of one model in two dtypes must not be mixed."""
    if not torch.is_autocast_enabled(device.type):
        return function()
    dtype = str(torch.get_autocast_dtype(device.type)).removeprefix("torch.")
    warnings.warn(
        f"torch.autocast to {dtype} is in force around this run; it is left out here, so that results are those of the weights' own "
        f"dtype. To have them in {dtype}, load the model so: load_model(..., Loading(dtype={dtype!r}))",
        stacklevel=3,
    )
    try:
        try:
            torch.set_autocast_enabled(device.type, False)
            return function()
        finally:
            torch.set_autocast_enabled(device.type, True)
    finally:
        torch.set_autocast_enabled(device.type, True)  # where an interrupt came before the line above
