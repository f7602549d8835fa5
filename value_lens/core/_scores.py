"""Neuron scores: one per value and neuron, higher meaning more specific to the value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import MismatchError, NeuronError, UnknownNameError
from . import _store as store
from ._kinds import FLOATS, OBJECT, TEXT, Kind, Numbers, list_of
from ._neurons import NeuronSet

_ANY = {"dtypes": FLOATS, "negative": True, "finite": False}
KIND = Kind(
    "neuron scores",
    fields={"method": TEXT, "values": list_of(TEXT, "value", distinct=True), "site": TEXT, "model": TEXT, "params": OBJECT},
    tensors={"scores": Numbers("value layer neuron", **_ANY), "part.*": Numbers("... layer neuron", **_ANY, optional=True)},
)


@dataclass(frozen=True)
class NeuronScores:
    """Scores of one method at one site, higher meaning more specific to the value.

    Args:
        method: The method's name.
        values: Names of the values, in the order of the scores.
        scores: One score per value and neuron, in the method's own unit.
        site: The site of the neurons: "post" or "gate".
        model: The weights' fingerprint, "" when unknown.
        params: The method's parameters.
        parts: What its selection rule needs besides, by name.

    Raises:
        MismatchError: There are more or fewer values than scores.
    """

    method: str
    values: tuple[str, ...]
    scores: Float[Tensor, "value layer neuron"]
    site: str
    model: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.values) != len(self.scores):
            raise MismatchError(f"{len(self.values)} values for scores of {len(self.scores)}")

    @property
    def n_layers(self) -> int:
        return self.scores.shape[1]

    @property
    def d_mlp(self) -> int:
        return self.scores.shape[2]

    def for_value(self, value: str) -> Float[Tensor, "layer neuron"]:
        """The scores of one value; raises `UnknownNameError` for another."""
        if value not in self.values:
            raise UnknownNameError("value", value, self.values)
        return self.scores[self.values.index(value)]

    def save(self, path: str | Path) -> Path:
        """Write as safetensors, atomically and with a checksum; raises `OutputError`."""
        meta = {"method": self.method, "values": list(self.values), "site": self.site, "model": self.model}
        tensors = {"scores": self.scores, **{f"part.{name}": part for name, part in self.parts.items()}}
        return store.save(path, KIND, {**meta, "params": dict(self.params)}, tensors)

    @classmethod
    def load(cls, path: str | Path) -> "NeuronScores":
        """Read saved scores; raises `ArtefactError` for a file that is damaged or of another kind."""

        def build(meta: dict[str, Any], tensors: dict[str, Tensor]) -> "NeuronScores":
            parts = {name.removeprefix("part."): tensor for name, tensor in tensors.items() if name != "scores"}
            return cls(scores=tensors["scores"], parts=parts, **{**meta, "values": tuple(meta["values"])})

        return store.load(path, KIND, build)


def average_precision(scores: Float[Tensor, "layer neuron"], true: NeuronSet) -> float:
    """Area under the precision-recall curve of a ranking against known true neurons; equal scores are entered together.

    Args:
        scores: One score per neuron, higher meaning more likely true.
        true: The true neurons.

    Returns:
        The mean over true neurons of the share of true ones among all neurons scored at least as high, from 0 to 1. Chance level is
        len(true) / (n_layers * d_mlp).

    Raises:
        NeuronError: The set of true neurons is empty.
        MismatchError: Scores and neurons are of different shapes.
    """
    require_same_shape(scores, true)
    if not len(true):
        raise NeuronError("the set of true neurons is empty, so a ranking cannot be judged by it")
    flat, hit = scores.flatten().double(), true.mask().flatten()
    order = torch.argsort(flat, descending=True, stable=True)
    ranked, hits = flat[order], hit[order].double()
    # The last place with an equal score: a tie is entered whole.
    _, run = torch.unique_consecutive(ranked, return_inverse=True)
    last = torch.bincount(run).cumsum(0)[run] - 1
    precision = hits.cumsum(0)[last] / (last + 1)
    return float((precision * hits).sum() / hits.sum())


def require_same_shape(scores: Tensor, neurons: NeuronSet) -> None:
    if tuple(scores.shape[-2:]) != (neurons.n_layers, neurons.d_mlp):
        raise MismatchError(
            f"scores of shape {tuple(scores.shape)} for a set over {neurons.n_layers} x {neurons.d_mlp} neurons"
        )
