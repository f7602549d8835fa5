"""The contract of interventions, and their registry.

An intervention is prepared once for a model, its neurons and the items that will be run, and gives a pure function of activations. It
says nothing of hooks; `intervening` applies it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Float, Int64
from torch import Tensor

from ..core import Entry, NeuronSet, Registry
from ..errors import InterventionError, MismatchError
from ..model import LensModel

Activations = Float[Tensor, "batch pos neuron"]
Phase = Literal["prompt", "generated"]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a slice of activations comes from. What the run does not tell is None, as in a forward pass of the user's own.

    Args:
        layer: the layer of the slice.
        item_ids: for each row of the batch the id of its item.
        positions: for each token its place in its own text, from 0; -1 for padding.
        step: how many tokens were generated before this run; 0 for a run of whole texts.
        phase: whether the tokens are given ("prompt") or were generated.
    """

    layer: int
    item_ids: tuple[str, ...] | None = None
    positions: Int64[Tensor, "batch pos"] | None = None
    step: int | None = None
    phase: Phase | None = None


Bound = Callable[[Activations, Context], Activations]
Prepare = Callable[[LensModel, NeuronSet, Sequence[Any]], Bound]


@dataclass(frozen=True)
class Intervention:
    """A named change of activations.

    Args:
        name: for messages and results.
        prepare: (model, neurons, items) -> a function (activations, context) -> activations. The slice holds the neurons of
            `neurons` in one layer, in order of their index. The function is pure, keeps shape, dtype and device, changes nothing
            outside its scope, and does at one token the same whatever other tokens are in the slice.
        site: the only site it makes sense at; "" for any.
        shape: the only (n_layers, d_mlp) it makes sense for; None for any.
        model: the fingerprint of the only weights it makes sense for; "" for any.
        keeps_mean: whether a neuron's mean activation stays, so that what is taken away is its variation alone.
    """

    name: str
    prepare: Prepare
    site: str = ""
    shape: tuple[int, int] | None = None
    model: str = ""
    keeps_mean: bool = False

    def require_fits(self, site: str, n_layers: int, d_mlp: int, model: str) -> None:
        """Refuse another site, shape or model than those of the statistics that the intervention was made from.

        Raises:
            MismatchError: with both.
        """
        if self.site and self.site != site:
            raise MismatchError(
                f"intervention {self.name!r} was made at site {self.site!r}, but the neurons are at site {site!r}"
            )
        if self.shape and self.shape != (n_layers, d_mlp):
            raise MismatchError(
                f"intervention {self.name!r} was made for {self.shape} layers and neurons, the model has {(n_layers, d_mlp)}"
            )
        if self.model and model and self.model != model:
            raise MismatchError(
                f"intervention {self.name!r} was made on a model with other weights ({self.model}, not {model})"
            )


def pointwise(name: str, change: Bound) -> Intervention:
    """An intervention that needs no preparation.

    >>> half = pointwise("half", lambda activations, context: activations / 2)
    >>> half.name
    'half'

    Args:
        name: for messages and results.
        change: (activations, context) -> activations, pure.

    Returns:
        The intervention, at any site of any model.
    """
    return Intervention(name, lambda model, neurons, items: change)


def with_contract_checks(name: str, bound: Bound) -> Bound:
    """The function with its results held to the contract."""

    def apply(activations: Activations, context: Context) -> Activations:
        changed = bound(activations, context)
        for attribute in ("shape", "dtype", "device"):
            before, after = getattr(activations, attribute), getattr(changed, attribute)
            if before != after:
                pair = (tuple(before), tuple(after)) if attribute == "shape" else (before, after)
                raise InterventionError(f"intervention {name!r} turned {attribute} {pair[0]} into {pair[1]}; it must keep it")
        return changed

    return apply


interventions: Registry[Entry] = Registry("intervention", Entry, room=__package__ or "", group="value_lens.interventions")
