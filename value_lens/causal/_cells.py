"""Intervals and p-values of an effect matrix, cell by cell; NaN where a cell was not measured."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float64
from torch import Tensor

from ._sign_flip import sign_flip_p

if TYPE_CHECKING:
    from ._matrix import SupportMatrix


def cell_intervals(
    matrix: "SupportMatrix", interval: Callable[[list[int]], Tensor]
) -> Float64[Tensor, "language value ablated bound"]:
    """`interval` of each measured cell's items, a row for every ablated value."""
    found = torch.full((*matrix.effect.shape, 2), torch.nan, dtype=torch.float64)
    for (l, v), (items, known) in matrix.measured.items():
        found[l, v, known] = interval(items)[known]
    return found


def cell_p(matrix: "SupportMatrix", differences: Float64[Tensor, "ablated item"]) -> Float64[Tensor, "language value ablated"]:
    """Sign-flip p-values of items' mean differences, corrected for all measured cells."""
    found = torch.full_like(matrix.effect, torch.nan)
    corrected = sign_flip_p(
        [differences[known][:, items] for items, known in matrix.measured.values()],
        [matrix.clusters[items] for items, _ in matrix.measured.values()],
        n_resamples=matrix.resampling.n,
        generator=torch.Generator().manual_seed(matrix.resampling.seed),
    )
    for ((l, v), (_, known)), p in zip(matrix.measured.items(), corrected, strict=True):
        found[l, v, known] = p
    return found
