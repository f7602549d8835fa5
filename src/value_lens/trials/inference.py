"""How sure is an effect? Paired bootstrap intervals, and sign-flip p-values corrected for many cells.

All work on per-item differences (edited minus clean, same items), so what varies between items cancels. Items of one cluster, such
as fillings of one frame, stand or fall together: whole clusters are resampled and flipped, so that many fillings prove no more
than their frames do.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def paired_interval(
    differences: Float[Tensor, "ablated item"],
    clusters: Int[Tensor, "item"],
    *,
    n_resamples: int,
    level: float,
    generator: torch.Generator,
) -> Float[Tensor, "ablated bound"]:
    """Percentile bootstrap interval of the mean difference; whole clusters are resampled, together for every row (paired).

    clusters: which cluster each item belongs to. NaN where all items are of one: nothing then says how much clusters vary.
    """
    of = clusters.unique(return_inverse=True)[1]
    sums, sizes = _by_cluster(differences, of), torch.bincount(of)
    if len(sizes) < 2:
        return differences.new_full((len(differences), 2), torch.nan)
    draws = torch.randint(len(sizes), (n_resamples, len(sizes)), generator=generator)
    n_drawn = sizes[draws].sum(1)
    means = torch.stack([row[draws].sum(1) / n_drawn for row in sums])
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=means.dtype)
    return torch.quantile(means, ends, dim=1).T


def sign_flip_p(
    blocks: Sequence[Float[Tensor, "ablated _"]],
    clusters: Sequence[Int[Tensor, "_"]],
    *,
    n_resamples: int,
    generator: torch.Generator,
) -> list[Float[Tensor, "ablated"]]:
    """Two-sided p-values of mean differences of 0, corrected for all rows of all blocks by the step-down maximum statistic.

    clusters: for each block, which cluster each of its items belongs to; a number means the same cluster in every block.

    Were the null true, each cluster's sign would be a coin toss, the same toss for every row and block it stands in (a frame in
    two languages). A row's p-value is (1 + draws whose largest |mean|, over this row and all that are no farther from 0, is as far
    from 0 as this row's) / (1 + draws), and no less than that of any row farther from 0. With one row this is the plain sign-flip
    test. The correction is that of Westfall and Young (1993, algorithm 2.8): it keeps the family-wise error under dependence, a
    large effect does not hide a smaller one, and, unlike a multiple of the plain p-value, it is not bounded by the number of draws
    times the number of cells. Few clusters bound it: n of them cannot give less than 2 / 2^n.
    """
    n_clusters = 1 + max((int(of.max()) for of in clusters), default=0)
    tosses = 2 * torch.randint(0, 2, (n_clusters, n_resamples), generator=generator, dtype=torch.int8) - 1
    found = [block.new_empty(len(block), dtype=torch.float64) for block in blocks]
    rows: list[tuple[float, int, int, Tensor, Tensor]] = []  # size, block, row, sums by cluster, the clusters
    for place, (block, numbers) in enumerate(zip(blocks, clusters, strict=True)):
        present, of = numbers.unique(return_inverse=True)
        sums = _by_cluster(block.double(), of) / block.shape[1]
        rows += [(abs(float(row.sum())), place, number, row, present) for number, row in enumerate(sums)]
    rows.sort(key=lambda row: row[:3])
    largest, counts = torch.zeros(n_resamples, dtype=torch.float64), []
    for size, _, _, row, present in rows:
        moved = row.nonzero().flatten()
        largest = torch.maximum(largest, (row[moved] @ tosses[present[moved]].double()).abs())
        counts.append(int((largest >= size - 1e-9).sum()))
    most = 0
    for (_, place, number, *_), count in zip(reversed(rows), reversed(counts), strict=True):
        most = max(most, count)
        found[place][number] = (1 + most) / (1 + n_resamples)
    return found


def _by_cluster(differences: Float[Tensor, "ablated item"], of: Int[Tensor, "item"]) -> Float[Tensor, "ablated cluster"]:
    return differences.new_zeros((len(differences), 1 + int(of.max()))).index_add_(1, of, differences)
