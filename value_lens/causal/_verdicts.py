"""Specific effects of all cells, with intervals, p-values, control ranks and verdicts."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from ..core import ItemScores, Resampling, SpecificEffects
from ._specific import Contrast, cluster_means, contrast_of, deal_p, fragility, residuals

ALPHA = 0.05
LEAST_VALUES = 3  # with sets and dilemmas: one to test, two that tell what its set does elsewhere
LEAST_CONTROLS = 19  # the fewest of which none is as strong with a chance of 1 in 20
ABLATIONS = ("zero", "mean")  # edits that lower the margin of what the neurons uphold

Verdict = Literal["specific", "not specific", "too few controls", "not testable"]


@dataclass(frozen=True)
class _Changes:
    """Mean changes of margin by cluster in one language. cluster_values: each cluster's value; own: each value's column, -1 for none."""

    sets: Float64[Tensor, "cluster intervened"]
    controls: Float64[Tensor, "intervened control cluster"]
    cluster_values: Int64[Tensor, "cluster"]
    own: Int64[Tensor, "value"]
    owner: tuple[int, ...]

    def reckonings(self, value: int, column: int, moved: Tensor) -> list[Tensor]:
        """Residuals of a cell if strength and fragility add up, and if they multiply."""
        fragile = fragility(self.sets, self.cluster_values, self.own, value=value, column=column)
        owner = self.owner[column]
        return [
            residuals(moved, fragile, self.cluster_values, value=value, owner=owner, multiply=multiply)
            for multiply in (False, True)
        ]

    def cautious(self, reckonings: list[Tensor], value: int) -> Contrast:
        """The contrast that is the smaller in size."""
        one, other = (contrast_of(residual, self.cluster_values, value) for residual in reckonings)
        return one.smaller(other)

    def control_effects(self, value: int, column: int) -> Float64[Tensor, "control"]:
        moved = self.controls[column]
        effects, ran = moved.new_full((len(moved),), torch.nan), ~moved.isnan().all(1)
        if ran.any():
            effects[ran] = self.cautious(self.reckonings(value, column, moved[ran]), value).difference
        return effects

    def testable(self) -> bool:
        with_sets = [int(v) for v in self.cluster_values.unique() if self.own[v] >= 0]
        return sum(bool((~self.sets[self.cluster_values == v, self.own[v]].isnan()).any()) for v in with_sets) >= LEAST_VALUES


def specific_effects(scores: ItemScores, resampling: Resampling, *, lowers: bool) -> SpecificEffects:
    """By clusters of items, in every language. lowers: whether only a loss is specific, as where neurons are intervened."""
    shape = len(scores.languages), len(scores.values), len(scores.intervened)
    effect = torch.full(shape, torch.nan, dtype=torch.float64)
    interval = torch.full((*shape, 2), torch.nan, dtype=torch.float64)
    controls = torch.full((*shape[:2], scores.n_controls), torch.nan, dtype=torch.float64)
    own_cells: dict[tuple[int, int], list[Tensor]] = {}
    cluster_values = torch.empty(0, dtype=torch.int64)
    for l, changes in enumerate(_changes(scores)):
        cluster_values = changes.cluster_values
        for v in range(shape[1]) if changes.testable() else ():
            for a in range(shape[2]):
                reckonings = changes.reckonings(v, a, changes.sets[:, a])
                contrast = changes.cautious(reckonings, v)
                effect[l, v, a], interval[l, v, a] = contrast.difference, contrast.interval(resampling.level)
                if a == changes.own[v]:
                    controls[l, v] = changes.control_effects(v, a)
                    if not contrast.error.isnan():
                        own_cells[l, v] = reckonings
    p = _p(own_cells, cluster_values, scores, resampling)
    own = [(scores.intervened.index(value) if value in scores.intervened else None) for value in scores.values]
    verdicts: list[tuple[Verdict, ...]] = []
    for l in range(shape[0]):
        own_effects = [(v, float("nan") if a is None else float(effect[l, v, a])) for v, a in enumerate(own)]
        verdicts.append(tuple(_verdict(size, float(p[l, v]), controls[l, v], lowers) for v, size in own_effects))
    return SpecificEffects(effect, interval, p, controls, tuple(verdicts))


def _changes(scores: ItemScores) -> list[_Changes]:
    """Changes of margin in each language. A cluster's name stands for one cluster in every language, and for another in every value."""
    number = {value: v for v, value in enumerate(scores.values)}
    pairs = list(zip(scores.item_values, scores.item_clusters, strict=True))
    clusters = {pair: c for c, pair in enumerate(dict.fromkeys(pairs))}
    cluster_values = torch.tensor([number[value] for value, _ in clusters])
    own = [
        scores.intervened.index(value)
        if value in scores.intervened and scores.n_neurons[scores.intervened.index(value)]
        else -1
        for value in scores.values
    ]
    columns = torch.tensor(own)
    owner = tuple(number.get(value, -1) for value in scores.intervened)
    edited, random = (margins - scores.clean for margins in (scores.own, scores.control))
    by_language = []
    for language in scores.languages:
        items = [i for i, item_language in enumerate(scores.item_languages) if item_language == language]
        which = torch.tensor([clusters[pairs[i]] for i in items])
        sets, controls = (cluster_means(changes[..., items], which, cluster_values) for changes in (edited, random))
        by_language.append(_Changes(sets.T, controls, cluster_values, columns, owner))
    return by_language


def _p(
    cells: dict[tuple[int, int], list[Tensor]],
    cluster_values: Int64[Tensor, "cluster"],
    scores: ItemScores,
    resampling: Resampling,
) -> Float64[Tensor, "language value"]:
    """The larger of both reckonings' corrected p-values; 1 where they disagree about the sign."""
    p_values = torch.full((len(scores.languages), len(scores.values)), torch.nan, dtype=torch.float64)
    if not cells:
        return p_values
    both = [
        deal_p(
            [(v, reckonings[which]) for (_, v), reckonings in cells.items()],
            cluster_values,
            n_resamples=resampling.n,
            generator=torch.Generator().manual_seed(resampling.seed),
        )
        for which in (0, 1)
    ]
    for ((l, v), reckonings), *p in zip(cells.items(), *both, strict=True):
        one, other = (float(contrast_of(residual, cluster_values, v).difference) for residual in reckonings)
        p_values[l, v] = max(p) if one * other > 0 else 1.0
    return p_values


def _verdict(effect: float, p: float, controls: Tensor, lowers: bool) -> Verdict:
    known = controls[~controls.isnan()]
    if p != p:
        return "not testable"
    if p >= ALPHA or (lowers and effect >= 0):
        return "not specific"
    if len(known) < LEAST_CONTROLS:
        return "too few controls"
    return "specific" if abs(effect) > float(known.abs().max()) else "not specific"
