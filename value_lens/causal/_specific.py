"""The specific effect: what a set does to a value beyond what so strong a set does to so fragile a value.

An edit may merely damage a model. Then every value suffers, fragile values (whose margins any damage moves) more than others,
and more under strong sets. So the change of margin under a set is compared with the change that a set of its strength would make:

    R[c, s] = e[c, s] - b M[c, s]        S[v, s] = mean of R[c, s] over v's clusters - mean over other values of theirs

e[c, s]: mean change of margin of cluster c under set s. M[c, s]: how fragile the cluster is, the mean of e[c, u] over the sets u
that are neither s, nor v's own, nor that of the cluster's value. Other values: all but v and the value whose set s is. b: the
strength of s.
Fragility and strength may add up, then b is 1 (double centring); or multiply, as where an edit shrinks all margins, then b is the
slope of the other values' changes under s on their M. Nobody knows which. A set that only does damage seems specific by one
reckoning and the reverse by the other when the truth lies between, so that what both find is specific.

False alarms and power by simulation: `simulations/specific_effect.py` in the repository.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ._step_down import step_down

TIE = 1e-9  # statistics closer than this, relative to their size, are equal
CHUNK = 2**24  # permuted labels held at once
SURE = 4.0  # sampling variances; M whose squares sum to less say nothing of a slope, to twice as much enough


def cluster_means(
    changes: Float64[Tensor, "... item"], clusters: Int64[Tensor, "item"], cluster_values: Int64[Tensor, "cluster"]
) -> Float64[Tensor, "... cluster"]:
    """Mean change of every cluster's items; NaN without items, and for all clusters of a value one of whose items is NaN.

    cluster_values: the value of each cluster.
    """
    sums = changes.new_zeros((*changes.shape[:-1], len(cluster_values))).index_add_(-1, clusters, changes)
    means = sums / torch.bincount(clusters, minlength=len(cluster_values))
    # A number for each value.
    unknown = torch.zeros_like(sums).index_add_(-1, cluster_values[clusters], changes.isnan().to(sums))
    return means.masked_fill(unknown[..., cluster_values] > 0, torch.nan)


def fragility(
    changes: Float64[Tensor, "cluster intervened"],
    cluster_values: Int64[Tensor, "cluster"],
    own: Int64[Tensor, "value"],
    *,
    value: int,
    column: int,
) -> Float64[Tensor, "cluster"]:
    """M: each cluster's mean change under all sets but the cell's, `value`'s own and its own value's; NaN where there is none.

    own: the column of each value's own set, -1 for none.
    """
    columns = torch.arange(changes.shape[1])
    excluded = (columns == own[cluster_values][:, None]) | (columns == column) | (columns == own[value])
    return changes.masked_fill(excluded, torch.nan).nanmean(1)


def slope(
    moved: Float64[Tensor, "... cluster"], fragile: Float64[Tensor, "cluster"], cluster_values: Int64[Tensor, "cluster"]
) -> Float64[Tensor, "..."]:
    """Least-squares slope, through 0, of values' mean changes under a set on their mean M; 1 where these M may be noise.

    It goes from 1 to the slope while the M's sum of squares goes from `SURE` to twice `SURE` times their sampling variances.
    """
    member = torch.nn.functional.one_hot(cluster_values.unique(return_inverse=True)[1]).double()
    n = member.sum(0)
    mean_moved, mean_fragile = moved @ member / n, fragile @ member / n
    spread = (fragile**2 @ member - n * mean_fragile**2).clamp(min=0)
    noise = SURE * torch.where(n > 1, spread / (n * (n - 1)), 0.0).sum()
    squares = (mean_fragile**2).sum()
    if squares <= noise:
        return torch.ones_like(mean_moved[..., 0])
    sure = ((squares - noise) / noise).clamp(max=1)
    return 1 + sure * ((mean_moved @ mean_fragile) / squares - 1)


def residuals(
    moved: Float64[Tensor, "... cluster"],
    fragile: Float64[Tensor, "cluster"],
    cluster_values: Int64[Tensor, "cluster"],
    *,
    value: int,
    owner: int,
    multiply: bool,
) -> Float64[Tensor, "... cluster"]:
    """R of a cell, for the clusters of `value` and of other values; NaN for those of `owner` and those not known.

    moved: changes under a set, or under controls in its place. owner: the value whose set it is, -1 for none.
    """
    known = ~(moved.isnan().reshape(-1, len(cluster_values)).any(0) | fragile.isnan())
    used = known & ((cluster_values == value) | (cluster_values != owner))
    others = used & (cluster_values != value)
    b = (
        slope(moved[..., others], fragile[others], cluster_values[others])[..., None]
        if multiply and bool(others.any())
        else 1.0
    )
    return (moved - b * fragile).masked_fill(~used, torch.nan)


@dataclass(frozen=True)
class Contrast:
    """A value's mean residual minus the mean of the other values' means, with Welch's standard error and degrees of freedom."""

    difference: Float64[Tensor, "..."]
    error: Float64[Tensor, "..."]
    freedom: Float64[Tensor, "..."]

    def smaller(self, other: "Contrast") -> "Contrast":
        """Of each pair of differences that which is smaller in size."""
        mine = self.difference.abs() <= other.difference.abs()
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Contrast(*(torch.where(mine, one, another) for one, another in pairs))

    def interval(self, level: float) -> Float64[Tensor, "... bound"]:
        from scipy.special import stdtrit

        reach = self.error * torch.as_tensor(stdtrit(self.freedom.numpy(), (1 + level) / 2))
        return torch.stack([self.difference - reach, self.difference + reach], -1)


