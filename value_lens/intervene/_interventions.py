"""Interventions: pure functions of the activations of chosen neurons of one layer.

An edit says nothing of models, hooks or tokens; `editing` applies it. Write your own by returning an `Edit` with any function
of (activations, place).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ..core import Entry, FiringStats, Registry
from ..errors import EditError, MismatchError

Activations = Float[Tensor, "batch pos neuron"]


@dataclass(frozen=True)
class Place:
    """Which neurons a slice holds: one layer, and their indices in it, in the order of the slice's last axis."""

    layer: int
    index: Int64[Tensor, "neuron"]


@dataclass(frozen=True)
class Edit:
    """A named pure change. `site`, when set, is the only site it makes sense at; so with `shape` (n_layers, d_mlp).

    keeps_mean: whether a neuron's mean activation stays, so that what is taken away is its variation alone.
    """

    name: str
    change: Callable[[Activations, Place], Activations]
    site: str = ""
    shape: tuple[int, int] | None = None
    model: str = ""
    keeps_mean: bool = False

    def __call__(self, activations: Activations, place: Place) -> Activations:
        changed = self.change(activations, place)
        if changed.shape != activations.shape:
            raise EditError(f"edit {self.name!r} turned shape {tuple(activations.shape)} into {tuple(changed.shape)}")
        return changed


interventions: Registry[Entry] = Registry("intervention", Entry, room=__package__ or "", group="value_lens.interventions")


@interventions.register("zero", source="ValueExploration (arXiv 2504.04994)")
def zero() -> Edit:
    """Ablation to 0: the deactivation of ValueExploration (arXiv 2504.04994). The same logits at either site."""
    return Edit("zero", lambda activations, place: torch.zeros_like(activations))


@interventions.register("mean")
def mean(stats: FiringStats, *, value: str | None = None, aspect: str | None = None) -> Edit:
    """Ablation to the mean activation over a corpus, or over the texts of one value or aspect of it.

    Keeps what the neuron contributes on average, so that only its variation is removed. Raises `DataError` when `stats` holds no
    sums or no such tokens, `UnknownNameError` for an unknown value.
    """
    means = stats.mean(value=value, aspect=aspect)

    def change(activations: Activations, place: Place) -> Activations:
        target = means[place.layer, place.index.cpu()].to(activations.dtype).to(activations.device)  # not all have float64
        return target.expand_as(activations)

    return Edit("mean", change, stats.site, (stats.n_layers, stats.d_mlp), stats.model, keeps_mean=True)


def require_fits(edit: Edit, site: str, n_layers: int, d_mlp: int, model: str) -> None:
    """Raise `MismatchError` when an edit made from statistics is used at another site, shape or model."""
    if edit.site and edit.site != site:
        raise MismatchError(f"edit {edit.name!r} was made at site {edit.site!r}, but the neurons are at site {site!r}")
    if edit.shape and edit.shape != (n_layers, d_mlp):
        raise MismatchError(
            f"edit {edit.name!r} was made for {edit.shape} layers and neurons, the model has {(n_layers, d_mlp)}"
        )
    if edit.model and model and edit.model != model:
        raise MismatchError(f"edit {edit.name!r} was made on a model with other weights ({edit.model}, not {model})")
