"""How sure is an effect? Paired bootstrap intervals, and sign-flip p-values corrected for many cells.

All work on per-item differences (edited minus clean, same items), so what varies between items cancels.
"""

from collections.abc import Sequence

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor


def paired_interval(
    differences: Float[Tensor, "ablated item"], *, n_resamples: int, level: float, generator: torch.Generator
) -> Float[Tensor, "ablated bound"]:
    """Percentile bootstrap interval of the mean difference; items are resampled together for every row (paired)."""
    n_items = differences.shape[1]
    draws = torch.randint(n_items, (n_resamples, n_items), generator=generator)
    means = torch.stack([reduce(row[draws], "resample item -> resample", "mean") for row in differences])
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=means.dtype)
    return torch.quantile(means, ends, dim=1).T


def sign_flip_p(
    blocks: Sequence[Float[Tensor, "ablated _"]], *, n_resamples: int, generator: torch.Generator
) -> list[Float[Tensor, "ablated"]]:
    """Two-sided p-values of mean differences of 0, corrected for all rows of all blocks by the maximum statistic.

    Were the null true, each item's sign would be a coin toss, the same toss for every row of its block. A row's p-value is
    (1 + draws whose largest |mean| over all rows of all blocks is as far from 0) / (1 + draws): with one row the plain
    sign-flip test, with many the single-step correction of Westfall and Young (1993), which keeps the family-wise error under
    dependence and, unlike a multiple of the plain p-value, is not bounded by the number of draws times the number of cells.
    """
    largest = torch.zeros(n_resamples, dtype=torch.float64)
    for block in blocks:
        n_items = block.shape[1]
        signs = 2 * torch.randint(0, 2, (n_items, n_resamples), generator=generator).double() - 1
        largest = torch.maximum(largest, (block.double() @ signs).abs().amax(0) / n_items)
    ordered = largest.sort().values
    seen = [block.double().mean(1).abs() - 1e-9 for block in blocks]
    return [(1 + n_resamples - torch.searchsorted(ordered, size)).double() / (1 + n_resamples) for size in seen]