def contrast(
    sums: Float64[Tensor, "... value"], squares: Float64[Tensor, "... value"], n: Float64[Tensor, "value"], value: int
) -> Contrast:
    """Compare residuals of `value` with the others', from each value's sum, sum of squares and number of clusters.

    The others' clusters together have one variance, `value`'s another (Welch 1938, Satterthwaite 1946). NaN with one cluster on
    either side.
    """
    other = (torch.arange(len(n)) != value) & (n > 0)
    n_own, n_others = n[value], n[other].sum()
    mean, pooled = sums[..., value] / n_own, sums[..., other].sum(-1) / n_others
    own = (squares[..., value] - n_own * mean**2).clamp(min=0) / (n_own - 1) / n_own
    rest = (squares[..., other].sum(-1) - n_others * pooled**2).clamp(min=0) / (n_others - 1)
    rest = rest * (1 / n[other]).sum() / other.sum() ** 2  # the variance of the mean of the other values' means
    freedom = (own + rest) ** 2 / (own**2 / (n_own - 1) + rest**2 / (n_others - 1))
    difference = mean - (sums[..., other] / n[other]).mean(-1)
    return Contrast(difference, (own + rest).sqrt(), freedom)


def contrast_of(residual: Float64[Tensor, "... cluster"], cluster_values: Int64[Tensor, "cluster"], value: int) -> Contrast:
    """The contrast of clusters' residuals; those that are NaN (in all rows alike) are left out."""
    known = ~residual.isnan().reshape(-1, len(cluster_values)).any(0)
    member = torch.nn.functional.one_hot(cluster_values[known], int(cluster_values.max()) + 1).double()
    known_residual = residual[..., known]
    return contrast(known_residual @ member, known_residual**2 @ member, member.sum(0), value)


def deal_p(
    cells: Sequence[tuple[int, Float64[Tensor, "cluster"]]],
    cluster_values: Int64[Tensor, "cluster"],
    *,
    n_resamples: int,
    generator: torch.Generator,
) -> list[float]:
    """Two-sided p-values of contrasts of 0, corrected for all cells by the step-down minimum p-value; a cell is (value, residuals).

    Were no effect specific, it would not matter which value a cluster is of. So whole clusters are dealt to the values anew, to
    each as many as it has, and in every cell in the same order. A cell's own p-value is the share of deals in which |t| (Welch's,
    which bears unequal variances) is as large as found. No p-value is below 1 / (1 + n_resamples).
    """
    keys = torch.rand((n_resamples, len(cluster_values)), generator=generator)
    alike: dict[tuple[bool, ...], list[int]] = {}
    for index, (_, residual) in enumerate(cells):
        alike.setdefault(tuple((~residual.isnan()).tolist()), []).append(index)
    drawn = torch.empty((len(cells), 1 + n_resamples), dtype=torch.float64)
    for known, indices in alike.items():
        chosen = torch.tensor(known)
        labels = torch.cat([cluster_values[chosen][None], cluster_values[chosen][keys[:, chosen].argsort(1)]])
        sizes = torch.bincount(cluster_values[chosen], minlength=int(cluster_values.max()) + 1).double()
        columns = torch.stack([cells[index][1][chosen] for index in indices], 1)
        columns = columns / columns.abs().amax(0).clamp(min=torch.finfo(torch.float64).tiny)
        for start in range(0, len(labels), step := max(1, CHUNK // (len(sizes) * len(columns)))):
            membership = torch.nn.functional.one_hot(labels[start : start + step], len(sizes)).double().mT
            sums, squares = membership @ columns, membership @ columns**2
            for column, index in enumerate(indices):
                drawn[index, start : start + step] = _size(
                    contrast(sums[..., column], squares[..., column], sizes, cells[index][0])
                )
    own, p = zip(*(_own_p(row) for row in drawn), strict=True)
    return step_down(own, p)


def _size(result: Contrast) -> Float64[Tensor, "resample"]:
    """|t|, finite where all residuals of a side agree."""
    return result.difference.abs() / result.error.clamp(min=TIE)


def _own_p(drawn: Float64[Tensor, "_"]) -> tuple[float, Float[Tensor, "resample"]]:
    """The p-value of the first |t| among all, and that of each of the others."""
    ordered = drawn.sort().values  # one pool, see `step_down`
    far = len(ordered) - torch.searchsorted(ordered, drawn * (1 - TIE))
    p = far.double() / len(ordered)
    return float(p[0]), p[1:]
