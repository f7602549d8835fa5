"""One spelling for every value and language across records."""

from collections.abc import Iterable, Mapping

from ..core import AnyRecord, require_distinct


class Spellings:
    """The names met so far. Two that differ in letter case only would be two groups that nobody meant."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, object]] = {"value": {}, "language": {}}

    def meet(self, record: AnyRecord, place: object) -> None:
        for field, places in self._places.items():
            places.setdefault(getattr(record, field), place)

    def meet_values(self, places: Mapping[str, object]) -> None:
        for value, place in places.items():
            self._places["value"].setdefault(value, place)

    def require_one_each(self) -> None:
        """Raise `DataError` with every pair of names that are alike, and where each was met first."""
        for field, places in self._places.items():
            require_distinct(field, places)


def require_one_spelling(*collections: Iterable[AnyRecord], values: Mapping[str, object] | None = None) -> None:
    """The same for records made elsewhere, whose place is their id, and for further values with the places they stand at."""
    spellings = Spellings()
    spellings.meet_values(values or {})
    for records in collections:
        for record in records:
            spellings.meet(record, f"{type(record).__name__} {record.id!r}")
    spellings.require_one_each()
