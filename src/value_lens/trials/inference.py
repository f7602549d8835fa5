"""How sure is an effect? Paired bootstrap intervals, and sign-flip p-values corrected for many cells.

All work on per-item differences (edited minus clean, same items), so what varies between items cancels. Items of one cluster, such
as fillings of one frame, stand or fall together: whole clusters are resampled and flipped, so that many fillings prove no more
than their frames do.
"""

import functools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

EXACT = 12  # clusters up to which all 2^n assignments of signs are gone through
TIE = 1e-6  # sums closer than this are equal


def paired_interval(
    differences: Float[Tensor, "ablated item"],
    clusters: Int[Tensor, "item"],
    *,
    n_resamples: int,
    level: float,
    generator: torch.Generator,
    possible: tuple[float, float] = (-1.0, 1.0),
) -> Float[Tensor, "ablated bound"]:
    """Percentile bootstrap interval of the mean difference; whole clusters are resampled, together for every row (paired).

    clusters: which cluster each item belongs to. possible: the lowest and highest mean difference there can be. Where all n
    clusters agree a bootstrap has no width; then up to 1 - ((1 - level) / 2)^(1/n) of all clusters may be otherwise (Clopper and
    Pearson's bound for none seen), by as much as is possible. NaN where all items are of one cluster.
    """
    of = clusters.unique(return_inverse=True)[1]
    sums, sizes = _by_cluster(differences, of), torch.bincount(of)
    if len(sizes) < 2:
        return differences.new_full((len(differences), 2), torch.nan)
    draws = torch.randint(len(sizes), (n_resamples, len(sizes)), generator=generator)
    n_drawn = sizes[draws].sum(1)
    means = torch.stack([row[draws].sum(1) / n_drawn for row in sums])
    ends = torch.quantile(means, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=means.dtype), dim=1).T
    by_cluster, mean = sums / sizes, differences.mean(1, keepdim=True)
    unseen = 1 - ((1 - level) / 2) ** (1 / len(sizes))
    bound = mean + unseen * (torch.tensor([possible], dtype=mean.dtype) - mean)
    return torch.where((by_cluster.amax(1) - by_cluster.amin(1) < TIE)[:, None], bound, ends)


def sign_flip_p(
    blocks: Sequence[Float[Tensor, "ablated _"]],
    clusters: Sequence[Int[Tensor, "_"]],
    *,
    n_resamples: int,
    generator: torch.Generator,
) -> list[Float[Tensor, "ablated"]]:
    """Two-sided p-values of mean differences of 0, corrected for all rows of all blocks by the step-down minimum p-value.

    clusters: for each block, which cluster each of its items belongs to; a number means the same cluster in every block.

    Were the null true, each cluster's sign would be a coin toss, the same toss for every row and block it stands in (a frame in
    two languages). A row's own p-value is the share of tosses whose |mean| is as far from 0, counted exactly when no more than
    `EXACT` of its clusters moved. Corrected it is the share of draws in which the smallest own p-value, over this row and all that
    are no surer, is as small, and no less than that of any surer row. This is the minP correction of Westfall and Young (1993,
    algorithm 2.8): it keeps the family-wise error under dependence; neither a large effect nor a cell of few clusters hides
    another. With one row it is the plain sign-flip test. With m clusters that moved no p-value is below 2 / 2^m.
    """
    n_clusters = 1 + max((int(of.max()) for of in clusters), default=0)
    tosses = 2 * torch.randint(0, 2, (n_clusters, n_resamples), generator=generator, dtype=torch.int8) - 1
    found = [block.new_empty(len(block), dtype=torch.float64) for block in blocks]
    rows: list[tuple[float, int, int, Tensor]] = []  # own p, block, row, own p of every draw
    for place, (block, numbers) in enumerate(zip(blocks, clusters, strict=True)):
        present, of = numbers.unique(return_inverse=True)
        for number, sums in enumerate(_by_cluster(block.double(), of)):
            moved = sums.nonzero().flatten()
            own, drawn = _own_p(sums[moved], tosses[present[moved]])
            rows.append((own, place, number, drawn))
    corrected = step_down([own for own, *_ in rows], [drawn for *_, drawn in rows])
    for (_, place, number, _), p in zip(rows, corrected, strict=True):
        found[place][number] = p
    return found


def step_down(own: Sequence[float], drawn: Sequence[Float[Tensor, "resample"]]) -> list[float]:
    """Own p-values corrected for their number by the step-down minimum p-value; `drawn` has each one's own p of every draw."""
    order = sorted(range(len(own)), key=lambda place: own[place], reverse=True)
    smallest, counts = None, []
    for place in order:
        smallest = drawn[place] if smallest is None else torch.minimum(smallest, drawn[place])
        counts.append(int((smallest <= own[place] * (1 + TIE)).sum()))
    found, least = [0.0] * len(own), 0.0
    for place, count in zip(reversed(order), reversed(counts), strict=True):
        least = max(least, own[place], (1 + count) / (1 + len(drawn[place])))
        found[place] = least
    return found


def _own_p(sums: Float[Tensor, "cluster"], tosses: Tensor) -> tuple[float, Tensor]:
    """The plain sign-flip p-value of one row's sums by cluster, none of them 0, and what it is of every draw."""
    if not len(sums):
        return 1.0, torch.ones(tosses.shape[1])
    drawn, size = (sums @ tosses.double()).abs(), sums.sum().abs()
    exact = len(sums) <= EXACT
    reached = ((sums @ _all_signs(len(sums))).abs() if exact else drawn).sort().values
    own_is_one = 0 if exact else 1
    far = len(reached) - torch.searchsorted(reached, torch.cat([size[None], drawn]) - TIE)
    p = ((own_is_one + far).double() / (own_is_one + len(reached))).float()
    return float(p[0]), p[1:]


@functools.cache
def _all_signs(n: int) -> Float[Tensor, "cluster resample"]:
    """Every assignment of signs, the first one fixed: the others mirror these."""
    bits = torch.arange(2 ** (n - 1))[None] >> torch.arange(n)[:, None] & 1
    return 1 - 2 * bits.double()


def _by_cluster(differences: Float[Tensor, "ablated item"], of: Int[Tensor, "item"]) -> Float[Tensor, "ablated cluster"]:
    return differences.new_zeros((len(differences), 1 + int(of.max()))).index_add_(1, of, differences)
