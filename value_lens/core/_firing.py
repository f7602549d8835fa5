"""Firing statistics: sums over tokens per group, layer and neuron; frozen, mergeable, savable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from einops import reduce
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ..errors import DataError, MismatchError, UnknownNameError
from . import _store as store
from ._firing_schema import KIND, SUMS, require_parts
from ._groups import add_by_group, sort_groups
from ._json import require_whole_pairs
from ._merging import count_in, merge_meta
from ._names import standard
from ._neurons import require_same
from ._order import ORDERS, carried_orders, in_order, order_meta
from ._records import ASPECTS, Group


@dataclass(frozen=True)
class FiringStats:
    """Counts (int64) and sums (float64) of one site's activations over a corpus.

    Args:
        groups: (value, aspect, language) of each row of counts.
        n_texts: Texts of each group.
        n_tokens: Counted tokens of each group: no padding, no special token, no prompt.
        fired: Tokens with activation > 0.
        total, total_sq: Sums of the activations and of their squares; None where none were kept.
        site: The tensor whose columns the neurons are: "post" or "gate".
        model: The weights' fingerprint, "" when unknown.
        block_n_tokens, block_fired: The same counts split by block; a text belongs to a block by a hash of its id.
        post_total, post_total_sq: Sums of hook_post and of its squares, where `site` is gate; at post they are `total` and `total_sq`.
        meta: What else is known of the corpus and the run.

    Raises:
        DataError: Groups come twice, are not as many as the counts, or a neuron fired more often than there are tokens.
    """

    groups: tuple[Group, ...]
    n_texts: Int64[Tensor, "group"]
    n_tokens: Int64[Tensor, "group"]
    fired: Int64[Tensor, "group layer neuron"]
    total: Float64[Tensor, "group layer neuron"] | None
    total_sq: Float64[Tensor, "group layer neuron"] | None
    site: str
    model: str = ""
    block_n_tokens: Int64[Tensor, "block group"] | None = None
    block_fired: Int64[Tensor, "block group layer neuron"] | None = None
    post_total: Float64[Tensor, "group layer neuron"] | None = None
    post_total_sq: Float64[Tensor, "group layer neuron"] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for group in self.groups:
            require_whole_pairs(str(group), "group")
            if group.aspect not in ASPECTS:
                raise DataError(f"group {group} has aspect {group.aspect!r}; known: + and -")
        if len(set(self.groups)) != len(self.groups) or len(self.groups) != len(self.fired):
            raise DataError(f"{len(self.groups)} groups {list(map(str, self.groups))} for counts of {len(self.fired)}")
        if bool((self.fired > self.n_tokens[:, None, None]).any()) or bool((self.fired < 0).any()):
            raise DataError("a neuron fired more often than there are tokens, or a negative number of times")

    @classmethod
    def from_counts(  # noqa: PLR0913 - a constructor
        cls,
        groups: Sequence[tuple[str, str, str]],
        n_tokens: Sequence[int] | Tensor,
        fired: Tensor,
        *,
        site: str = "post",
        n_texts: Sequence[int] | Tensor | None = None,
        total: Tensor | None = None,
        total_sq: Tensor | None = None,
        post_total: Tensor | None = None,
        post_total_sq: Tensor | None = None,
        model: str = "",
    ) -> "FiringStats":
        """Statistics from counts made elsewhere (published tables, tests); groups may come in any order and are sorted."""
        sort_groups([Group(*group) for group in groups])  # as they are written, so that an error shows them so
        named = [Group(standard(value), aspect, standard(language)) for value, aspect, language in groups]
        order = [named.index(group) for group in sort_groups(named)]
        count = lambda numbers: torch.as_tensor(numbers).to(torch.int64)[order]  # noqa: E731
        summed = lambda numbers: None if numbers is None else numbers.to(torch.float64)[order]  # noqa: E731
        for name, numbers in (("n_tokens", n_tokens), ("fired", fired)):
            if bool((torch.as_tensor(numbers) != torch.as_tensor(numbers).to(torch.int64)).any()):
                raise DataError(f"counts are whole numbers, but {name} holds fractions; were these probabilities?")
        if len(order) != len(named):
            raise DataError(f"a group comes twice: {list(map(str, named))}")
        return cls(
            groups=tuple(named[index] for index in order),
            n_texts=count([0] * len(named) if n_texts is None else n_texts),
            n_tokens=count(n_tokens),
            fired=count(fired),
            total=summed(total),
            total_sq=summed(total_sq),
            post_total=summed(post_total),
            post_total_sq=summed(post_total_sq),
            site=site,
            model=model,
            meta=order_meta({group.value for group in named}),
        )

    @property
    def n_layers(self) -> int:
        return self.fired.shape[1]

    @property
    def d_mlp(self) -> int:
        return self.fired.shape[2]

    @property
    def values(self) -> tuple[str, ...]:
        """In the order of the value system that the statistics were made with; else of a known one that has all; else as stored."""
        names = [group.value for group in self.groups]
        return in_order(names, carried=carried_orders(self.meta), otherwise=names)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({group.language for group in self.groups}))

    @property
    def n_texts_cut(self) -> int | None:
        """How many texts were cut to the model's context; None where that is not known of all counts."""
        return count_in(self.meta, "n_texts_cut")

    def _rows(self, value: str | None, aspect: str | None, languages: Sequence[str] | None = None) -> list[int]:
        """Indices of the groups of a value, an aspect and some languages; None for all."""
        rows = [p for p, g in enumerate(self.groups) if value in (None, g.value) and aspect in (None, g.aspect)]
        return [p for p in rows if languages is None or self.groups[p].language in languages]

    def pooled(
        self, *, aspect: str | None = None, languages: Sequence[str] | None = None
    ) -> tuple[Int64[Tensor, "value"], Int64[Tensor, "value layer neuron"]]:
        """(tokens, fired) per value, summed over languages and, unless one is named, over both aspects.

        Raises `DataError` when some value has no counted token there, so that no probability is 0/0.
        """
        for language in languages or ():
            if language not in self.languages:
                raise UnknownNameError("language", language, self.languages)
        rows = [self._rows(value, aspect, languages) for value in self.values]
        tokens = torch.stack([self.n_tokens[row].sum() for row in rows])
        for value, count in zip(self.values, tokens.tolist(), strict=True):
            if count == 0:
                kind = "tokens" if aspect is None else f"tokens of aspect {aspect!r}"
                raise DataError(f"value {value!r} has no counted {kind}, so its firing probability is undefined")
        return tokens, torch.stack([reduce(self.fired[row], "group layer neuron -> layer neuron", "sum") for row in rows])

    def probability(
        self, *, aspect: str | None = None, languages: Sequence[str] | None = None
    ) -> Float64[Tensor, "value layer neuron"]:
        """Firing probability per value: fired tokens / counted tokens."""
        tokens, fired = self.pooled(aspect=aspect, languages=languages)
        return fired.double() / tokens.double()[:, None, None]

    def rate(self) -> Float64[Tensor, "layer neuron"]:
        """Firing rate over all groups together."""
        return reduce(self.fired, "group layer neuron -> layer neuron", "sum").double() / self.n_tokens.sum().clamp_min(1)

    def mean(self, *, aspect: str | None = None, value: str | None = None) -> Float[Tensor, "layer neuron"]:
        """Mean activation over the tokens of all groups, of one aspect, or of one value."""
        if self.total is None:
            raise DataError("these statistics hold no activation sums; collect them with moments=True")
        if value is not None and value not in self.values:
            raise UnknownNameError("value", value, self.values)
        rows = self._rows(value, aspect)
        n_tokens = int(self.n_tokens[rows].sum())
        if n_tokens == 0:
            raise DataError(f"no counted tokens for value {value!r}, aspect {aspect!r}, so the mean is undefined")
        return reduce(self.total[rows], "group layer neuron -> layer neuron", "sum") / n_tokens

    def post_size(self, *, centred: bool = False) -> Float64[Tensor, "layer neuron"]:
        """Root mean square of hook_post over all counted tokens, whatever the site; its standard deviation when centred.

        Raises `DataError` when its sums were not collected.
        """
        total, total_sq = (self.total, self.total_sq) if self.site == "post" else (self.post_total, self.post_total_sq)
        if total is None or total_sq is None:
            raise DataError(
                f"these statistics of site {self.site!r} hold no sums of hook_post, by which the size of a neuron's activations is "
                "known; collect them anew with moments=True"
            )
        n_tokens = self.n_tokens.sum().clamp_min(1)
        mean, mean_sq = (reduce(sums, "group layer neuron -> layer neuron", "sum") / n_tokens for sums in (total, total_sq))
        return (mean_sq - mean**2 if centred else mean_sq).clamp_min(0).sqrt()

    def block(self, number: int) -> "FiringStats":
        """The counts of one text block alone, without activation sums or text counts."""
        if self.block_fired is None or self.block_n_tokens is None:
            raise DataError("these statistics were collected without text blocks; use n_blocks=2 or more")
        if not 0 <= number < len(self.block_fired):
            raise DataError(f"no text block {number}; there are {len(self.block_fired)}, counted from 0")
        fired, n_tokens = self.block_fired[number].clone(), self.block_n_tokens[number].clone()
        orders = carried_orders(self.meta)
        meta = {ORDERS: orders} if orders else {}
        return FiringStats(
            self.groups, torch.zeros_like(n_tokens), n_tokens, fired, None, None, self.site, self.model, meta=meta
        )

    def merge(self, other: "FiringStats") -> "FiringStats":
        """The statistics of both corpora together; shares no memory with either.

        Associative on counts and metadata, commutative on counts; `meta["merged"]` holds the metadata of every part. Raises
        `MismatchError` for different sites, shapes, models or kinds of sums.
        """
        require_same(self, other)
        for name, sums in SUMS.items():
            if (getattr(self, name) is None) != (getattr(other, name) is None):
                raise MismatchError(f"one of the two has {sums} and the other has none; collect both with moments=True")
        blocks = [None if s.block_fired is None else s.block_fired.shape[0] for s in (self, other)]
        if blocks[0] != blocks[1]:
            raise MismatchError(f"cannot combine {blocks[0]} text blocks with {blocks[1]}")
        groups = sort_groups({*self.groups, *other.groups}, carried_orders(self.meta, other.meta))

        def add(name: str, axis: int = 0) -> Any:
            return add_by_group([(stats.groups, getattr(stats, name)) for stats in (self, other)], groups, axis)

        return FiringStats(
            groups=groups,
            n_texts=add("n_texts"),
            n_tokens=add("n_tokens"),
            fired=add("fired"),
            site=self.site,
            model=self.model or other.model,
            block_n_tokens=add("block_n_tokens", 1),
            block_fired=add("block_fired", 1),
            **{name: add(name) for name in SUMS},
            meta=merge_meta(self.meta, other.meta),
        )

    def save(self, path: str | Path) -> Path:
        names = ("n_texts", "n_tokens", "fired", *SUMS, "block_n_tokens", "block_fired")
        tensors = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        meta = {"groups": [list(g) for g in self.groups], "site": self.site, "model": self.model, "meta": dict(self.meta)}
        return store.save(path, KIND, meta, tensors)

    @classmethod
    def load(cls, path: str | Path) -> "FiringStats":
        def build(meta: dict[str, Any], tensors: dict[str, Tensor]) -> "FiringStats":
            groups = tuple(Group(*group) for group in meta["groups"])
            require_parts(tensors)
            return cls(**{"total": None, "total_sq": None, **tensors, **meta, "groups": groups})  # pyright: ignore[reportArgumentType]

        return store.load(path, KIND, build)
