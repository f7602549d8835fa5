"""How often do 95% intervals hold the true rate and the true difference? Writes `interval_coverage.csv`, a row a setting, and `.md`.

The model of the data. A dilemma is supported without the edit with chance `clean`; the edit flips a supported one with chance
`flipped` and wins back another with chance `back`. Each of these three events is alike within clusters: pairs of fillings of one
frame have the intra-class correlation `correlation`. In the beta model a frame has its own chance, drawn from a beta distribution;
in the threshold model a normal variable, correlated within frames, falls below a threshold (as a margin does). The truth is the mean
over all frames and fillings of that population: rate clean (1 - flipped) + (1 - clean) back, difference that less clean.

Columns: `rate` is the coverage of the interval of the support rate with the edit, `difference` that of the difference of support with
and without it. `rate_before` and `difference_before` are those of the percentile bootstrap over clusters (with its bound where all
agree). `fixed_bounds` is the difference by Korn and Graubard's interval of the rate with the edit, less the clean rate seen as if it were
exactly known; `fixed_bounds_held` and `difference_held` ask both for another truth, in which the clean rate is held at what was seen.
Widths are means. `beyond` marks settings that no bar was set for: 20 fillings a frame, 20 in all spread unevenly, flips of 80 and 100%.
"""

import argparse
import csv
import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import optimize, stats

from value_lens.causal._intervals import difference_interval, linearised_residuals, rate_interval, variance_of_mean

TABLE, SUMMARY = Path(__file__).with_suffix(".csv"), Path(__file__).with_suffix(".md")
SEED, N_SIMULATIONS, N_RESAMPLES, LEVEL = 0, 2000, 1000, 0.95
UNEVEN = {4: (11, 5, 3, 1), 8: (8, 4, 2, 2, 1, 1, 1, 1), 12: (5, 3, 2, 2, *[1] * 8)}  # 20 fillings in all
BAR = {"least": 0.91, "mean": 0.94}


@dataclass(frozen=True)
class Setting:
    """One row of the table; `fillings` is a number a frame or "uneven"."""

    model: str
    clusters: int
    fillings: str
    correlation: float
    clean: float
    flipped: float
    back: float
    beyond: bool

    def sizes(self) -> tuple[int, ...]:
        return UNEVEN[self.clusters] if self.fillings == "uneven" else (int(self.fillings),) * self.clusters


def settings() -> Iterator[Setting]:
    designs = [(str(k), r) for k in (1, 2, 8) for r in (0.0, 0.3, 0.8) if k > 1 or r == 0]
    edits = [(c, q, b) for c in (1.0, 0.85, 0.7) for q in (0.0, 0.05, 0.2, 0.5) for b in (0.0, 0.1) if c < 1 or b == 0]
    some = [edit for edit in edits if edit[0] != 0.85 and edit[1] != 0.2]
    strong = [(c, q, 0.0) for c in (1.0, 0.85, 0.7) for q in (0.8, 1.0)]
    every = (4, 8, 12, 24, 48)
    for model in ("beta", "threshold"):
        yield from (Setting(model, m, k, r, *e, beyond=False) for m in every for k, r in designs for e in edits)
    yield from (Setting("beta", m, k, r, *e, beyond=True) for m in every for k, r in designs for e in strong)
    yield from (Setting("beta", m, "20", r, *e, beyond=True) for m in every for r in (0.0, 0.3, 0.8) for e in some)
    yield from (Setting("beta", m, "uneven", r, *e, beyond=True) for m in UNEVEN for r in (0.0, 0.3, 0.8) for e in some)


# The data


