"""The registries of methods and presets, and what a method needs of the statistics."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..core import Entry, FiringStats, Group, NeuronScores, Parameter, Registry, parameters_of
from ..errors import DataError


@dataclass(frozen=True)
class Need:
    """What a method cannot do without.

    Attributes:
        words: the end of the sentence "it needs ...".
        holds: whether statistics over these groups have it.
    """

    words: str
    holds: Callable[[Collection[Group]], bool]


ANYTHING = Need("texts", lambda groups: len(groups) > 0)
SEVERAL_VALUES = Need("at least two values", lambda groups: len({group.value for group in groups}) > 1)
BOTH_ASPECTS = Need(
    "texts of both aspects ('+' and '-') of every value",
    lambda groups: len({(group.value, group.aspect) for group in groups}) == 2 * len({group.value for group in groups}),
)


@dataclass(frozen=True, kw_only=True)
class MethodEntry(Entry):
    """A registered method: statistics to scores.

    Attributes:
        needs: what the statistics must have.
        rule: makes the rule that selects neurons where none is given; None for a method without one.
    """

    needs: Need = ANYTHING
    rule: Callable[..., Any] | None = None

    def __call__(self, stats: FiringStats, **options: Any) -> NeuronScores:
        """Scores of every neuron for every value.

        Args:
            stats: firing statistics.
            options: the method's `parameters`.

        Raises:
            DataError: when the statistics lack what the method needs.
        """
        self.require(stats.groups)
        return self.object(stats, **options)

    def applies(self, groups: Collection[Group]) -> bool:
        """Whether statistics over these groups have what the method needs."""
        return self.needs.holds(groups)

    def require(self, groups: Collection[Group]) -> None:
        """Refuse groups to which the method does not apply.

        Raises:
            DataError: with what it needs.
        """
        if not self.applies(groups):
            raise DataError(f"method {self.name!r} does not apply: it needs {self.needs.words}")

    @property
    def rule_parameters(self) -> Mapping[str, Parameter]:
        """{name: parameter} of the options of its default rule."""
        return {} if self.rule is None else parameters_of(self.rule)


@dataclass(frozen=True, kw_only=True)
class PresetEntry(Entry):
    """A registered preset: statistics to neuron sets, as published.

    Attributes:
        site: where the publication counts firing; collect there.
        needs: what the statistics must have.
    """

    site: str = "gate"
    needs: Need = ANYTHING


methods: Registry[MethodEntry] = Registry("method", MethodEntry, room=__package__ or "", group="value_lens.methods")
presets: Registry[PresetEntry] = Registry("preset", PresetEntry, room=__package__ or "")
