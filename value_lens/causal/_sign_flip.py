"""Sign-flip p-values of mean differences, corrected for the number of cells.

They work on per-item differences (edited minus clean, same items) of supports or of margins, so what varies between items cancels.
Items of one cluster, such as fillings of one frame, stand or fall together: whole clusters are flipped, so that many fillings prove
no more than their frames do.
"""

import functools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ._step_down import step_down

EXACT = 12  # clusters up to which all 2^n assignments of signs are gone through
TIE = 1e-9  # sums closer than this share of all that moved are equal: rates have true ties, and margins ties but for rounding


def sign_flip_p(
    blocks: Sequence[Float[Tensor, "_ _"]],
    clusters: Sequence[Int[Tensor, "_"]],
    *,
    n_resamples: int,
    generator: torch.Generator,
) -> list[Float[Tensor, "_"]]:
    """Two-sided p-values of mean differences of 0, corrected for all rows of all blocks by the step-down minimum p-value.

    Differences may be of supports or of margins, in any unit. clusters: for each block, which cluster each of its items belongs to;
    a number means the same cluster in every block.

    Were the null true, each cluster's sign would be a coin toss, the same toss for every row and block it stands in (a frame in
    two languages). A row's own p-value is the share of tosses whose |mean| is as far from 0, counted exactly when no more than
    `EXACT` of its clusters moved. How sure a row is, is the larger of that and of the share of all rows' draws with as large a mean,
    in units of its block's standard error were nothing there (root mean square of the clusters of all rows, over the root of their
    number). Corrected p-values are the share of draws in which the surest, of this row and all that are no surer, is as sure, no
    less than that of any surer row, and no less than the own one. This is the minP correction of Westfall and Young (1993, algorithm
    2.8): it keeps the family-wise error under dependence; neither a large effect nor a cell of few clusters hides another.

    With one row it is the plain sign-flip test. With m clusters that moved no p-value is below 2 / 2^m. Why own p-values alone do not
    say how sure a row is: margins move, a little, under every edit, and of 144 rows of 12 clusters some has one sign throughout
    in 7% of draws, however little it moved, so that no effect could be told from chance.
    """
    n_clusters = 1 + max((int(numbers.max()) for numbers in clusters), default=0)
    tosses = 2 * torch.randint(0, 2, (n_clusters, n_resamples), generator=generator, dtype=torch.int8) - 1
    own: list[Tensor] = []
    sizes: list[Tensor] = []
    for block, numbers in zip(blocks, clusters, strict=True):
        present, inverse = numbers.unique(return_inverse=True)
        sums = _by_cluster(block.double(), inverse)
        unit = (sums.square().mean() * len(present)).sqrt().clamp(min=torch.finfo(torch.float64).tiny)
        for row in sums:
            nonzero = (row.abs() > TIE * row.abs().max()).nonzero().flatten()
            size, p = _own_p(row[nonzero], tosses[present[nonzero]])
            own.append(p)
            sizes.append(size / unit)
    if not own:
        return [block.new_empty(0, dtype=torch.float64) for block in blocks]
    sure = torch.maximum(torch.stack(own), _share_as_large(torch.stack(sizes)))
    corrected = step_down(sure[:, 0].tolist(), list(sure[:, 1:]), [float(p[0]) for p in own])
    return list(torch.tensor(corrected, dtype=torch.float64).split([len(block) for block in blocks]))


def _own_p(sums: Float64[Tensor, "cluster"], tosses: Int[Tensor, "cluster resample"]) -> tuple[Tensor, Tensor]:
    """|sum| of one row's sums by cluster, none of them 0, then of every draw; and the plain sign-flip p-value of each."""
    if not len(sums):
        return torch.zeros(1 + tosses.shape[1], dtype=torch.float64), torch.ones(1 + tosses.shape[1], dtype=torch.float64)
    sizes = torch.cat([sums.sum()[None], sums @ tosses.double()]).abs()
    # What was seen is one of the draws: were it compared with the others alone, it would more often be the first than any of them.
    pool = ((sums @ _all_signs(len(sums))).abs() if len(sums) <= EXACT else sizes).sort().values
    far = len(pool) - torch.searchsorted(pool, sizes - TIE * sums.abs().sum())
    return sizes, far.double() / len(pool)


def _share_as_large(sizes: Float64[Tensor, "cell resample"]) -> Float64[Tensor, "cell resample"]:
    """Of each, the share of all that are as large but for rounding."""
    every, order = sizes.flatten().sort()
    before = torch.searchsorted(every, every * (1 - TIE))  # in order, which is much faster
    return (1 - torch.empty_like(every).scatter_(0, order, before.double()) / len(every)).reshape(sizes.shape)


@functools.cache
def _all_signs(n: int) -> Float[Tensor, "cluster resample"]:
    """Every assignment of signs, the first one fixed: the others mirror these."""
    bits = torch.arange(2 ** (n - 1))[None] >> torch.arange(n)[:, None] & 1
    return 1 - 2 * bits.double()


def _by_cluster(
    differences: Float[Tensor, "intervened item"], clusters: Int[Tensor, "item"]
) -> Float[Tensor, "intervened cluster"]:
    return differences.new_zeros((len(differences), 1 + int(clusters.max()))).index_add_(1, clusters, differences)
