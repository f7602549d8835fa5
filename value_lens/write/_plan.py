"""The plan of a corpus: how many items of which values and languages are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core import ValueSystem
from ..data import LANGUAGES
from ..errors import DataError
from ..systems import chinese_social
from .recipes import Group, Recipe


@dataclass(frozen=True, kw_only=True)
class CorpusPlan:
    """How many items are written, of which values, in which languages.

    Args:
        n_items: Items of each (value, aspect, language).
        values: Names of values or higher-order values of the system, or one name; None for all values.
        languages: Names of languages, or one name.
        system: The value system.

    Raises:
        DataError: Fewer than one item.
    """

    n_items: int
    values: Sequence[str] | None = None
    languages: Sequence[str] = LANGUAGES
    system: ValueSystem = chinese_social

    def __post_init__(self) -> None:
        if self.n_items < 1:
            raise DataError(f"n_items is {self.n_items}; give at least 1")
        values = self.system.names if self.values is None else self.values
        object.__setattr__(self, "values", (values,) if isinstance(values, str) else tuple(values))
        languages = self.languages
        object.__setattr__(self, "languages", (languages,) if isinstance(languages, str) else tuple(languages))

    def groups(self, recipe: Recipe) -> list[Group]:
        """What items are written for. Raises `UnknownNameError` (a value) and `DataError` (no values or languages, or one twice)."""
        return recipe.groups(self.system, self.values or (), self.languages)

    def header(self, recipe: Recipe) -> dict[str, Any]:
        """What a journal states of the job it belongs to."""
        return {
            "recipe": recipe.name,
            "values": list(self.values or ()),
            "languages": list(self.languages),
            "system": self.system.name,
        }
