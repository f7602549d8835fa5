"""Neuron sets: immutable (layer, index) pairs at one site, with provenance and set algebra."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from ..errors import MismatchError, NeuronError
from . import _store as store
from ._kinds import COUNT, OBJECT, SIZE, TEXT, Kind, list_of, tuple_of

Neuron = tuple[int, int]
KIND = Kind(
    "neuron set",
    fields={
        "site": TEXT,
        "n_layers": SIZE,
        "d_mlp": SIZE,
        "model": TEXT,
        "provenance": OBJECT,
        "neurons": list_of(tuple_of(COUNT, COUNT)),
    },
)


@dataclass(frozen=True)
class NeuronSet:
    """A set of neurons of one model shape at one site.

    Args:
        neurons: Distinct (layer, index) pairs, both from 0, kept sorted.
        site: The tensor whose columns they are: "post" or "gate".
        n_layers: Layers of the model.
        d_mlp: Neurons of a layer.
        model: The weights' fingerprint, "" when unknown: then only shapes are checked.
        provenance: How the set was selected; it does not take part in equality.

    Raises:
        NeuronError: An index is out of range.

    >>> a = NeuronSet.from_pairs([(0, 1), (1, 2)], site="post", n_layers=2, d_mlp=4)
    >>> b = NeuronSet.from_pairs([(1, 2)], site="post", n_layers=2, d_mlp=4)
    >>> len(a), (1, 2) in a, (a - b).neurons, (a & b) == b
    (2, True, ((0, 1),), True)
    """

    neurons: tuple[Neuron, ...]
    site: str
    n_layers: int
    d_mlp: int
    model: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for layer, index in self.neurons:
            if not (0 <= layer < self.n_layers and 0 <= index < self.d_mlp):
                raise NeuronError(
                    f"neuron (layer {layer}, index {index}) is out of range: the model has {self.n_layers} layers of "
                    f"{self.d_mlp} neurons, counted from 0"
                )
        object.__setattr__(self, "neurons", tuple(sorted(set(self.neurons))))

    @classmethod
    def from_pairs(
        cls,
        neurons: Iterable[Iterable[int]],
        *,
        site: str,
        n_layers: int,
        d_mlp: int,
        model: str = "",
        provenance: Mapping[str, Any] | None = None,
    ) -> "NeuronSet":
        """A set of any (layer, index) pairs, such as rows of an array; arguments and errors as in the class."""
        pairs = tuple((int(layer), int(index)) for layer, index in neurons)
        return cls(pairs, site, n_layers, d_mlp, model, provenance or {})

    @classmethod
    def from_mask(
        cls, mask: Bool[Tensor, "layer neuron"], *, site: str, model: str = "", provenance: Mapping[str, Any] | None = None
    ) -> "NeuronSet":
        """The set of neurons where `mask` is true; the other arguments are those of the class."""
        pairs = torch.nonzero(mask).tolist()
        return cls.from_pairs(pairs, site=site, n_layers=mask.shape[0], d_mlp=mask.shape[1], model=model, provenance=provenance)

    def mask(self) -> Bool[Tensor, "layer neuron"]:
        """True at the set's neurons."""
        mask = torch.zeros((self.n_layers, self.d_mlp), dtype=torch.bool)
        if self.neurons:
            mask[tuple(torch.tensor(self.neurons).T)] = True
        return mask

    def per_layer(self) -> dict[int, Int64[Tensor, "neuron"]]:
        """{layer: indices}, only layers that have some."""
        indices_by_layer: dict[int, list[int]] = {}
        for layer, index in self.neurons:
            indices_by_layer.setdefault(layer, []).append(index)
        return {layer: torch.tensor(indices) for layer, indices in indices_by_layer.items()}

    def __len__(self) -> int:
        return len(self.neurons)

    def __iter__(self) -> Iterator[Neuron]:
        return iter(self.neurons)

    def __contains__(self, neuron: object) -> bool:
        return neuron in self.neurons

    def _with(self, other: "NeuronSet", chosen: "set[Neuron]", operation: str) -> "NeuronSet":
        require_same(self, other)
        origins = [*self._origins(operation), *other._origins(operation)]
        return replace(
            self, neurons=tuple(chosen), model=self.model or other.model, provenance={"operation": operation, "of": origins}
        )

    def _origins(self, operation: str) -> list[Any]:
        """The sets that a union of unions is made of, flat: nested, the union of many sets would be too deep to be saved."""
        origins = self.provenance.get("of")
        same = operation != "difference" and self.provenance.get("operation") == operation and isinstance(origins, list)
        return origins if same else [dict(self.provenance)]  # pyright: ignore[reportReturnType]

    def __or__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) | set(other), "union")

    def __and__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) & set(other), "intersection")

    def __sub__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) - set(other), "difference")

    def __xor__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) ^ set(other), "symmetric difference")

    def save(self, path: str | Path) -> Path:
        """Write as JSON, atomically and with a checksum.

        Raises:
            OutputError: The file cannot be written.
        """
        meta = {
            "site": self.site,
            "n_layers": self.n_layers,
            "d_mlp": self.d_mlp,
            "model": self.model,
            "provenance": dict(self.provenance),
            "neurons": [list(neuron) for neuron in self.neurons],
        }
        return store.save(path, KIND, meta)

    @classmethod
    def load(cls, path: str | Path) -> "NeuronSet":
        """Read a saved set.

        Raises:
            ArtefactError: The file is damaged, of another kind, or of an unknown schema.
        """
        return store.load(path, KIND, lambda meta, _: cls.from_pairs(**meta))


def require_same(first: Any, second: Any) -> None:
    """Raise `MismatchError` unless two things agree on site, shape and (where both know it) model."""
    for name, label in (("site", "site"), ("n_layers", "number of layers"), ("d_mlp", "d_mlp")):
        mine, theirs = getattr(first, name), getattr(second, name)
        if mine != theirs:
            raise MismatchError(f"cannot combine {label} {mine!r} with {label} {theirs!r}")
    if first.model and second.model and first.model != second.model:
        raise MismatchError(
            f"these come from models with different weights (fingerprints {first.model} and {second.model}); "
            "if that is meant, make a copy with model=''"
        )
