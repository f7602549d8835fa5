"""How sure is an effect? Paired bootstrap intervals, sign-flip p-values, and a correction for many cells.

All work on per-item differences (edited minus clean, same items), so what varies between items cancels.
"""

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
    differences: Float[Tensor, "ablated item"], *, n_resamples: int, generator: torch.Generator
) -> Float[Tensor, "ablated"]:
    """Two-sided p-value of a mean difference of 0, were each item's sign a coin toss; (1 + as extreme) / (1 + draws)."""
    signs = torch.randint(0, 2, (n_resamples, differences.shape[1]), generator=generator).to(differences.dtype) * 2 - 1
    flipped = (differences @ signs.T).abs()
    extreme = flipped >= differences.sum(1, keepdim=True).abs() - 1e-9
    return (1 + extreme.sum(1)).double() / (1 + n_resamples)


def holm(p: Float[Tensor, "*cell"]) -> Float[Tensor, "*cell"]:
    """Holm's step-down correction over all cells that are not NaN; NaN stays NaN.

    >>> holm(torch.tensor([0.01, 0.04, 0.03])).tolist()
    [0.029999999329447746, 0.05999999865889549, 0.05999999865889549]
    """
    flat = p.flatten()
    tested = ~torch.isnan(flat)
    found = flat[tested]
    order = torch.argsort(found, stable=True)
    factors = torch.arange(len(found), 0, -1, dtype=found.dtype)
    stepped = torch.cummax(found[order] * factors, dim=0).values.clamp_max(1) if len(found) else found
    corrected = torch.empty_like(found)
    corrected[order] = stepped
    result = flat.clone()
    result[tested] = corrected
    return result.reshape(p.shape)
