"""The conditions of an experiment: the same encoded items clean, under each value's intervention, and under its controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from ..collect import Progress
from ..core import FiringStats, ItemScores, NeuronSet, in_order
from ..errors import DataError
from ..intervene import Intervention, intervening, require_neurons_of
from ..measure import EncodedTask, Measure, score_items
from ..model import LensModel, NeuronSite
from ._drawing import ControlSets, draw_controls
from ._settings import Controls


@dataclass
class _Runs:
    """Runs of one encoded task, counted for the progress."""

    lens: LensModel
    task: EncodedTask
    site: NeuronSite
    intervention: Intervention
    n_runs: int
    progress: Progress | None
    n_done: int = 0

    def run_clean(self) -> Float64[Tensor, "item"]:
        return self._report(score_items(self.lens, self.task))

    def run_with(self, neurons: NeuronSet, *, must_change: bool = True) -> Float64[Tensor, "item"]:
        with intervening(self.lens, self.site, neurons, self.intervention, must_change=must_change):
            scores = score_items(self.lens, self.task)
        return self._report(scores)

    def _report(self, scores: Float64[Tensor, "item"]) -> Float64[Tensor, "item"]:
        self.n_done += 1
        if self.progress is not None:
            self.progress(self.n_done, self.n_runs)
        return scores


def run_conditions(
    lens: LensModel,
    items: Sequence[Any],
    sets: Mapping[str, NeuronSet],
    measure: Measure,
    intervention: Intervention,
    *,
    controls: Controls,
    stats: FiringStats | None,
    progress: Progress | None = None,
) -> tuple[ItemScores, dict[str, Any]]:
    """Scores of all items in every condition, and what is known of the experiment.

    Controls may hold neurons of any set, since effects are ranked among them; for the mean that is shown, some are run with the
    value's own neurons replaced. A value with an empty set is kept with NaN.

    Args:
        lens: the model.
        items: what is asked, in every condition; each has an id, a value, a language and a unit of evidence.
        sets: neurons by value.
        measure: how the items are asked and scored.
        intervention: what is done to the neurons.
        controls: how many matched random sets, and what they are matched in.
        stats: how often each neuron fires and how large its activations are; None only without controls.
        progress: called after each run.

    Raises:
        DataError: where no value has neurons, or `stats` lack sums.
        NeuronError: for a set that fills most of a layer.
    """
    intervened = in_order(sets, otherwise=tuple(sets))
    chosen = {value: sets[value] for value in intervened if len(sets[value])}
    if not chosen:
        raise DataError("no value has any neurons, so nothing can be ablated; select more")
    fingerprint = lens.identify().fingerprint
    for neurons in chosen.values():
        require_neurons_of(lens, neurons)
    control_sets = (
        draw_controls(lens, stats, chosen, intervention, controls) if controls.n and stats is not None else ControlSets()
    )
    task = measure.encode(lens, items)
    site = lens.site(min(neurons.site for neurons in chosen.values()))
    runs = _Runs(lens, task, site, intervention, 1 + len(chosen) * (1 + controls.n) + control_sets.n_replaced, progress)
    unknown = torch.full((len(items),), torch.nan, dtype=torch.float64)
    clean = runs.run_clean()
    own = torch.stack([runs.run_with(sets[value]) if value in chosen else unknown for value in intervened])
    control, outside = _controls(runs, intervened, control_sets, (len(intervened), controls.n, len(items)))
    scores = ItemScores(
        item_ids=tuple(item.id for item in items),
        item_values=tuple(item.value for item in items),
        item_languages=tuple(item.language for item in items),
        item_clusters=tuple(item.unit for item in items),
        values=in_order({item.value for item in items}, otherwise=intervened),
        languages=tuple(sorted({item.language for item in items})),
        intervened=intervened,
        n_neurons=tuple(len(sets[value]) for value in intervened),
        clean=clean,
        own=own,
        control=control,
        outside=outside,
    )
    meta: dict[str, Any] = {
        "edit": intervention.name,
        "site": site.name,
        "measure": measure.name,
        "unit": measure.unit,
        **task.meta,
        "model": fingerprint,
    }
    return scores, meta | ({"matching": control_sets.matching} if control_sets.matching else {})


def _controls(
    runs: _Runs, intervened: Sequence[str], control_sets: ControlSets, shape: tuple[int, int, int]
) -> tuple[Float64[Tensor, "intervened control item"], Float64[Tensor, "intervened control item"]]:
    """Scores under every ranked control, and under those without neurons of the set as far as they are run."""
    ranked, outside = (torch.full(shape, torch.nan, dtype=torch.float64) for _ in range(2))
    for index, value in enumerate(intervened):
        for number, control in enumerate(control_sets.ranked.get(value, ())):
            # A control of dead neurons may rightly change nothing; a value's own set may not.
            ranked[index, number] = runs.run_with(control, must_change=False)
            other = control_sets.outside[value][number]
            if other is not None:
                outside[index, number] = ranked[index, number] if other is control else runs.run_with(other, must_change=False)
    return ranked, outside
