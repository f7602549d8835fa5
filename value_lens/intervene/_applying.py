"""Interventions in force: a context manager over any forward or generate; leaving restores."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from torch import Tensor

from ..core import NeuronSet
from ..errors import EditError, MismatchError, NeuronError
from ..model import LensModel, NeuronSite, Rewrite, writing
from ._interventions import Edit, Place, require_fits


@dataclass
class EditLog:
    """What an edit did so far: how often it ran (layer by layer), and whether any activation changed."""

    n_calls: int = 0
    _changes: list[Tensor] = field(default_factory=list)

    def record(self, before: Tensor, after: Tensor) -> None:
        self.n_calls += 1
        changed = (before != after).any()
        self._changes = [changed if not self._changes else self._changes[0] | changed]

    @property
    def changed(self) -> bool:
        return any(bool(flag) for flag in self._changes)


def require_neurons_of(view: LensModel, neurons: NeuronSet) -> None:
    """Raise `NeuronError` for an empty set, `MismatchError` for one from another shape or model."""
    if not len(neurons):
        raise NeuronError("the neuron set is empty, so there is nothing to edit")
    if (neurons.n_layers, neurons.d_mlp) != (view.n_layers, view.d_mlp):
        raise MismatchError(
            f"the set is over {neurons.n_layers} layers of {neurons.d_mlp} neurons, the model has {view.n_layers} of {view.d_mlp}"
        )
    fingerprint = view.info.fingerprint if neurons.model else ""
    if fingerprint and neurons.model != fingerprint:
        raise MismatchError(
            f"the set was found on a model with other weights (fingerprint {neurons.model}, this model has "
            f"{fingerprint}); to use it all the same, pass dataclasses.replace(neurons, model='')"
        )


def editing(
    view: LensModel, site: NeuronSite, neurons: NeuronSet, edit: Edit, *, must_change: bool = True
) -> AbstractContextManager[EditLog]:
    """Apply `edit` to `neurons` in every run of the model inside the block, at all tokens.

    Contexts nest; at the gate site an inner edit of the same neuron replaces the outer one. On leaving, by whatever way, exactly
    these hooks are removed. An edit acts no longer than its block, also where an interrupt comes while it is entered or left.
    Raises `EditError` at the end of a block in which the model ran and no activation changed (unless must_change=False), since
    such an effect of zero would be no result.
    """
    require_neurons_of(view, neurons)
    if neurons.site != site.name:
        raise MismatchError(f"the set is at site {neurons.site!r}, the edit at site {site.name!r}")
    require_fits(edit, site.name, view.n_layers, view.d_mlp, view.info.fingerprint if edit.model else "")
    log = EditLog()

    def rewrite(place: Place) -> Rewrite:
        def apply(activations: Tensor) -> Tensor:
            changed = edit(activations, place)
            log.record(activations, changed)
            return changed

        return apply

    def require_change() -> None:
        if must_change and log.n_calls and not log.changed:
            raise EditError(
                f"edit {edit.name!r} ran {log.n_calls} times and changed no activation of its {len(neurons)} neurons"
            )

    places = {layer: Place(layer, index.to(view.device)) for layer, index in neurons.per_layer().items()}
    functions = writing(site, {layer: (place.index, rewrite(place)) for layer, place in places.items()})
    return view.hooks(functions, value=log, at_end=require_change)
