"""Does somebody's `torch.autocast` change what a model computes? Not in our runs: a result is of the weights' own dtype."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_autocast(device: torch.device) -> Iterator[None]:
    """Within it nothing is cast. Warns where something would have been: counts of one model in two dtypes must not be mixed."""
    if not torch.is_autocast_enabled(device.type):
        yield
        return
    dtype = str(torch.get_autocast_dtype(device.type)).removeprefix("torch.")
    warnings.warn(
        f"torch.autocast to {dtype} is in force around this run; it is left out here, so that results are those of the weights' own "
        f"dtype. To have them in {dtype}, load the model so: load_model(..., dtype=torch.{dtype})",
        stacklevel=3,
    )
    with torch.autocast(device.type, enabled=False):
        yield