def events(setting: Setting, chance: float, rng: np.random.Generator) -> np.ndarray:
    """Of every simulation and item, whether it happened."""
    sizes, correlation = setting.sizes(), setting.correlation
    if chance in (0.0, 1.0):
        return np.full((N_SIMULATIONS, sum(sizes)), bool(chance))
    shape = (N_SIMULATIONS, len(sizes))
    if setting.model == "threshold":
        latent = latent_correlation(chance, correlation)
        common = np.repeat(np.sqrt(latent) * rng.standard_normal(shape), sizes, 1)
        return common + np.sqrt(1 - latent) * rng.standard_normal(common.shape) < stats.norm.ppf(chance)
    weight = 1 / correlation - 1 if correlation else np.inf
    own = rng.beta(chance * weight, (1 - chance) * weight, shape) if correlation else np.full(shape, chance)
    return rng.random((N_SIMULATIONS, sum(sizes))) < np.repeat(own, sizes, 1)


@functools.cache
def latent_correlation(chance: float, correlation: float) -> float:
    """The correlation of two normal variables whose falling below the threshold has this one."""
    if not correlation:
        return 0.0
    both, threshold = chance**2 + correlation * chance * (1 - chance), stats.norm.ppf(chance)

    def excess(latent: float) -> float:
        return stats.multivariate_normal.cdf([threshold] * 2, cov=[[1, latent], [latent, 1]]) - both

    return float(optimize.brentq(excess, 0, 1 - 1e-9))


def answers(setting: Setting) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Supports with the edit and without, of every simulation and item, and the cluster of each item."""
    sizes, known = setting.sizes(), (setting.clusters, setting.correlation, setting.clean, setting.flipped, setting.back)
    rng = np.random.default_rng([SEED, len(setting.model), *sizes, *(round(1000 * x) for x in known)])
    clean = events(setting, setting.clean, rng)
    edited = np.where(clean, ~events(setting, setting.flipped, rng), events(setting, setting.back, rng))
    clusters = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    return torch.from_numpy(edited.astype(float)), torch.from_numpy(clean.astype(float)), clusters


# Other intervals


def bootstrap(values: torch.Tensor, clusters: torch.Tensor, lowest: torch.Tensor, highest: torch.Tensor) -> torch.Tensor:
    """Percentiles of the mean over resampled clusters; where all agree, as much as is possible of u = 1 - 0.025^(1/clusters)."""
    sizes = torch.bincount(clusters)
    sums = values.new_zeros((len(values), len(sizes))).index_add_(1, clusters, values)
    rng = np.random.default_rng(SEED)
    times = torch.from_numpy(rng.multinomial(len(sizes), [1 / len(sizes)] * len(sizes), N_RESAMPLES)).double()
    means = (sums @ times.T) / (times @ sizes.double())
    ends = torch.quantile(means, torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=means.dtype), dim=1).T
    by_cluster, mean = sums / sizes, values.mean(1)
    unseen = 1 - ((1 - LEVEL) / 2) ** (1 / len(sizes))
    bound = torch.stack([mean + unseen * (lowest - mean), mean + unseen * (highest - mean)], 1)
    return torch.where((by_cluster.amax(1) - by_cluster.amin(1) < 1e-6)[:, None], bound, ends)


def fixed_bounds(edited: torch.Tensor, clean: torch.Tensor, clusters: torch.Tensor) -> torch.Tensor:
    """Korn and Graubard's interval of the rate with the edit, by the variance of the difference, less the clean rate seen."""
    change, before = edited - clean, clean.mean(1)
    variance = variance_of_mean(linearised_residuals(change, clusters))
    n_clusters, rate = int(clusters.max()) + 1, edited.mean(1)
    agree, tail = variance < 1e-18, (1 - LEVEL) / 2
    shrink = (stats.norm.ppf(tail) / stats.t.ppf(tail, n_clusters - 1)) ** 2
    worth = (rate * (1 - rate) / variance.masked_fill(agree, 1) * shrink).clamp(max=edited.shape[1])
    low = np.nan_to_num(stats.beta.ppf(tail, rate * worth, (1 - rate) * worth + 1), nan=0.0)
    high = np.nan_to_num(stats.beta.ppf(1 - tail, rate * worth + 1, (1 - rate) * worth), nan=1.0)
    unseen, mean = 1 - tail ** (1 / n_clusters), change.mean(1)
    low = torch.where(agree, mean - unseen * (mean + before), torch.from_numpy(low) - before)
    high = torch.where(agree, mean + unseen * (1 - before - mean), torch.from_numpy(high) - before)
    return torch.stack([low, high], 1)


