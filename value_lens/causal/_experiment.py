"""The experiment: every condition run, controls matched, inference over clusters, one effect matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..collect import Progress, collect_firing
from ..core import Dilemma, EffectMatrix, FiringStats, LabelledText, NeuronSet, Resampling, key_by_name, require_same
from ..data import require_one_spelling
from ..errors import DataError
from ..intervene import Intervention
from ..measure import Measure
from ..model import LensModel
from ._conditions import run_conditions
from ._effects import effect_matrix
from ._settings import Controls


@dataclass(frozen=True)
class Design:
    """How an experiment tells an effect from chance.

    Args:
        controls: Matched random sets for each value.
        resampling: Settings of intervals and p-values; None for the default.
        stats: What controls are matched by; None to count on the items' own scenarios.
    """

    controls: Controls
    resampling: Resampling | None = None
    stats: FiringStats | None = None


def run_experiment(
    lens: LensModel,
    items: Sequence[Any],
    sets: Mapping[str, NeuronSet],
    measure: Measure,
    intervention: Intervention,
    *,
    design: Design,
    progress: Progress | None = None,
) -> EffectMatrix:
    """Scores of every value while each value's neurons are changed, and under matched random controls; see `ValueLens.experiment`."""
    sets = key_by_name("value of the neuron sets", sets)
    require_one_spelling(items, values=dict.fromkeys(sets, "the neuron sets"))
    sites = {neurons.site for neurons in sets.values() if len(neurons)} or {"post"}
    stats = design.stats
    if stats is None and design.controls.n:
        stats = collect_firing(lens, lens.site(min(sites)), _scenarios(items))
    for neurons in filter(len, sets.values()) if stats is not None else ():
        require_same(stats, neurons)
    scores, meta = run_conditions(
        lens, items, sets, measure, intervention, controls=design.controls, stats=stats, progress=progress
    )
    return effect_matrix(scores, resampling=design.resampling, meta=meta)


def _scenarios(items: Sequence[Any]) -> list[LabelledText]:
    """The scenarios of dilemmas as texts to count on; raises `DataError` for items of another kind."""
    if other := next((item for item in items if not isinstance(item, Dilemma)), None):
        raise DataError(
            f"controls are matched by firing statistics, and a {type(other).__name__} has no scenario to count on; give stats"
        )
    return [LabelledText(id=d.id, text=d.scenario, value=d.value, aspect="+", language=d.language) for d in items]
