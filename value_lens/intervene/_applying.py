"""Interventions in force: a context manager over any forward or generate; leaving restores."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..core import NeuronSet
from ..errors import InterventionError, MismatchError, NeuronError
from ..model import LensModel, NeuronSite, Rewrite, writing
from ._intervention import Intervention, with_contract_checks
from ._running import context_of


@dataclass
class InterventionLog:
    """What an intervention did so far: how often it ran (layer by layer), and whether any activation changed."""

    n_calls: int = 0
    _changes: list[Tensor] = field(default_factory=list)

    def record(self, before: Tensor, after: Tensor) -> None:
        self.n_calls += 1
        changed = (before != after).any()
        self._changes = [changed if not self._changes else self._changes[0] | changed]

    @property
    def changed(self) -> bool:
        return any(bool(flag) for flag in self._changes)


def require_neurons_of(lens: LensModel, neurons: NeuronSet) -> None:
    """Raise `NeuronError` for an empty set, `MismatchError` for one from another shape or model."""
    if not len(neurons):
        raise NeuronError("the neuron set is empty, so there is nothing to intervene on")
    if (neurons.n_layers, neurons.d_mlp) != (lens.n_layers, lens.d_mlp):
        raise MismatchError(
            f"the set is over {neurons.n_layers} layers of {neurons.d_mlp} neurons, the model has {lens.n_layers} of {lens.d_mlp}"
        )
    fingerprint = lens.info.fingerprint if neurons.model else ""
    if fingerprint and neurons.model != fingerprint:
        raise MismatchError(
            f"the set was found on a model with other weights (fingerprint {neurons.model}, this model has "
            f"{fingerprint}); to use it all the same, pass dataclasses.replace(neurons, model='')"
        )


def intervening(
    lens: LensModel,
    site: NeuronSite,
    neurons: NeuronSet,
    intervention: Intervention,
    *,
    items: Sequence[Any] = (),
    must_change: bool = True,
) -> AbstractContextManager[InterventionLog]:
    """Apply an intervention to neurons in every run of the model inside the block, at all tokens.

    Contexts nest; at the gate site an inner intervention on the same neuron replaces the outer one. On leaving, by whatever way,
    exactly these hooks are removed. An intervention acts no longer than its block, also where an interrupt comes while it is
    entered or left.

    Args:
        lens: the model.
        site: where the neurons' activations are.
        neurons: whose activations are changed.
        intervention: how.
        items: what will be run, for interventions that prepare for it.
        must_change: whether a block in which the model ran and no activation changed is an error, since an effect of zero would then
            be no result.

    Returns:
        A context manager that binds the log.

    Raises:
        InterventionError: at the end of a block without a change; inside it, when the intervention breaks its contract.
        MismatchError: for neurons, or an intervention, of another site, shape or model.
        NeuronError: for an empty set.
    """
    require_neurons_of(lens, neurons)
    if neurons.site != site.name:
        raise MismatchError(f"the set is at site {neurons.site!r}, the intervention at site {site.name!r}")
    fingerprint = lens.info.fingerprint if intervention.model else ""
    intervention.require_fits(site.name, lens.n_layers, lens.d_mlp, fingerprint)
    bound = with_contract_checks(intervention.name, intervention.prepare(lens, neurons, items))
    log = InterventionLog()

    def rewrite(layer: int) -> Rewrite:
        def apply(activations: Tensor) -> Tensor:
            changed = bound(activations, context_of(layer, tuple(activations.shape)))
            log.record(activations, changed)
            return changed

        return apply

    def require_change() -> None:
        if must_change and log.n_calls and not log.changed:
            raise InterventionError(
                f"intervention {intervention.name!r} ran {log.n_calls} times and changed no activation of its {len(neurons)} neurons"
            )

    rewrites = {layer: (index.to(lens.device), rewrite(layer)) for layer, index in neurons.per_layer().items()}
    return lens.hooks(writing(site, rewrites), value=log, at_end=require_change)
