"""Confidence intervals of rates, of their paired differences and of means, over clusters of items.

Items of one cluster, such as fillings of one frame, stand or fall together, so that the variance is that of whole clusters. Frames
and fillings are taken as draws from a population of such frames, and a true rate or difference is its mean over that population.

Shares are bounded and often near their bounds, where an interval of mean and standard error is far too narrow: rates have Korn and
Graubard's interval, a difference of rates is one of two shares, items gained and items lost. Margins and contrasts are unbounded
and have t intervals.

Korn, E. L. and Graubard, B. I. (1998), Confidence intervals for proportions with small expected number of positive counts estimated
from survey data, Survey Methodology 24, 193-201. Zou, G. Y. and Donner, A. (2008), Construction of confidence limits about effect
measures, Statistics in Medicine 27, 1693-1702. What they cover by simulation: `simulations/` in the repository.
"""

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

SAME = 1e-18  # variances below this are 0 but for rounding


def linearised_residuals(values: Float[Tensor, "... item"], clusters: Int[Tensor, "item"]) -> Float64[Tensor, "... cluster"]:
    """What each cluster adds to the deviation of the items' mean: the sum of its items' deviations over the number of items.

    The mean is a ratio, sum over size, when clusters differ in size; these are the residuals of its linear approximation. Clusters
    come in the order of their numbers. They sum to 0, and `variance_of_mean` makes of them the variance of the mean.
    """
    numbers = clusters.unique(return_inverse=True)[1]
    deviations = values.double() - values.double().mean(-1, keepdim=True)
    sums = deviations.new_zeros((*values.shape[:-1], 1 + int(numbers.max())))
    return sums.index_add_(-1, numbers, deviations) / values.shape[-1]


def variance_of_mean(residuals: Float[Tensor, "... cluster"]) -> Float64[Tensor, "..."]:
    """Variance of an items' mean between draws of so many clusters, from their residuals; NaN for one cluster."""
    n_clusters = residuals.shape[-1]
    factor = n_clusters / (n_clusters - 1) if n_clusters > 1 else torch.nan
    return factor * residuals.double().square().sum(-1)


def mean_interval(
    values: Float[Tensor, "intervened item"], clusters: Int[Tensor, "item"], *, level: float
) -> Float64[Tensor, "intervened bound"]:
    """Student's t interval of the mean of unbounded values such as changes of margin, with one degree less than clusters.

    NaN where all items are of one cluster.
    """
    residuals = linearised_residuals(values, clusters)
    reach = _quantiles(residuals.shape[-1], level)[1] * variance_of_mean(residuals).sqrt()
    mean = values.double().mean(-1)
    return torch.stack([mean - reach, mean + reach], -1)


def rate_interval(
    supports: Float[Tensor, "intervened item"],
    clusters: Int[Tensor, "item"],
    *,
    level: float,
    most: Float[Tensor, "intervened"] | None = None,
) -> Float64[Tensor, "intervened bound"]:
    """Interval of the mean of values from 0 to 1, such as supports: Korn and Graubard's, no narrower than if nothing had been seen.

    The items count as p (1 - p) / variance of p, less by (z / t)^2 for the uncertain variance of few clusters, and as no more than
    they are; Clopper and Pearson's limits for that number follow. Where all n clusters have the same rate the variance is 0: up to
    u = 1 - ((1 - level) / 2)^(1/n) of all clusters may then be otherwise (Clopper and Pearson's limit for none seen). One exception
    among many clusters has nearly no variance either, so no limit ever lies below u or above 1 - u on its own side. most: the
    highest rate that a cluster unlike those seen could have, 1 unless told otherwise. NaN where all items are of one cluster.
    """
    residuals = linearised_residuals(supports, clusters)
    n_items, n_clusters = supports.shape[-1], residuals.shape[-1]
    if n_clusters < 2:
        return residuals.new_full((len(supports), 2), torch.nan)
    rate, variance = supports.double().mean(-1).clamp(0, 1), variance_of_mean(residuals)
    most = torch.maximum(torch.ones_like(rate) if most is None else most.double(), rate)
    normal, student = _quantiles(n_clusters, level)
    agree = variance < SAME
    worth = rate * (1 - rate) / variance.masked_fill(agree, 1) * (normal / student) ** 2
    low, high = _clopper_pearson(rate, worth.clamp(max=n_items), level)
    unseen = 1 - ((1 - level) / 2) ** (1 / n_clusters)
    low = torch.where(agree, rate * (1 - unseen), low.clamp(max=1 - unseen))
    high = torch.where(agree, rate + unseen * (most - rate), torch.maximum(high, unseen * most))
    return torch.stack([low, high], -1)


