"""The controls of every value: drawn from strata, replaced where they share members, and how like their sets they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float64
from torch import Tensor

from ..core import FiringStats, NeuronSet
from ..intervene import Intervention
from ..model import LensModel, output_norms
from ._bins import Bins
from ._random_sets import overlap
from ._settings import Controls
from ._strata import Strata

OUTSIDE = 5  # controls without neurons of the set that are run at least, for their mean


@dataclass(frozen=True)
class ControlSets:
    """Matched random sets by value. `ranked`: those that effects are ranked among, which may hold neurons of the set itself.

    `outside`: for each one without such neurons: itself where it has none, of others as many as make up `OUTSIDE`, else None.
    `matching`: how like its set the controls of a value are.
    """

    ranked: Mapping[str, Sequence[NeuronSet]] = field(default_factory=dict)
    outside: Mapping[str, Sequence[NeuronSet | None]] = field(default_factory=dict)
    matching: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def n_replaced(self) -> int:
        """How many sets are run besides the ranked ones."""
        pairs = [pair for value in self.ranked for pair in zip(self.ranked[value], self.outside[value], strict=True)]
        return sum(other not in (None, control) for control, other in pairs)


def draw_controls(
    lens: LensModel, stats: FiringStats, sets: Mapping[str, NeuronSet], edit: Intervention, controls: Controls
) -> ControlSets:
    """Controls of each set, none of which is empty.

    Raises:
        DataError: where loudness is matched and `stats` hold no activation sums.
        NeuronError: for a set that fills most of a layer.
    """
    rate = stats.rate()
    loud = loudness(lens, stats, edit) if "loudness" in controls.match else None
    bins = Bins.build(rate, loud, by_rate="rate" in controls.match)
    ranked: dict[str, list[NeuronSet]] = {}
    outside: dict[str, list[NeuronSet | None]] = {}
    matching: dict[str, dict[str, float | None]] = {}
    for value, neurons in sets.items():
        strata = Strata.build(neurons, bins)
        strata.require_room()
        ranked[value], outside[value] = _draw_for_set(strata, controls)
        matching[value] = _matching(strata, ranked[value], rate, loud)
    return ControlSets(ranked, outside, matching)


def loudness(lens: LensModel, stats: FiringStats, edit: Intervention) -> Float64[Tensor, "layer neuron"]:
    """How far an edit of each neuron moves the residual stream: the size of its activations times the norm of its row of W_out.

    Their root mean square, or for an edit that keeps the mean their standard deviation. Raises `DataError` without sums.
    """
    return stats.post_size(centred=edit.keeps_mean) * output_norms(lens)


def _draw_for_set(strata: Strata, controls: Controls) -> tuple[list[NeuronSet], list[NeuronSet | None]]:
    """The ranked controls of one value, and those without its neurons."""
    seed = controls.seed
    drawn = [strata.draw(number, seed) for number in range(controls.n)]
    others = [strata.without_members(control, number, seed) for number, control in enumerate(drawn)]
    ranked = [strata.control(control, number, seed) for number, control in enumerate(drawn)]
    n_more = OUTSIDE - sum(other is control for other, control in zip(others, drawn, strict=True))
    outside: list[NeuronSet | None] = []
    for number, (control, other) in enumerate(zip(drawn, others, strict=True)):
        n_more -= other is not control
        replaced = strata.control(other, number, seed) if n_more >= 0 else None
        outside.append(ranked[number] if other is control else replaced)
    return ranked, outside


def _matching(strata: Strata, controls: Sequence[NeuronSet], rate: Tensor, loud: Tensor | None) -> dict[str, float | None]:
    """How like its neurons the controls of one value are: firing rate and loudness on average, and what neurons are shared."""
    inside = strata.neurons.mask()
    row: dict[str, float | None] = {"rate": float(rate[inside].mean()), "control_rate": strata.mean(rate)}
    if loud is not None:
        row["loudness"] = float((loud[inside] ** 2).mean()) ** 0.5  # the root mean square: what moves at random adds up so
        row["control_loudness"] = strata.mean(loud**2) ** 0.5
    row["control_overlap"] = overlap(controls) if len(controls) > 1 else None
    return {name: None if number is None else round(number, 6) for name, number in {**row, **strata.fairness}.items()}
