"""Per-item scores of an experiment: clean, under each value's own neurons, under their controls."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ..errors import DataError, UnknownNameError


@dataclass(frozen=True)
class ItemScores:
    """What the measure gives for each item in each condition; NaN where it gives no score, or where a set is empty.

    Args:
        item_ids, item_values, item_languages, item_clusters: of each item; items of one cluster are one piece of evidence.
        values: evaluated values, in the order of their system.
        languages: of the items.
        intervened: values whose neurons were changed, in the order of their system.
        n_neurons: size of each of these values' sets.
        clean: without an intervention, in the measure's unit (a margin in nats for choices).
        own: with an intervention on each value's own neurons.
        control: on each of the matched random sets that effects are ranked among, which may hold neurons of the set itself.
        outside: on those without neurons of the set (NaN where not run), for the mean that is shown; None where not told apart.

    Raises:
        DataError: for an item of a value or language that is not listed.
    """

    item_ids: tuple[str, ...]
    item_values: tuple[str, ...]
    item_languages: tuple[str, ...]
    item_clusters: tuple[str, ...]
    values: tuple[str, ...]
    languages: tuple[str, ...]
    intervened: tuple[str, ...]
    n_neurons: tuple[int, ...]
    clean: Float64[Tensor, "item"]
    own: Float64[Tensor, "intervened item"]
    control: Float64[Tensor, "intervened control item"]
    outside: Float64[Tensor, "intervened control item"] | None = None

    def __post_init__(self) -> None:
        for kind, used, names in (
            ("value", self.item_values, self.values),
            ("language", self.item_languages, self.languages),
        ):
            if unknown := set(used) - set(names):
                raise DataError(f"has items of {kind} {sorted(unknown)[0]!r}, which is none of its {kind}s")

    @property
    def n_controls(self) -> int:
        return self.control.shape[1]

    def items_of(self, language: str, value: str) -> list[int]:
        """Indices of the items of a language and value.

        Raises:
            UnknownNameError: for a language or value that is not listed.
        """
        for kind, name, known in (("language", language, self.languages), ("value", value, self.values)):
            if name not in known:
                raise UnknownNameError(kind, name, known)
        return self._items.get((language, value), [])

    @functools.cached_property
    def _items(self) -> dict[tuple[str, str], list[int]]:
        items: dict[tuple[str, str], list[int]] = {}
        for index, pair in enumerate(zip(self.item_languages, self.item_values, strict=True)):
            items.setdefault(pair, []).append(index)
        return items

    def n_clusters(self, language: str, value: str) -> int:
        """How many independent units the items of a language and value come from."""
        return len({self.item_clusters[index] for index in self.items_of(language, value)})

    @functools.cached_property
    def clusters(self) -> Int64[Tensor, "item"]:
        """The number of each item's cluster, in order of appearance; one number means the same cluster in every cell."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self.item_clusters))}
        return torch.tensor([numbers[name] for name in self.item_clusters], dtype=torch.int64)

    def means(self, scored: Float[Tensor, "... item"]) -> Float64[Tensor, "... language value"]:
        """Mean over the items of every language and value; NaN where there are none."""
        return torch.stack(
            [torch.stack([scored[..., self.items_of(l, v)].mean(-1) for v in self.values], -1) for l in self.languages], -2
        )
