"""Selection: which records of a source are loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..core import standard
from ..errors import DataError, UnknownNameError, quoted

PerGroup = int | Literal["default", "all"] | None  # None is "all"; "default" is the bank's number, and all of any other source
ALL: Literal["all"] = "all"
DEFAULT: Literal["default"] = "default"
FILLINGS = ("all", "training", "held_out")


def require_count(name: str, count: PerGroup) -> None:
    """Raise `DataError` for a number of records that is none."""
    if count not in (None, DEFAULT, ALL) and (not isinstance(count, int) or count < 1):
        raise DataError(f"{name} is {count}; give a count of at least 1, or 'all'")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which records of a source are loaded; the default is the source's own choice.

    Args:
        values: Names of values, or one name; None for all. Stored as a tuple of names in their normal form.
        languages: Names of languages, or one name; None for all. Stored likewise.
        split: The bank's "activation" or "evaluation" (by default what the kind of record is for), or a hub data set's split
            (by default "train").
        per_group: Records of each (value, aspect, language), or (value, language) where records have no aspect; "all" (or None) for all.
            They are drawn by `seed`, every cluster once before any comes again. "default": 200 of the bank, all of any other source.
        seed: Seed of the draws.
        fillings: Which slot fillings of the bank's frames are used: "all", "training" or "held_out" (those that nothing shipped
            with this library was trained on). Sources other than the bank have none.

    Raises:
        DataError: A count below 1, an empty choice of values or languages, or a name that is no text.
        UnknownNameError: Fillings of another name.

    >>> Selection(values="justice", languages=["en"]).values
    ('justice',)
    """

    values: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    split: str | None = None
    per_group: PerGroup = DEFAULT
    seed: int = 0
    fillings: str = "all"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _names("values", self.values))
        object.__setattr__(self, "languages", _names("languages", self.languages))
        require_count("per_group", self.per_group)
        if self.per_group is None:
            object.__setattr__(self, "per_group", ALL)
        if self.fillings not in FILLINGS:
            raise UnknownNameError("fillings", self.fillings, FILLINGS)


def _names(field: str, selected: Sequence[str] | None) -> tuple[str, ...] | None:
    """Names as a tuple, one name alone included."""
    if selected is None:
        return None
    names = (selected,) if isinstance(selected, str) else tuple(selected)
    for name in names:
        if not isinstance(name, str):
            raise DataError(f"{field}: expected names, got {quoted(name)}")
    if not names:
        raise DataError(f"{field}: an empty list selects nothing; give at least one name, or None for all")
    return tuple(map(standard, names))