# The table


def covered(interval: torch.Tensor, truth: float | torch.Tensor) -> float:
    """The share of intervals that hold the truth, but for rounding."""
    low, high = interval.unbind(1)
    return round(float(((low <= truth + 1e-9) & (truth <= high + 1e-9)).double().mean()), 4)


def width(interval: torch.Tensor) -> float:
    return round(float((interval[:, 1] - interval[:, 0]).mean()), 4)


def simulate(setting: Setting) -> dict[str, float]:
    """Coverage and width of every interval in one setting."""
    edited, clean, clusters = answers(setting)
    c, q, b = setting.clean, setting.flipped, setting.back
    seen = clean.mean(1)
    truth, held = (1 - c) * b - c * q, (1 - seen) * b - seen * q
    one, none = torch.ones_like(seen), torch.zeros_like(seen)
    rate = rate_interval(edited, clusters, level=LEVEL)
    difference = difference_interval(edited, clean, clusters, level=LEVEL)
    fixed = fixed_bounds(edited, clean, clusters)
    old_rate = bootstrap(edited, clusters, none, one)
    old_difference = bootstrap(edited - clean, clusters, -seen, 1 - seen)
    return {
        "rate_before": covered(old_rate, c + truth),
        "rate": covered(rate, c + truth),
        "rate_width_before": width(old_rate),
        "rate_width": width(rate),
        "difference_before": covered(old_difference, truth),
        "fixed_bounds": covered(fixed, truth),
        "difference": covered(difference, truth),
        "difference_width_before": width(old_difference),
        "fixed_bounds_width": width(fixed),
        "difference_width": width(difference),
        "fixed_bounds_held": covered(fixed, held),
        "difference_held": covered(difference, held),
    }


def summary(rows: list[dict[str, str]]) -> str:
    """Least and mean coverage and mean width of every interval, by part of the table, as Markdown."""
    parts = {
        "beta": [r for r in rows if r["model"] == "beta" and r["beyond"] == "False"],
        "threshold": [r for r in rows if r["model"] == "threshold"],
        "beta, 20 fillings a frame": [r for r in rows if r["fillings"] == "20"],
        "beta, 20 in all, uneven": [r for r in rows if r["fillings"] == "uneven"],
        "beta, 80 and 100% flipped": [r for r in rows if float(r["flipped"]) > 0.5],
    }
    lines = [
        "| settings | interval | least | mean | settings below 91% | mean width |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    widths = {"rate_before": "rate_width_before", "rate": "rate_width", "difference_before": "difference_width_before"}
    widths |= {"fixed_bounds": "fixed_bounds_width", "difference": "difference_width"}
    widths |= {"fixed_bounds_held": "fixed_bounds_width", "difference_held": "difference_width"}
    for part, chosen in parts.items():
        for name in widths:
            shares = [float(row[name]) for row in chosen]
            low = sum(share < BAR["least"] for share in shares)
            mean_width = sum(float(row[widths[name]]) for row in chosen) / len(chosen)
            mean = sum(shares) / len(shares)
            lines.append(
                f"| {part} | {name} | {100 * min(shares):.1f}% | {100 * mean:.1f}% | {low} of {len(chosen)} | {mean_width:.3f} |"
            )
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--summary", action="store_true", help="only sum up the table that is there")
    if not parser.parse_args().summary:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = None
            for setting in settings():
                row = asdict(setting) | simulate(setting)
                writer = writer or csv.DictWriter(file, row, lineterminator="\n")
                if not file.tell():
                    writer.writeheader()
                writer.writerow(row)
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = summary(list(csv.DictReader(file)))
    SUMMARY.write_text(found, encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