def difference_interval(
    edited: Float[Tensor, "intervened item"],
    clean: Float[Tensor, "#intervened item"],
    clusters: Int[Tensor, "item"],
    *,
    level: float,
) -> Float64[Tensor, "intervened bound"]:
    """Interval of mean(edited) - mean(clean), two supports of each item: that of the share gained less that of the share lost.

    Gain and loss are each a rate, with `rate_interval`; the distances of their limits are added in squares, with the correlation
    of both between clusters (Zou and Donner 2008). What no cluster gained, a cluster not seen could gain by as much as the most room
    above clean that a cluster has or, by the interval of the clean rate, may have; likewise for losses. The clean rate is itself one
    of a sample: at 100% with few clusters an end a little above 0 says that other frames may have room. NaN where all items are of
    one cluster.
    """
    _, clusters = clusters.unique(return_inverse=True)
    if int(clusters.max()) < 1:
        return edited.new_full((len(edited), 2), torch.nan, dtype=torch.float64)
    change = edited.double() - clean.double()
    gained, lost = change.clamp(min=0), -change.clamp(max=0)
    clean_low, clean_high = rate_interval(clean, clusters, level=level).unbind(-1)
    by_cluster = _cluster_means(clean, clusters)
    room_above = torch.maximum(1 - by_cluster.amin(-1), 1 - clean_low).expand(len(edited))
    room_below = torch.maximum(by_cluster.amax(-1), clean_high).expand(len(edited))
    gain, loss = gained.mean(-1), lost.mean(-1)
    gain_low, gain_high = rate_interval(gained, clusters, level=level, most=room_above).unbind(-1)
    loss_low, loss_high = rate_interval(lost, clusters, level=level, most=room_below).unbind(-1)
    alike = _correlation(linearised_residuals(gained, clusters), linearised_residuals(lost, clusters))

    def combine(one: Tensor, other: Tensor) -> Tensor:
        return (one**2 + other**2 - 2 * alike * one * other).clamp(min=0).sqrt()

    low = gain - loss - combine(gain - gain_low, loss_high - loss)
    return torch.stack([low, gain - loss + combine(gain_high - gain, loss - loss_low)], -1)


def _clopper_pearson(
    rate: Float64[Tensor, "intervened"], n: Float64[Tensor, "intervened"], level: float
) -> tuple[Float64[Tensor, "intervened"], Float64[Tensor, "intervened"]]:
    """Limits of a rate seen in n trials, where n need not be whole."""
    from scipy.special import betaincinv

    tail, hits = (1 - level) / 2, rate * n
    tiny = torch.finfo(torch.float64).tiny  # the functions need parameters above 0; the ends are set below
    low = torch.from_numpy(betaincinv(hits.clamp(min=tiny).numpy(), (n - hits + 1).numpy(), tail))
    high = torch.from_numpy(betaincinv((hits + 1).numpy(), (n - hits).clamp(min=tiny).numpy(), 1 - tail))
    return low.masked_fill(rate <= 0, 0), high.masked_fill(rate >= 1, 1)


def _quantiles(n_clusters: int, level: float) -> tuple[float, float]:
    """Two-sided quantiles at a level: normal, and Student's with one degree less than clusters (NaN for one cluster)."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri((1 + level) / 2)), float(stdtrit(n_clusters - 1, (1 + level) / 2)) if n_clusters > 1 else torch.nan


def _cluster_means(
    values: Float[Tensor, "intervened item"], clusters: Int[Tensor, "item"]
) -> Float64[Tensor, "intervened cluster"]:
    sizes = torch.bincount(clusters)
    return values.new_zeros((len(values), len(sizes)), dtype=torch.float64).index_add_(1, clusters, values.double()) / sizes


def _correlation(
    one: Float64[Tensor, "intervened cluster"], other: Float64[Tensor, "intervened cluster"]
) -> Float64[Tensor, "intervened"]:
    """Correlation of residuals between clusters; 0 where either is constant."""
    scale = (one.square().sum(-1) * other.square().sum(-1)).sqrt()
    return ((one * other).sum(-1) / scale.masked_fill(scale < SAME, torch.inf)).clamp(-1, 1)
