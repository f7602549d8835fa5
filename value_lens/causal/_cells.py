"""Intervals and p-values of an effect matrix, cell by cell; NaN where a cell was not measured."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from ..core import Resampling
from ._sign_flip import sign_flip_p

# {(language, value): its items, measured intervened values}
MeasuredCells = Mapping[tuple[int, int], tuple[list[int], list[int]]]


def cell_intervals(
    effect: Float64[Tensor, "language value intervened"], measured: MeasuredCells, interval: Callable[[list[int]], Tensor]
) -> Float64[Tensor, "language value intervened bound"]:
    """`interval` of each measured cell's items, a row for every intervened value."""
    bounds = torch.full((*effect.shape, 2), torch.nan, dtype=torch.float64)
    for (l, v), (items, columns) in measured.items():
        bounds[l, v, columns] = interval(items)[columns]
    return bounds


def cell_p(
    effect: Float64[Tensor, "language value intervened"],
    measured: MeasuredCells,
    differences: Float64[Tensor, "intervened item"],
    clusters: Int64[Tensor, "item"],
    resampling: Resampling,
) -> Float64[Tensor, "language value intervened"]:
    """Sign-flip p-values of items' mean differences, corrected for all measured cells."""
    p = torch.full_like(effect, torch.nan)
    corrected = sign_flip_p(
        [differences[columns][:, items] for items, columns in measured.values()],
        [clusters[items] for items, _ in measured.values()],
        n_resamples=resampling.n,
        generator=torch.Generator().manual_seed(resampling.seed),
    )
    for ((l, v), (_, columns)), own in zip(measured.items(), corrected, strict=True):
        p[l, v, columns] = own
    return p
