"""Labelled rows of an effect matrix, one a cell."""

import math
from dataclasses import dataclass
from typing import Any

Bounds = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is known of one (language, evaluated value, intervened value). A number that is not known is NaN.

    Args:
        language, evaluated, intervened: which cell; labels are those of the values in that language.
        n_neurons: size of the intervened value's set. n_items, n_clusters: what the evaluated value's numbers rest on.
        clean, rate, effect, interval, p: support without and with the intervention; the difference, its interval and p-value.
        margin_effect, margin_interval, margin_p: the same of the mean change of score, in nats.
        control_rates: support with each matched random set instead. control_mean: mean of those without neurons of the set.
        outside_effects: effects of these, as far as they were run.
        rank, rank_p, margin_rank_p: of the effect among its controls.
        specific, specific_interval: the change of score beyond what so strong a set does to so fragile a value.
        specific_p, verdict, specific_controls: of a value under its own set; None and empty elsewhere.
    """

    language: str
    evaluated: str
    intervened: str
    evaluated_label: str
    intervened_label: str
    n_neurons: int
    n_items: int
    n_clusters: int
    clean: float
    rate: float
    effect: float
    interval: Bounds
    p: float
    margin_effect: float
    margin_interval: Bounds
    margin_p: float
    control_rates: tuple[float, ...]
    control_mean: float
    outside_effects: tuple[float, ...]
    rank: float
    rank_p: float
    margin_rank_p: float
    specific: float
    specific_interval: Bounds
    specific_p: float | None
    specific_controls: tuple[float, ...]
    verdict: str | None

    @property
    def is_own(self) -> bool:
        """Whether a value is evaluated under its own neurons; else the cell tells of leakage."""
        return self.evaluated == self.intervened

    def row(self) -> dict[str, Any]:
        """The cell as a row of a table."""
        controls = self.control_rates
        return {
            "language": self.language,
            "ablated": self.intervened,
            "evaluated": self.evaluated,
            "n_neurons": self.n_neurons,
            "n_dilemmas": self.n_items,
            "n_clusters": self.n_clusters,
            "clean": self.clean,
            "support": self.rate,
            "effect": self.effect,
            "interval_low": self.interval[0],
            "interval_high": self.interval[1],
            "p_corrected": self.p,
            "margin_effect": self.margin_effect,
            "margin_low": self.margin_interval[0],
            "margin_high": self.margin_interval[1],
            "margin_p": self.margin_p,
            "specific": self.specific,
            "specific_low": self.specific_interval[0],
            "specific_high": self.specific_interval[1],
            "specific_p": self.specific_p,
            "verdict": self.verdict,
            "control_lowest": lowest(controls) if controls else None,
            "control_mean": self.control_mean if controls else None,
            "control_highest": highest(controls) if controls else None,
            "rank_among_controls": self.rank,
            "rank_p": self.rank_p,
            "margin_rank_p": self.margin_rank_p,
        }


def lowest(numbers: tuple[float, ...]) -> float:
    """The least; NaN where one is unknown."""
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def highest(numbers: tuple[float, ...]) -> float:
    """The largest; NaN where one is unknown."""
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)
