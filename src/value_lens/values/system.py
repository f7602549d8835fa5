"""What is a value system? An ordered set of named values with its geometry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import DataError, UnknownNameError


@dataclass(frozen=True)
class Value:
    """A named human value.

    `name` is the key used in every table and file; `labels` its display names by language; `definition` one English sentence
    in our own words; `level` the tier it belongs to, where the system has tiers.
    """

    name: str
    labels: Mapping[str, str]
    definition: str
    level: str = ""

    def label(self, language: str) -> str:
        """Display name in `language`; raises `UnknownNameError` for a language it has no name in."""
        if language not in self.labels:
            raise UnknownNameError("language", language, sorted(self.labels))
        return self.labels[language]


@dataclass(frozen=True)
class ValueSystem:
    """An ordered set of values; `circle` says whether their order is a closed circle (Schwartz) or a list.

    `higher_order` groups values into named higher-order values (a value may be shared); `opposites` pairs those groups.
    """

    name: str
    values: tuple[Value, ...]
    circle: bool = False
    higher_order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    opposites: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            raise DataError(f"value system {self.name!r} names a value twice: {names}")
        for group, members in self.higher_order.items():
            for member in members:
                if member not in names:
                    raise DataError(f"higher-order value {group!r} of {self.name!r} names {member!r}, which is no value of it")
        for pair in self.opposites:
            for group in pair:
                if group not in self.higher_order:
                    raise DataError(f"{self.name!r} opposes {group!r}, which is no higher-order value of it")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(value.name for value in self.values)

    def __iter__(self) -> Iterator[Value]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Value:
        for value in self.values:
            if value.name == name:
                return value
        raise UnknownNameError("value", name, self.names)

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """{level: value names}, in order; empty for a system without tiers."""
        found: dict[str, tuple[str, ...]] = {}
        for value in self.values:
            if value.level:
                found[value.level] = (*found.get(value.level, ()), value.name)
        return found

    def distance(self, first: str, second: str) -> int:
        """Steps between two values on the circle, the shorter way round. Raises `DataError` for a system that is no circle."""
        if not self.circle:
            raise DataError(f"value system {self.name!r} has no circle, so no distance is defined on it")
        steps = abs(self.names.index(self[first].name) - self.names.index(self[second].name))
        return min(steps, len(self) - steps)

    def opposite(self, group: str) -> str:
        """The higher-order value opposed to `group`."""
        for first, second in self.opposites:
            if group in (first, second):
                return second if group == first else first
        raise UnknownNameError("higher-order value", group, sorted(self.higher_order))
