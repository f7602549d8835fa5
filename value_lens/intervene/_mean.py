"""Ablation to a mean activation."""

from collections.abc import Sequence
from typing import Any

from ..core import FiringStats, NeuronSet
from ..model import LensModel
from ._intervention import Activations, Bound, Context, Intervention, interventions


@interventions.register("mean", source="mean ablation, as in studies of circuits")
def mean(stats: FiringStats, *, value: str | None = None, aspect: str | None = None) -> Intervention:
    """Ablation to the mean activation over a corpus; only what varies is removed.

    Args:
        stats: firing statistics with sums, of the same model and site.
        value: the mean over texts of this value only.
        aspect: the mean over texts of this aspect only, "+" or "-".

    Returns:
        The intervention; it keeps what a neuron contributes on average.

    Raises:
        DataError: when `stats` holds no sums or no such tokens.
        UnknownNameError: for an unknown value.
    """
    means = stats.mean(value=value, aspect=aspect)

    def prepare(model: LensModel, neurons: NeuronSet, items: Sequence[Any]) -> Bound:
        targets = {layer: means[layer, index.cpu()] for layer, index in neurons.per_layer().items()}

        def change(activations: Activations, context: Context) -> Activations:
            target = targets[context.layer].to(activations.dtype).to(activations.device)  # not all devices have float64
            return target.expand_as(activations)

        return change

    return Intervention("mean", prepare, stats.site, (stats.n_layers, stats.d_mlp), stats.model, keeps_mean=True)
