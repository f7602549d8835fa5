"""The effect matrix: finished numbers of an experiment, evaluated value by intervened value, with the scores they come from."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Float64
from torch import Tensor

from ..errors import DataError, UnknownNameError
from . import _store as store
from ._cells import Cell
from ._effects_schema import KIND, RESULTS, content_of
from ._item_scores import ItemScores
from ._order import label_of
from ._resampling import Resampling
from ._views import view_of

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class SpecificEffects:
    """Changes of score beyond what a set of that strength does to a value of that fragility.

    Args:
        effect: NaN where not testable. On the diagonal a value under its own set; off it, effects are leakage.
        interval: of each effect, its own, not corrected.
        p: of each value under its own set, corrected for the diagonals of all languages.
        controls: effects of the set's controls in its place, of each value under its own set.
        verdicts: of each language's values: "specific", "not specific", "too few controls", "not testable".
    """

    effect: Float64[Tensor, "language value intervened"]
    interval: Float64[Tensor, "language value intervened bound"]
    p: Float64[Tensor, "language value"]
    controls: Float64[Tensor, "language value control"]
    verdicts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class EffectMatrix:
    """Effects of an intervention on each value's neurons on each value, with intervals, p-values and controls.

    Axes: language, value (evaluated), intervened, control. A cell without items, or of an empty neuron set, is NaN. Effects are
    told twice: in support, as rates, and in margins (nats), which move before any preference flips. Intervals and p-values go by
    clusters of items: many fillings of one frame prove no more than the frame. `causal.effect_matrix` computes the numbers; read
    them by `cells`.

    Args:
        scores: of each item, in each condition.
        clean, rate: support rate without an intervention, and with it.
        effect: rate minus clean, on the same items.
        interval: of the effect over clusters, each cell's own (not corrected for their number).
        p: sign-flip p-value of the effect, clusters flipped whole, corrected over all cells.
        margin_effect, margin_interval, margin_p: the same of the mean change of score, in nats.
        control_rate: support rate with each matched random set instead.
        outside_effect: effects of those matched random sets that hold no neuron of the set; NaN where none was run.
        control_mean: mean support rate under these.
        rank: place of the effect among its controls by size, 1 the largest; ties count against the effect. NaN without controls.
        rank_p: share of effect and controls that are at least as large as the effect, each cell's own, not corrected.
        margin_rank_p: the same of mean changes of score.
        specific: what goes beyond damage.
        resampling: the settings of the intervals and p-values.
        meta: what else is known of the experiment; "labels" has the values' labels by language.
    """

    scores: ItemScores
    clean: Float64[Tensor, "language value"]
    rate: Float64[Tensor, "language value intervened"]
    effect: Float64[Tensor, "language value intervened"]
    interval: Float64[Tensor, "language value intervened bound"]
    p: Float64[Tensor, "language value intervened"]
    margin_effect: Float64[Tensor, "language value intervened"]
    margin_interval: Float64[Tensor, "language value intervened bound"]
    margin_p: Float64[Tensor, "language value intervened"]
    control_rate: Float64[Tensor, "language value intervened control"]
    outside_effect: Float64[Tensor, "language value intervened control"]
    control_mean: Float64[Tensor, "language value intervened"]
    rank: Float64[Tensor, "language value intervened"]
    rank_p: Float64[Tensor, "language value intervened"]
    margin_rank_p: Float64[Tensor, "language value intervened"]
    specific: SpecificEffects
    resampling: Resampling = field(default_factory=Resampling)
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> tuple[str, ...]:
        return self.scores.values

    @property
    def languages(self) -> tuple[str, ...]:
        return self.scores.languages

    @property
    def intervened(self) -> tuple[str, ...]:
        return self.scores.intervened

    @property
    def n_neurons(self) -> tuple[int, ...]:
        return self.scores.n_neurons

    @property
    def n_controls(self) -> int:
        return self.scores.n_controls

    @property
    def least_rank_p(self) -> float:
        """The least p-value that a rank among so many controls can give: 1 / (controls + 1)."""
        return 1 / (1 + self.n_controls)

    def label(self, value: str, language: str = "en") -> str:
        """The label by which a value is shown: as it was when the matrix was made, else the name as it is."""
        labels = self.meta.get("labels")
        by_language = labels.get(value) if isinstance(labels, Mapping) else None
        texts = (
            {name: text for name, text in by_language.items() if isinstance(text, str)}
            if isinstance(by_language, Mapping)
            else None
        )
        return label_of(value, language, texts)

    def cells(self, language: str | None = None) -> tuple[Cell, ...]:
        """One labelled row a cell: by language, intervened value, evaluated value.

        Args:
            language: of the cells; all languages by default.

        Raises:
            UnknownNameError: for a language that the matrix does not have.
        """
        self._require_language(language)
        return tuple(cell for cell in self._all_cells if language in (None, cell.language))

    @functools.cached_property
    def _all_cells(self) -> tuple[Cell, ...]:
        each = {name: getattr(self, name).tolist() for name in ("clean", "control_rate", "outside_effect")}
        alone = ("rate", "effect", "p", "margin_effect", "margin_p", "control_mean", "rank", "rank_p", "margin_rank_p")
        numbers: dict[str, Any] = {name: getattr(self, name).tolist() for name in alone}
        bounds = {name: getattr(self, name).tolist() for name in ("interval", "margin_interval")}
        specific = {name: getattr(self.specific, name).tolist() for name in ("effect", "interval", "p", "controls")}
        rows = []
        for l, language in enumerate(self.languages):
            sizes = {v: (len(self.scores.items_of(language, v)), self.scores.n_clusters(language, v)) for v in self.values}
            for a, intervened in enumerate(self.intervened):
                for v, evaluated in enumerate(self.values):
                    own = evaluated == intervened
                    rows.append(
                        Cell(
                            language=language,
                            evaluated=evaluated,
                            intervened=intervened,
                            evaluated_label=self.label(evaluated, language),
                            intervened_label=self.label(intervened, language),
                            n_neurons=self.n_neurons[a],
                            n_items=sizes[evaluated][0],
                            n_clusters=sizes[evaluated][1],
                            clean=each["clean"][l][v],
                            control_rates=tuple(each["control_rate"][l][v][a]),
                            outside_effects=tuple(x for x in each["outside_effect"][l][v][a] if not math.isnan(x)),
                            specific=specific["effect"][l][v][a],
                            specific_interval=tuple(specific["interval"][l][v][a]),
                            specific_p=specific["p"][l][v] if own else None,
                            specific_controls=tuple(x for x in specific["controls"][l][v] if own and not math.isnan(x)),
                            verdict=self.specific.verdicts[l][v] if own else None,
                            **{name: table[l][v][a] for name, table in numbers.items()},
                            interval=tuple(bounds["interval"][l][v][a]),
                            margin_interval=tuple(bounds["margin_interval"][l][v][a]),
                        )
                    )
        return tuple(rows)

    def to_frame(self) -> "pandas.DataFrame":
        """One row a cell: counts, rates, effect, interval and p, the same in nats of margin, specific effect, controls."""
        import pandas

        return pandas.DataFrame([cell.row() for cell in self.cells()])

    def plot(self, language: str | None = None) -> Any:
        """Heat map of the effect, one panel a language (or only `language`); a `plot.Picture`.

        Raises:
            UnknownNameError: for a language that the matrix does not have.
        """
        self._require_language(language)
        return view_of(KIND.name, "plot")(self, self.languages if language is None else (language,))

    def _require_language(self, language: str | None) -> None:
        if language is not None and language not in self.languages:
            raise UnknownNameError("language", language, self.languages)

    def save(self, path: str | Path) -> Path:
        """Write scores and numbers; see `load`."""
        return store.save(path, KIND, *content_of(self))

    @classmethod
    def load(cls, path: str | Path) -> "EffectMatrix":
        """Read a matrix back, also one of an earlier version of this library, whose numbers are computed anew from its scores.

        Raises:
            ArtefactError: for a file that is missing, damaged, or no matrix.
        """
        return store.load(path, KIND, lambda meta, tensors: cls._from_content(meta, tensors))

    @classmethod
    def _from_content(cls, meta: dict[str, Any], tensors: dict[str, Tensor]) -> "EffectMatrix":
        lists: dict[str, Any] = {name: tuple(entries) for name, entries in meta.items() if isinstance(entries, list)}
        verdicts = tuple(map(tuple, lists.pop("verdicts")))
        if any(len(row) != len(meta["values"]) for row in verdicts):
            raise DataError("has verdicts of other values than its own")

        def part(prefix: str) -> dict[str, Any]:
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

        return cls(
            scores=ItemScores(**lists, **part("scores.")),
            specific=SpecificEffects(**part("specific."), verdicts=verdicts),
            resampling=Resampling(**meta["resampling"]),
            meta=meta["meta"],
            **{name: tensors[name] for name in RESULTS},
        )
