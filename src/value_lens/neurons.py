"""Which neurons? An immutable set of (layer, index) at one site, with where it came from, set algebra, and matched random sets."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from . import store
from .artefact import COUNT, OBJECT, SIZE, TEXT, Kind, listed, tuple_of
from .errors import MismatchError, NeuronError

Neuron = tuple[int, int]
KIND = Kind(
    "neuron set",
    fields={
        "site": TEXT,
        "n_layers": SIZE,
        "d_mlp": SIZE,
        "model": TEXT,
        "provenance": OBJECT,
        "neurons": listed(tuple_of(COUNT, COUNT)),
    },
)


@dataclass(frozen=True)
class NeuronSet:
    """A set of neurons of one model shape at one site.

    `neurons` are distinct (layer, index) pairs, kept sorted. `model` is a weight fingerprint ("" when unknown: then only shapes
    are checked). `provenance` says how the set was found; it does not take part in equality.

    Raises `NeuronError` for an index out of range.

    >>> a = NeuronSet.of([(0, 1), (1, 2)], site="post", n_layers=2, d_mlp=4)
    >>> b = NeuronSet.of([(1, 2)], site="post", n_layers=2, d_mlp=4)
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
    def of(
        cls,
        neurons: Iterable[Iterable[int]],
        *,
        site: str,
        n_layers: int,
        d_mlp: int,
        model: str = "",
        provenance: Mapping[str, Any] | None = None,
    ) -> "NeuronSet":
        pairs = tuple((int(layer), int(index)) for layer, index in neurons)
        return cls(pairs, site, n_layers, d_mlp, model, provenance or {})

    @classmethod
    def from_mask(
        cls, mask: Bool[Tensor, "layer neuron"], *, site: str, model: str = "", provenance: Mapping[str, Any] | None = None
    ) -> "NeuronSet":
        pairs = torch.nonzero(mask).tolist()
        return cls.of(pairs, site=site, n_layers=mask.shape[0], d_mlp=mask.shape[1], model=model, provenance=provenance)

    def mask(self) -> Bool[Tensor, "layer neuron"]:
        found = torch.zeros((self.n_layers, self.d_mlp), dtype=torch.bool)
        for layer, index in self.neurons:
            found[layer, index] = True
        return found

    def per_layer(self) -> dict[int, Int64[Tensor, "neuron"]]:
        """{layer: indices}, only layers that have some."""
        found: dict[int, list[int]] = {}
        for layer, index in self.neurons:
            found.setdefault(layer, []).append(index)
        return {layer: torch.tensor(indices) for layer, indices in found.items()}

    def __len__(self) -> int:
        return len(self.neurons)

    def __iter__(self) -> Iterator[Neuron]:
        return iter(self.neurons)

    def __contains__(self, neuron: object) -> bool:
        return neuron in self.neurons

    def _with(self, other: "NeuronSet", chosen: "set[Neuron]", how: str) -> "NeuronSet":
        require_same(self, other)
        origin = {"operation": how, "of": [dict(self.provenance), dict(other.provenance)]}
        return replace(self, neurons=tuple(chosen), model=self.model or other.model, provenance=origin)

    def __or__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) | set(other), "union")

    def __and__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) & set(other), "intersection")

    def __sub__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) - set(other), "difference")

    def __xor__(self, other: "NeuronSet") -> "NeuronSet":
        return self._with(other, set(self) ^ set(other), "symmetric difference")

    def save(self, path: str | Path) -> Path:
        """Write as JSON; see `store.save`."""
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
        return store.load(path, KIND, lambda meta, _: cls.of(**meta))


def require_same(first: Any, second: Any) -> None:
    """Raise `MismatchError` unless two things agree on site, shape and (where both know it) model."""
    for name, shown in (("site", "site"), ("n_layers", "number of layers"), ("d_mlp", "d_mlp")):
        mine, theirs = getattr(first, name), getattr(second, name)
        if mine != theirs:
            raise MismatchError(f"cannot combine {shown} {mine!r} with {shown} {theirs!r}")
    if first.model and second.model and first.model != second.model:
        raise MismatchError(
            f"these come from models with different weights (fingerprints {first.model} and {second.model}); "
            "if that is meant, make a copy with model=''"
        )


def matched_random(
    neurons: NeuronSet,
    rate: Float[Tensor, "layer neuron"],
    *,
    n_sets: int,
    seed: int,
    exclude: NeuronSet | None = None,
    pool: int = 5,
) -> list[NeuronSet]:
    """Random control sets: the same number of neurons in each layer, each neuron near in firing rate to the one it stands for.

    For each neuron one unused neuron of its layer is drawn from those nearest in rate, at least `pool` for every member of the set
    that is as near: a set whose members fire alike gets a wider choice, or its controls would all be the same few neurons. Equal
    rates are taken in random order. Members of `neurons` and `exclude` are never drawn. The draws depend on `seed` and the set
    alone. Raises `NeuronError` when a layer has too few others.
    """
    if tuple(rate.shape) != (neurons.n_layers, neurons.d_mlp):
        raise MismatchError(f"rate has shape {tuple(rate.shape)}, the set needs ({neurons.n_layers}, {neurons.d_mlp})")
    if pool < 1:
        raise NeuronError(f"pool is {pool}; give at least 1")
    barred = neurons.mask() if exclude is None else (neurons | exclude).mask()
    key = hashlib.sha256(repr((seed, neurons.neurons)).encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(key[:7], "big"))
    return [_one_control(neurons, rate.cpu(), barred, pool, generator, seed, number) for number in range(n_sets)]


def _one_control(
    neurons: NeuronSet, rate: Tensor, barred: Tensor, pool: int, generator: torch.Generator, seed: int, number: int
) -> NeuronSet:
    chosen: list[Neuron] = []
    for layer, indices in neurons.per_layer().items():
        free = ~barred[layer]
        if int(free.sum()) < len(indices):
            raise NeuronError(
                f"layer {layer} has {int(free.sum())} neurons outside the set, too few for a control of {len(indices)}; "
                "use a smaller set"
            )
        candidates = free.nonzero().flatten()
        candidates = candidates[torch.randperm(len(candidates), generator=generator)]
        members = rate[layer, list(indices)]
        for place in torch.randperm(len(indices), generator=generator).tolist():
            gap = (rate[layer, candidates] - members[place]).abs()
            order = torch.argsort(gap, stable=True)
            n_rivals = torch.searchsorted((members - members[place]).abs().sort().values, gap[order], right=True)
            wide = torch.arange(1, len(order) + 1) >= pool * n_rivals
            size = int(wide.nonzero()[0]) + 1 if bool(wide.any()) else len(order)
            near = candidates[order]
            unused = near[:size][free[near[:size]]]
            if not len(unused):
                unused = near[free[near]][:1]
            drawn = int(unused[torch.randint(len(unused), (1,), generator=generator)])
            free[drawn] = False
            chosen.append((layer, drawn))
    origin = {"matched_random": {"seed": seed, "number": number, "pool": pool}, "for": dict(neurons.provenance)}
    return replace(neurons, neurons=tuple(chosen), provenance=origin)


def overlap(sets: Sequence[NeuronSet]) -> float:
    """The share of neurons that two of the sets have in common, on average over all pairs of equally large sets; NaN for one set."""
    pairs = list(combinations([set(neurons) for neurons in sets], 2))
    return sum(len(a & b) / len(a) for a, b in pairs) / len(pairs) if pairs else float("nan")
