"""Could an effect be chance? Sign-flip p-values of mean differences, corrected for many cells.

They work on per-item differences (edited minus clean, same items) of supports or of margins, so what varies between items cancels.
Items of one cluster, such as fillings of one frame, stand or fall together: whole clusters are flipped, so that many fillings prove
no more than their frames do.
"""

import functools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from .step_down import step_down

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
    `EXACT` of its clusters moved. Corrected it is the share of draws in which the smallest own p-value, over this row and all that
    are no surer, is as small, and no less than that of any surer row. This is the minP correction of Westfall and Young (1993,
    algorithm 2.8): it keeps the family-wise error under dependence; neither a large effect nor a cell of few clusters hides
    another. With one row it is the plain sign-flip test. With m clusters that moved no p-value is below 2 / 2^m.

    Of equal own p-values that one is surer whose clusters moved more alike: (sum of x)^2 / (n sum of x^2), which is 1 where all n
    moved by the same x. Margins move in every row, so that among hundreds of rows of 12 clusters some has one sign throughout in
    13% of draws, and no effect could ever be told from that by own p-values alone.
    """
    n_clusters = 1 + max((int(of.max()) for of in clusters), default=0)
    tosses = 2 * torch.randint(0, 2, (n_clusters, n_resamples), generator=generator, dtype=torch.int8) - 1
    found = [block.new_empty(len(block), dtype=torch.float64) for block in blocks]
    weight = 0.25 / max(2 ** (EXACT - 1), n_resamples)  # of alikeness: less than what own p-values differ by
    rows: list[tuple[int, int, float, Tensor]] = []  # block, row, own p; that and those of all draws, less for alikeness
    for place, (block, numbers) in enumerate(zip(blocks, clusters, strict=True)):
        present, of = numbers.unique(return_inverse=True)
        for number, sums in enumerate(_by_cluster(block.double(), of)):
            moved = (sums.abs() > TIE * sums.abs().max()).nonzero().flatten()
            own, alike = _own_p(sums[moved], tosses[present[moved]], len(present))
            rows.append((place, number, float(own[0]), own - weight * alike))
    corrected = step_down([float(sure[0]) for *_, sure in rows], [sure[1:] for *_, sure in rows])
    for (place, number, own, _), p in zip(rows, corrected, strict=True):
        found[place][number] = max(own, p)
    return found


def _own_p(sums: Float64[Tensor, "cluster"], tosses: Int[Tensor, "cluster resample"], n: int) -> tuple[Tensor, Tensor]:
    """The plain sign-flip p-value of one row's sums by cluster, then of every draw; and how alike all its n clusters moved."""
    if not len(sums):
        return torch.ones(1 + tosses.shape[1], dtype=torch.float64), torch.zeros(1 + tosses.shape[1], dtype=torch.float64)
    sizes = torch.cat([sums.sum()[None], sums @ tosses.double()]).abs()
    exact = len(sums) <= EXACT
    # What was seen is one of the draws: were it compared with the others alone, it would more often be the first than any of them.
    reached = ((sums @ _all_signs(len(sums))).abs() if exact else sizes).sort().values
    far = len(reached) - torch.searchsorted(reached, sizes - TIE * sums.abs().sum())
    return far.double() / len(reached), sizes**2 / (n * sums.square().sum())


@functools.cache
def _all_signs(n: int) -> Float[Tensor, "cluster resample"]:
    """Every assignment of signs, the first one fixed: the others mirror these."""
    bits = torch.arange(2 ** (n - 1))[None] >> torch.arange(n)[:, None] & 1
    return 1 - 2 * bits.double()


def _by_cluster(differences: Float[Tensor, "ablated item"], of: Int[Tensor, "item"]) -> Float[Tensor, "ablated cluster"]:
    return differences.new_zeros((len(differences), 1 + int(of.max()))).index_add_(1, of, differences)
