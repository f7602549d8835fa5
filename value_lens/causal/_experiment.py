"""The experiment: the same encoded dilemmas clean, under each value's ablation, and under its controls."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..collect import Progress
from ..core import Dilemma, FiringStats, NeuronSet, Resampling, in_order
from ..errors import DataError
from ..intervene import Intervention, intervening, require_neurons_of
from ..measure import Question, choice, score_items
from ..model import Batching, LensModel, NeuronSite
from ._drawing import ControlSets, draw_controls
from ._matrix import SupportMatrix
from ._settings import Controls


def support_matrix(
    view: LensModel,
    site: NeuronSite,
    dilemmas: Sequence[Dilemma],
    sets: Mapping[str, NeuronSet],
    edit: Intervention,
    stats: FiringStats | None,
    *,
    controls: Controls,
    question: Question,
    resampling: Resampling,
    batching: Batching | None = None,
    progress: Progress | None = None,
) -> SupportMatrix:
    """Support of every value with every value's neurons edited, and with matched random sets in their place.

    `stats` tell how often each neuron fires and how large its activations are, which controls are matched in; only without
    controls they may be None. Controls may hold neurons of any set, since effects are ranked among them; for the mean that is
    shown, some are run with the value's own neurons replaced. A value with an empty set is kept with NaN. Raises `DataError` when
    no value has neurons or `stats` lack sums, `NeuronError` when a set fills most of a layer.
    """
    ablated = in_order(set(sets))
    chosen = {value: sets[value] for value in ablated if len(sets[value])}
    if not chosen:
        raise DataError("no value has any neurons, so nothing can be ablated; select more")
    fingerprint = view.identify().fingerprint
    for neurons in chosen.values():
        require_neurons_of(view, neurons)
    drawn = draw_controls(view, stats, chosen, edit, controls) if controls.n and stats is not None else ControlSets()
    task = choice(question).encode(view, dilemmas)
    n_runs, done = 1 + len(chosen) * (1 + controls.n) + drawn.n_replaced, 0

    def margins(neurons: NeuronSet | None, must_change: bool = True) -> Tensor:
        nonlocal done
        if neurons is None:
            found = score_items(view, task, batching)
        else:
            with intervening(view, site, neurons, edit, must_change=must_change):
                found = score_items(view, task, batching)
        done += 1
        if progress is not None:
            progress(done, n_runs)
        return found

    unknown = torch.full((len(dilemmas),), torch.nan, dtype=torch.float64)
    clean = margins(None)
    edited = torch.stack([margins(sets[value]) if value in chosen else unknown for value in ablated])
    shape = (len(ablated), controls.n, len(dilemmas))
    random, without = (torch.full(shape, torch.nan, dtype=torch.float64) for _ in range(2))
    for place, value in enumerate(ablated):
        for number, control in enumerate(drawn.ranked.get(value, ())):
            # A control of dead neurons may rightly change nothing; a value's own set may not.
            random[place, number] = margins(control, must_change=False)
            other = drawn.outside[value][number]
            if other is not None:
                without[place, number] = random[place, number] if other is control else margins(other, must_change=False)
    meta: dict[str, Any] = {
        "edit": edit.name,
        "site": site.name,
        **task.meta,
        "model": fingerprint,
    }
    return SupportMatrix(
        item_ids=tuple(d.id for d in dilemmas),
        item_values=tuple(d.value for d in dilemmas),
        item_languages=tuple(d.language for d in dilemmas),
        item_clusters=tuple(d.unit for d in dilemmas),
        values=in_order({d.value for d in dilemmas}),
        languages=tuple(sorted({d.language for d in dilemmas})),
        ablated=ablated,
        n_neurons=tuple(len(sets[value]) for value in ablated),
        clean_margins=clean,
        edited_margins=edited,
        control_margins=random,
        outside_margins=without,
        resampling=resampling,
        meta=meta | ({"matching": drawn.matching} if drawn.matching else {}),
    )
