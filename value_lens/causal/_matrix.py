"""The effect matrix: evaluated value x intervened value, with matched controls."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ..core import COUNT, OBJECT, SEED, SHARE, SIZE, TEXT, Kind, Numbers, Resampling, listed, object_of, unchanged, view_of
from ..core import _store as store
from ..errors import DataError, UnknownNameError
from ..measure import supports
from ._cells import cell_intervals, cell_p
from ._intervals import difference_interval, mean_interval
from ._rank import rank_among
from ._verdicts import SpecificEffects, specific_effects

if TYPE_CHECKING:
    import pandas


_NAMES, _MARGINS = listed(TEXT, distinct=True), {"dtypes": (torch.float64,), "negative": True, "finite": False}
KIND = Kind(
    "support matrix",
    fields={
        "item_ids": listed(TEXT, "item"),
        "item_values": listed(TEXT, "item"),
        "item_languages": listed(TEXT, "item"),
        "item_clusters": listed(TEXT, "item"),
        "values": _NAMES,
        "languages": _NAMES,
        "ablated": listed(TEXT, "ablated", distinct=True),
        "n_neurons": listed(COUNT, "ablated"),
        "inference": object_of(n_resamples=SIZE, level=SHARE, seed=SEED),
        "meta": OBJECT,
    },
    tensors={
        "clean_margins": Numbers("item", **_MARGINS),
        "edited_margins": Numbers("ablated item", **_MARGINS),
        "control_margins": Numbers("ablated control item", **_MARGINS),
        "outside_margins": Numbers("ablated control item", **_MARGINS, optional=True),
    },
    schema=2,
    upgrades={1: unchanged},  # before controls were told apart
)


@dataclass(frozen=True)
class SupportMatrix:
    """Per-item margins, clean and under every ablation and control; rates, effects and inference are derived from them.

    Axes of derived tensors: language, value (evaluated), ablated, control. A cell without dilemmas, or of an empty neuron set, is
    NaN. `control_margins` are of the matched sets that effects are ranked among, which may hold neurons of the set itself;
    `outside_margins` of those without (NaN where not run, None where not told apart), for the mean that is shown.

    Effects are told twice: in support, as rates, and in nats of margin, which move before any preference flips. Intervals and p-values
    go by clusters of items (`Dilemma.unit`): many fillings of one frame prove no more than the frame.
    """

    item_ids: tuple[str, ...]
    item_values: tuple[str, ...]
    item_languages: tuple[str, ...]
    item_clusters: tuple[str, ...]
    values: tuple[str, ...]
    languages: tuple[str, ...]
    ablated: tuple[str, ...]
    n_neurons: tuple[int, ...]
    clean_margins: Float64[Tensor, "item"]
    edited_margins: Float64[Tensor, "ablated item"]
    control_margins: Float64[Tensor, "ablated control item"]
    outside_margins: Float64[Tensor, "ablated control item"] | None = None
    resampling: Resampling = field(default_factory=Resampling)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def items_of(self, language: str, value: str) -> list[int]:
        for kind, given, known in (("language", language, self.languages), ("value", value, self.values)):
            if given not in known:
                raise UnknownNameError(kind, given, known)
        pairs = zip(self.item_languages, self.item_values, strict=True)
        return [place for place, pair in enumerate(pairs) if pair == (language, value)]

    def n_clusters(self, language: str, value: str) -> int:
        """How many independent units the cell's dilemmas come from."""
        return len({self.item_clusters[place] for place in self.items_of(language, value)})

    def _cells(self, margins: Float[Tensor, "... item"]) -> Float64[Tensor, "... language value"]:
        """Mean support of the items of every (language, value)."""
        return self._cell_means(supports(margins).masked_fill(torch.isnan(margins), torch.nan))

    def _cell_means(self, scored: Float[Tensor, "... item"]) -> Float64[Tensor, "... language value"]:
        return torch.stack(
            [torch.stack([scored[..., self.items_of(l, v)].mean(-1) for v in self.values], -1) for l in self.languages], -2
        )

    @functools.cached_property
    def clean(self) -> Float64[Tensor, "language value"]:
        """Support rate without any edit."""
        return self._cells(self.clean_margins)

    @functools.cached_property
    def rate(self) -> Float64[Tensor, "language value ablated"]:
        """Support rate of each value with the neurons of each value edited."""
        return self._cells(self.edited_margins).permute(1, 2, 0)

    @functools.cached_property
    def effect(self) -> Float64[Tensor, "language value ablated"]:
        """Support with the edit minus support without, on the same items."""
        return self.rate - self.clean[..., None]

    @functools.cached_property
    def control_rate(self) -> Float64[Tensor, "language value ablated control"]:
        """Support rate with each matched random set edited instead."""
        return self._cells(self.control_margins).permute(2, 3, 0, 1)

    @property
    def control_effect(self) -> Float64[Tensor, "language value ablated control"]:
        return self.control_rate - self.clean[..., None, None]

    @functools.cached_property
    def outside_effect(self) -> Float64[Tensor, "language value ablated control"]:
        """The same of those matched random sets that hold no neuron of the set; NaN where none was run."""
        outside = self.control_margins if self.outside_margins is None else self.outside_margins
        return self._cells(outside).permute(2, 3, 0, 1) - self.clean[..., None, None]

    @functools.cached_property
    def control_mean(self) -> Float64[Tensor, "language value ablated"]:
        """Mean support rate under matched random sets without any neuron of the set."""
        return self.clean[..., None] + torch.nanmean(self.outside_effect, -1)

    @property
    def least_rank_p(self) -> float:
        """The least p-value that a rank among so many controls can give: 1 / (controls + 1)."""
        return 1 / (1 + self.control_margins.shape[1])

    @functools.cached_property
    def rank(self) -> Float64[Tensor, "language value ablated"]:
        """Place of the effect among its controls by size, 1 the largest; ties count against the effect. NaN without controls."""
        return rank_among(self.effect, self.control_effect)

    @functools.cached_property
    def rank_p(self) -> Float64[Tensor, "language value ablated"]:
        """Share of effect and controls that are at least as large as the effect: the p-value of its rank, each cell's own.

        Valid where the set is one that its controls could have been; see `controls.Strata`. Not corrected for many cells.
        """
        return self.rank * self.least_rank_p

    @functools.cached_property
    def margin_rank_p(self) -> Float64[Tensor, "language value ablated"]:
        """The same of mean changes of margin, which also move where no preference flips."""
        controls = self._cell_means(self.control_margins - self.clean_margins).permute(2, 3, 0, 1)
        return rank_among(self.margin_effect, controls) * self.least_rank_p

    @functools.cached_property
    def margin_change(self) -> Float64[Tensor, "ablated item"]:
        """Margin with the edit minus margin without, of every item, in nats."""
        return self.edited_margins - self.clean_margins

    @functools.cached_property
    def margin_effect(self) -> Float64[Tensor, "language value ablated"]:
        """Mean change of margin in nats: it tells an edit that weakens a preference from one that does nothing, before any flips."""
        return self._cell_means(self.margin_change).permute(1, 2, 0)

    @functools.cached_property
    def interval(self) -> Float64[Tensor, "language value ablated bound"]:
        """Interval of the effect over clusters, each cell's own (not corrected for their number); see `difference_interval`."""
        clean, edited, level = supports(self.clean_margins)[None], supports(self.edited_margins), self.resampling.level
        return cell_intervals(self, lambda i: difference_interval(edited[:, i], clean[:, i], self.clusters[i], level=level))

    @functools.cached_property
    def margin_interval(self) -> Float64[Tensor, "language value ablated bound"]:
        """Student's t interval of the margin effect over clusters, each cell's own; see `mean_interval`."""
        change, level = self.margin_change, self.resampling.level
        return cell_intervals(self, lambda i: mean_interval(change[:, i], self.clusters[i], level=level))

    @functools.cached_property
    def p(self) -> Float64[Tensor, "language value ablated"]:
        """Sign-flip p-value of the effect, clusters flipped whole, corrected over all cells by the minimum p-value."""
        return cell_p(self, supports(self.edited_margins) - supports(self.clean_margins))

    @functools.cached_property
    def margin_p(self) -> Float64[Tensor, "language value ablated"]:
        """The same of the margin effect, corrected over all cells' margin effects."""
        return cell_p(self, self.margin_change)

    @functools.cached_property
    def clusters(self) -> Int64[Tensor, "item"]:
        """The number of each item's cluster, in order of appearance; one number means the same cluster in every cell."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self.item_clusters))}
        return torch.tensor([numbers[name] for name in self.item_clusters], dtype=torch.int64)

    @functools.cached_property
    def measured(self) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
        """{(language, value): its items, and the ablated values under which all their margins are known}, where there are both."""
        found = {}
        for l, language in enumerate(self.languages):
            for v, value in enumerate(self.values):
                known = (~torch.isnan(self.effect[l, v])).nonzero().flatten().tolist()
                if known:
                    found[l, v] = self.items_of(language, value), known
        return found

    @functools.cached_property
    def specific(self) -> SpecificEffects:
        """What each set does to each value's margin beyond what so strong a set does to so fragile a value; see `trials.verdicts`."""
        return specific_effects(self)

    def to_frame(self) -> "pandas.DataFrame":
        """One row a cell: counts, rates, effect, interval and p, the same in nats of margin, specific effect, controls."""
        from ._frame import matrix_frame

        return matrix_frame(self)

    def plot(self, language: str | None = None) -> Any:
        """Heat map of the effect, one panel a language (or only `language`); a `plot.Picture`."""
        if language is not None and language not in self.languages:
            raise UnknownNameError("language", language, self.languages)
        draw = view_of("support matrix", "plot")
        return draw(self, self.languages if language is None else (language,))

    def save(self, path: str | Path) -> Path:
        lists = ("item_ids", "item_values", "item_languages", "item_clusters", "values", "languages", "ablated", "n_neurons")
        meta = {name: list(getattr(self, name)) for name in lists}
        settings = self.resampling
        meta |= {
            "inference": {"n_resamples": settings.n, "level": settings.level, "seed": settings.seed},
            "meta": dict(self.meta),
        }
        names = ("clean_margins", "edited_margins", "control_margins", "outside_margins")
        return store.save(path, KIND, meta, {n: getattr(self, n) for n in names if getattr(self, n) is not None})

    @classmethod
    def load(cls, path: str | Path) -> "SupportMatrix":
        def build(meta: dict[str, Any], tensors: dict[str, Tensor]) -> "SupportMatrix":
            lists: dict[str, Any] = {name: tuple(entries) for name, entries in meta.items() if isinstance(entries, list)}
            margins: dict[str, Any] = dict(tensors)
            for kind in ("value", "language"):
                if unknown := set(meta[f"item_{kind}s"]) - set(meta[f"{kind}s"]):
                    raise DataError(f"has items of {kind} {sorted(unknown)[0]!r}, which is none of its {kind}s")
            settings = meta["inference"]
            resampling = Resampling(n=settings["n_resamples"], level=settings["level"], seed=settings["seed"])
            return cls(**lists, **margins, resampling=resampling, meta=meta["meta"])

        return store.load(path, KIND, build)
