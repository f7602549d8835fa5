"""One spelling for every value and language across records."""

from collections.abc import Iterable, Mapping

from ..core import AnyRecord, require_distinct


class Spellings:
    """The names met so far. Two that differ in letter case only would be two groups that nobody meant."""

    def __init__(self) -> None:
        self._origins: dict[str, dict[str, object]] = {"value": {}, "language": {}}

    def add(self, record: AnyRecord, origin: object) -> None:
        for field, origins in self._origins.items():
            origins.setdefault(getattr(record, field), origin)

    def add_values(self, origins: Mapping[str, object]) -> None:
        for value, origin in origins.items():
            self._origins["value"].setdefault(value, origin)

    def require_one_each(self) -> None:
        """Raise `DataError` with every pair of names that are alike, and where each was met first."""
        for field, origins in self._origins.items():
            require_distinct(field, origins)


def require_one_spelling(*collections: Iterable[AnyRecord], values: Mapping[str, object] | None = None) -> None:
    """The same for records made elsewhere, whose place is their id, and for further values with the places they stand at."""
    spellings = Spellings()
    spellings.add_values(values or {})
    for records in collections:
        for record in records:
            spellings.add(record, f"{type(record).__name__} {record.id!r}")
    spellings.require_one_each()
