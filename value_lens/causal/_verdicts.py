"""Specific effects of a whole matrix, with intervals, p-values, control ranks and verdicts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from ._specific import Contrast, cluster_means, contrast_of, deal_p, fragility, residuals

if TYPE_CHECKING:
    from ._matrix import SupportMatrix

ALPHA = 0.05
LEAST_VALUES = 3  # with sets and dilemmas: one to test, two that tell what its set does elsewhere
LEAST_CONTROLS = 19  # the fewest of which none is as strong with a chance of 1 in 20
ABLATIONS = ("zero", "mean")  # edits that lower the margin of what the neurons uphold

Verdict = Literal["specific", "not specific", "too few controls", "not testable"]


@dataclass(frozen=True)
class SpecificEffects:
    """Changes of margin, in nats, beyond what a set of that strength does to a value of that fragility; see `trials.specific`.

    effect, interval (each cell's own, not corrected): NaN where not testable. On the diagonal, a value under its own set, also p,
    corrected for the diagonals of all languages, and the effects of the set's controls in its place. Off it, effects are leakage.
    """

    effect: Float64[Tensor, "language value ablated"]
    interval: Float64[Tensor, "language value ablated bound"]
    p: Float64[Tensor, "language value"]
    controls: Float64[Tensor, "language value control"]
    verdicts: tuple[tuple[Verdict, ...], ...]


@dataclass(frozen=True)
class _Changes:
    """Mean changes of margin by cluster in one language. of: each cluster's value; own: each value's column, -1 for none."""

    sets: Float64[Tensor, "cluster ablated"]
    controls: Float64[Tensor, "ablated control cluster"]
    of: Int64[Tensor, "cluster"]
    own: Int64[Tensor, "value"]
    owner: tuple[int, ...]

    def reckonings(self, value: int, column: int, moved: Tensor) -> list[Tensor]:
        """Residuals of a cell if strength and fragility add up, and if they multiply."""
        fragile = fragility(self.sets, self.of, self.own, value=value, column=column)
        owner = self.owner[column]
        return [residuals(moved, fragile, self.of, value=value, owner=owner, multiply=multiply) for multiply in (False, True)]

    def cautious(self, reckonings: list[Tensor], value: int) -> Contrast:
        """The contrast that is the smaller in size."""
        one, other = (contrast_of(residual, self.of, value) for residual in reckonings)
        return one.smaller(other)

    def control_effects(self, value: int, column: int) -> Float64[Tensor, "control"]:
        moved = self.controls[column]
        found, ran = moved.new_full((len(moved),), torch.nan), ~moved.isnan().all(1)
        if ran.any():
            found[ran] = self.cautious(self.reckonings(value, column, moved[ran]), value).difference
        return found

    def testable(self) -> bool:
        with_sets = [int(v) for v in self.of.unique() if self.own[v] >= 0]
        return sum(bool((~self.sets[self.of == v, self.own[v]].isnan()).any()) for v in with_sets) >= LEAST_VALUES


def specific_effects(matrix: "SupportMatrix") -> SpecificEffects:
    """By clusters of items, in every language; `matrix.resampling` has the number of deals, the level and the seed."""
    shape = len(matrix.languages), len(matrix.values), len(matrix.ablated)
    effect = torch.full(shape, torch.nan, dtype=torch.float64)
    interval = torch.full((*shape, 2), torch.nan, dtype=torch.float64)
    controls = torch.full((*shape[:2], matrix.control_margins.shape[1]), torch.nan, dtype=torch.float64)
    own_cells: dict[tuple[int, int], list[Tensor]] = {}
    of = torch.empty(0, dtype=torch.int64)
    for l, changes in enumerate(_changes(matrix)):
        of = changes.of
        for v in range(shape[1]) if changes.testable() else ():
            for a in range(shape[2]):
                reckonings = changes.reckonings(v, a, changes.sets[:, a])
                found = changes.cautious(reckonings, v)
                effect[l, v, a], interval[l, v, a] = found.difference, found.interval(matrix.resampling.level)
                if a == changes.own[v]:
                    controls[l, v] = changes.control_effects(v, a)
                    if not found.error.isnan():
                        own_cells[l, v] = reckonings
    p = _p(own_cells, of, matrix)
    own = [(matrix.ablated.index(value) if value in matrix.ablated else None) for value in matrix.values]
    verdicts: list[tuple[Verdict, ...]] = []
    for l in range(shape[0]):
        at = [(v, float("nan") if a is None else float(effect[l, v, a])) for v, a in enumerate(own)]
        verdicts.append(tuple(_verdict(size, float(p[l, v]), controls[l, v], matrix) for v, size in at))
    return SpecificEffects(effect, interval, p, controls, tuple(verdicts))


def _changes(matrix: "SupportMatrix") -> list[_Changes]:
    """A cluster's name stands for one cluster in every language, and for another in every value."""
    number = {value: v for v, value in enumerate(matrix.values)}
    pairs = list(zip(matrix.item_values, matrix.item_clusters, strict=True))
    clusters = {pair: c for c, pair in enumerate(dict.fromkeys(pairs))}
    of = torch.tensor([number[value] for value, _ in clusters])
    own = [
        matrix.ablated.index(value) if value in matrix.ablated and matrix.n_neurons[matrix.ablated.index(value)] else -1
        for value in matrix.values
    ]
    columns = torch.tensor(own)
    owner = tuple(number.get(value, -1) for value in matrix.ablated)
    edited, random = (margins - matrix.clean_margins for margins in (matrix.edited_margins, matrix.control_margins))
    found = []
    for language in matrix.languages:
        items = [i for i, spoken in enumerate(matrix.item_languages) if spoken == language]
        which = torch.tensor([clusters[pairs[i]] for i in items])
        sets, controls = (cluster_means(changes[..., items], which, of) for changes in (edited, random))
        found.append(_Changes(sets.T, controls, of, columns, owner))
    return found


def _p(
    cells: dict[tuple[int, int], list[Tensor]], of: Int64[Tensor, "cluster"], matrix: "SupportMatrix"
) -> Float64[Tensor, "language value"]:
    """The larger of both reckonings' corrected p-values; 1 where they disagree about the sign."""
    found = torch.full((len(matrix.languages), len(matrix.values)), torch.nan, dtype=torch.float64)
    if not cells:
        return found
    both = [
        deal_p(
            [(v, reckonings[which]) for (_, v), reckonings in cells.items()],
            of,
            n_resamples=matrix.resampling.n,
            generator=torch.Generator().manual_seed(matrix.resampling.seed),
        )
        for which in (0, 1)
    ]
    for ((l, v), reckonings), *p in zip(cells.items(), *both, strict=True):
        one, other = (float(contrast_of(residual, of, v).difference) for residual in reckonings)
        found[l, v] = max(p) if one * other > 0 else 1.0
    return found


def _verdict(effect: float, p: float, controls: Tensor, matrix: "SupportMatrix") -> Verdict:
    known = controls[~controls.isnan()]
    if p != p:
        return "not testable"
    if p >= ALPHA or (effect >= 0 and matrix.meta.get("edit", "zero") in ABLATIONS):
        return "not specific"
    if len(known) < LEAST_CONTROLS:
        return "too few controls"
    return "specific" if abs(effect) > float(known.abs().max()) else "not specific"
