"""Value systems: ordered sets of named values with their geometry."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import DataError, UnknownNameError
from ._json import require_whole_pairs
from ._names import key_by_name, require_distinct, standard


@dataclass(frozen=True)
class Value:
    """A named human value.

    Args:
        name: The key used in every table and file.
        labels: Display names by language.
        definition: One English sentence.
        level: The tier it belongs to, where the system has tiers.
        stems: By language, how words begin that name it outright (by default its label), which the audit of a corpus looks for.

    Raises:
        DataError: A text holds half of a surrogate pair, or two languages are one in another spelling.
    """

    name: str
    labels: Mapping[str, str]
    definition: str
    level: str = ""
    stems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (self.name, self.definition, self.level, *self.labels, *self.labels.values()):
            require_whole_pairs(text, f"value {self.name!r}:")
        object.__setattr__(self, "name", standard(self.name))
        for name in ("labels", "stems"):
            object.__setattr__(self, name, key_by_name(f"language of the {name} of {self.name!r}", getattr(self, name)))

    def label(self, language: str) -> str:
        """Display name in `language`; raises `UnknownNameError` for a language it has no name in."""
        if language not in self.labels:
            raise UnknownNameError("language", language, sorted(self.labels))
        return self.labels[language]

    def is_named_in(self, text: str, language: str) -> bool:
        """Whether the text names the value outright; in Chinese anywhere, else at the beginning of a word."""
        stems = self.stems.get(language) or ((self.labels[language],) if language in self.labels else ())
        start = "" if language == "zh" else r"\b"
        return any(re.search(start + re.escape(stem.lower()), text.lower()) for stem in stems)


@dataclass(frozen=True)
class ValueSystem:
    """An ordered set of values; `circle` says whether their order is a closed circle (Schwartz) or a list.

    Args:
        name: The system's name.
        values: Its values; results keep their order.
        circle: Whether the last value is a neighbour of the first.
        higher_order: Members of each higher-order value; a value may be shared.
        opposites: Pairs of opposed higher-order values.
        relations: Which values of Schwartz's system a value is close to, and why: {value: {value of Schwartz: reason}}; may be partial.
        group_labels: Display names of higher-order values by language, for those that have any.

    Raises:
        DataError: A value is named twice, or something refers to a value or group that is not there.
    """

    name: str
    values: tuple[Value, ...]
    circle: bool = False
    higher_order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    opposites: tuple[tuple[str, str], ...] = ()
    relations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    group_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_whole_pairs(self.name, "value system")
        names, known = self.names, set(self.names)  # a file may hold very many
        if len(known) != len(names):
            raise DataError(f"value system {self.name!r} names a value twice: {names}")
        require_distinct(f"value of {self.name!r}", names)
        self._standardise()
        for group, members in self.higher_order.items():
            for member in members:
                if member not in known:
                    raise DataError(f"higher-order value {group!r} of {self.name!r} names {member!r}, which is no value of it")
        for pair in self.opposites:
            for group in pair:
                if group not in self.higher_order:
                    raise DataError(f"{self.name!r} opposes {group!r}, which is no higher-order value of it")
        for group in self.group_labels:
            if group not in self.higher_order:
                raise DataError(f"{self.name!r} labels {group!r}, which is no higher-order value of it")
        for value in self.relations:
            if value not in known:
                raise DataError(f"{self.name!r} relates {value!r}, which is no value of it")

    def _standardise(self) -> None:
        """Names that refer to values and groups, in the form that those have themselves."""
        groups = key_by_name(f"higher-order value of {self.name!r}", self.higher_order)
        members = {group: tuple(map(standard, names)) for group, names in groups.items()}
        object.__setattr__(self, "higher_order", members)
        object.__setattr__(self, "opposites", tuple((standard(one), standard(other)) for one, other in self.opposites))
        object.__setattr__(self, "group_labels", key_by_name(f"labelled group of {self.name!r}", self.group_labels))
        object.__setattr__(self, "relations", key_by_name(f"value related by {self.name!r}", self.relations))

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
        names_by_level: dict[str, tuple[str, ...]] = {}
        for value in self.values:
            if value.level:
                names_by_level[value.level] = (*names_by_level.get(value.level, ()), value.name)
        return names_by_level

    def distance(self, first: str, second: str) -> int:
        """Steps between two values on the circle, the shorter way round. Raises `DataError` for a system that is no circle."""
        self._require_circle("distance")
        steps = abs(self.names.index(self[first].name) - self.names.index(self[second].name))
        return min(steps, len(self) - steps)

    def angle(self, name: str) -> float:
        """Where a value lies on the circle, in radians; the first value at 0. Raises `DataError` for a system that is no circle."""
        self._require_circle("angle")
        return 2 * math.pi * self.names.index(self[name].name) / len(self)

    def opposite(self, name: str) -> str:
        """What is opposed to a higher-order value, or lies straight across the circle from a value.

        Raises `UnknownNameError` for what is neither, `DataError` where nothing is opposed.
        """
        for first, second in self.opposites:
            if name in (first, second):
                return second if name == first else first
        if name not in self.names:
            raise UnknownNameError("value or higher-order value", name, [*self.higher_order, *self.names])
        self._require_circle("opposite")
        if len(self) % 2:
            raise DataError(f"value system {self.name!r} has {len(self)} values, so none lies straight across from {name!r}")
        return self.names[(self.names.index(name) + len(self) // 2) % len(self)]

    def _require_circle(self, what: str) -> None:
        if not self.circle:
            raise DataError(f"value system {self.name!r} has no circle, so no {what} is defined on it")
