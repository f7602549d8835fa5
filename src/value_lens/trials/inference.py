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
    """Two-sided p-value of a mean difference of 0, were each item's sign a coin toss.

    All 2^n sign patterns of n items when they are no more than `n_resamples`, and then exact; else (1 + as extreme) / (1 + draws).
    """
    n_items = differences.shape[1]
    exact = 2**n_items <= n_resamples
    if exact:
        bits = torch.arange(2**n_items)[:, None] >> torch.arange(n_items) & 1
    else:
        bits = torch.randint(0, 2, (n_resamples, n_items), generator=generator)
    flipped = (differences @ (2 * bits - 1).to(differences.dtype).T).abs()
    extreme = (flipped >= differences.sum(1, keepdim=True).abs() - 1e-9).sum(1).double()
    return extreme / len(bits) if exact else (1 + extreme) / (1 + len(bits))


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
