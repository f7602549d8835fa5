"""Matched random neuron sets for use by hand, and how much sets overlap."""

from collections.abc import Sequence
from itertools import combinations

from jaxtyping import Float
from torch import Tensor

from ..core import NeuronSet, require_same
from ..errors import MismatchError, NeuronError
from ._bins import POOL, Bins
from ._strata import Strata


def matched_random(
    neurons: NeuronSet,
    rate: Float[Tensor, "layer neuron"],
    *,
    n_sets: int,
    seed: int,
    loudness: Float[Tensor, "_ _"] | None = None,
    exclude: NeuronSet | None = None,
    pool: int = POOL,
) -> list[NeuronSet]:
    """Random control sets: in each layer as many neurons, alike in firing rate and, where it is given, in loudness.

    Drawn from strata of rate and loudness (see `Strata`); the draws depend on `seed` and the set alone.

    Args:
        neurons: The set that the others stand for; none of its members is drawn.
        rate: Firing rate of every neuron.
        n_sets: How many sets to draw.
        seed: The seed of the draws.
        loudness: How far a change of each neuron moves the residual stream, in any unit.
        exclude: Further neurons that are never drawn.
        pool: How many times as many neurons as the set has there a stratum holds at least.

    Returns:
        The sets, each as large as `neurons` in every layer.

    Raises:
        NeuronError: A layer has too few other neurons, or the pool is below 2.
        MismatchError: Rates or loudness are of another shape, or `exclude` is of another model or site.
    """
    for name, numbers in (("loudness", loudness), ("rate", rate)):
        if numbers is not None and tuple(numbers.shape) != (neurons.n_layers, neurons.d_mlp):
            raise MismatchError(f"{name} has shape {tuple(numbers.shape)}, the set needs ({neurons.n_layers}, {neurons.d_mlp})")
    if pool < 2:
        raise NeuronError(f"pool is {pool}; give at least 2, or the set itself may be all that can be drawn")
    if exclude is not None:
        require_same(neurons, exclude)
    strata = Strata.build(neurons, Bins.build(rate, loudness), pool=pool, exclude=exclude)
    strata.require_room()
    drawn = [strata.without_members(strata.draw(number, seed), number, seed) for number in range(n_sets)]
    return [strata.control(control, number, seed) for number, control in enumerate(drawn)]


def overlap(sets: Sequence[NeuronSet]) -> float:
    """The share of neurons that two of the sets have in common, on average over all pairs of equally large sets; NaN for one set."""
    pairs = list(combinations([set(neurons) for neurons in sets], 2))
    return sum(len(a & b) / len(a) for a, b in pairs) / len(pairs) if pairs else float("nan")
