"""The numbers of an effect matrix, computed from per-item scores."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ..core import EffectMatrix, ItemScores, Resampling, attach_view, labels_of
from ..measure import supports
from ._cells import cell_intervals, cell_p
from ._intervals import difference_interval, mean_interval
from ._rank import rank_among
from ._verdicts import ABLATIONS, specific_effects


def effect_matrix(
    scores: ItemScores, *, resampling: Resampling | None = None, meta: Mapping[str, Any] | None = None
) -> EffectMatrix:
    """Rates, effects, intervals, p-values, ranks and specific effects of every cell.

    Args:
        scores: of every item in every condition; above 0 the model prefers the aligned option.
        resampling: settings of intervals and p-values.
        meta: what else is known of the experiment. "edit" names the intervention: one that ablates must lower a value's score to
            be specific to it. Labels of the values are added from the known systems unless they are there.

    Returns:
        The matrix; a cell without items or of an empty set is NaN.
    """
    resampling, meta = resampling or Resampling(), dict(meta or {})
    level, clusters = resampling.level, scores.clusters
    clean = scores.means(_supports(scores.clean))
    rate = scores.means(_supports(scores.own)).permute(1, 2, 0)
    effect = rate - clean[..., None]
    change = scores.own - scores.clean
    margin_effect = scores.means(change).permute(1, 2, 0)
    control_rate = scores.means(_supports(scores.control)).permute(2, 3, 0, 1)
    outside = scores.control if scores.outside is None else scores.outside
    outside_effect = scores.means(_supports(outside)).permute(2, 3, 0, 1) - clean[..., None, None]
    rank = rank_among(effect, control_rate - clean[..., None, None])
    margin_rank = rank_among(margin_effect, scores.means(scores.control - scores.clean).permute(2, 3, 0, 1))
    least_rank_p = 1 / (1 + scores.n_controls)

    measured = _measured_cells(scores, effect)
    before, after = supports(scores.clean)[None], supports(scores.own)
    of_rates = lambda i: difference_interval(after[:, i], before[:, i], clusters[i], level=level)  # noqa: E731
    of_margins = lambda i: mean_interval(change[:, i], clusters[i], level=level)  # noqa: E731
    return EffectMatrix(
        scores=scores,
        clean=clean,
        rate=rate,
        effect=effect,
        interval=cell_intervals(effect, measured, of_rates),
        p=cell_p(effect, measured, after - before, clusters, resampling),
        margin_effect=margin_effect,
        margin_interval=cell_intervals(effect, measured, of_margins),
        margin_p=cell_p(effect, measured, change, clusters, resampling),
        control_rate=control_rate,
        outside_effect=outside_effect,
        control_mean=clean[..., None] + torch.nanmean(outside_effect, -1),
        rank=rank,
        rank_p=rank * least_rank_p,
        margin_rank_p=margin_rank * least_rank_p,
        specific=specific_effects(scores, resampling, lowers=meta.get("edit", "zero") in ABLATIONS),
        resampling=resampling,
        meta={**meta, **({} if "labels" in meta else _labels(scores))},
    )


def _supports(margins: Float[Tensor, "... item"]) -> Float64[Tensor, "... item"]:
    """Support of each item; NaN where its score is."""
    return supports(margins).masked_fill(torch.isnan(margins), torch.nan)


def _measured_cells(
    scores: ItemScores, effect: Float64[Tensor, "language value intervened"]
) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    """{(language, value): its items, and the intervened values under which all their scores are known}, where there are both."""
    cells = {}
    for l, language in enumerate(scores.languages):
        for v, value in enumerate(scores.values):
            columns = (~torch.isnan(effect[l, v])).nonzero().flatten().tolist()
            if columns:
                cells[l, v] = scores.items_of(language, value), columns
    return cells


def _labels(scores: ItemScores) -> dict[str, Any]:
    """{"labels": {value: {language: label}}} of all values that a known system has; nothing for none."""
    names = dict.fromkeys([*scores.values, *scores.intervened])
    labels = {name: by_language for name in names if (by_language := labels_of(name))}
    return {"labels": labels} if labels else {}


attach_view("effect matrix", "compute", effect_matrix)
