"""Seeded draws from a finite source, spread over clusters."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic

from ..core import AnyRecord, Dilemma, LabelledText, Record
from ..errors import DataError


@dataclass(frozen=True)
class Sample(Generic[Record]):
    """Records that were drawn from a source, and how many there were to draw from, of the values and languages asked for."""

    records: list[Record]
    n_available: int

    @property
    def n_clusters(self) -> int:
        return len({unit_of(record) for record in self.records})

    def words(self, what: str, source: str) -> str:
        """How many of how many, as a sentence; what: "texts" or "dilemmas"."""
        n_used, clusters = len(self.records), f"{self.n_clusters} {'cluster' if self.n_clusters == 1 else 'clusters'}"
        if n_used == self.n_available:
            return f"All {n_used} {what} of {source} were used, of {clusters}."
        return f"{n_used} of {self.n_available} {what} of {source} were used, drawn by seed, of {clusters}."


@dataclass(frozen=True)
class Draw:
    """A choice among records that are gone through twice: to choose, and to take. {place in the source: id of what stands there}."""

    ids_by_index: Mapping[int, str]
    n_available: int

    @classmethod
    def choose(cls, records: Iterable[AnyRecord], per_group: int, seed: int) -> "Draw":
        """Choose `per_group` records of each group, or all it has.

        In every group the clusters come in turns, in an order drawn anew for each turn. What a cluster gives goes by the rank of its
        pair's or its own id there: groups that hold the same clusters with ids in the same order (languages, aspects) give the same
        ones, whatever the order of rows. Fewer draws are a part of more. Memory: of each record its id, pair, cluster and group.
        """
        by_group: dict[tuple[str, ...], dict[str, list[tuple[str, str, int]]]] = {}
        n_available = 0
        for index, record in enumerate(records):
            key = (record.pair_id if isinstance(record, Dilemma) else "") or record.id
            by_group.setdefault(group_of(record), {}).setdefault(unit_of(record), []).append((key, record.id, index))
            n_available = index + 1
        ids_by_index: dict[int, str] = {}
        for clusters in by_group.values():
            turns: list[tuple[int, bytes, str, int]] = []
            for unit, members in clusters.items():
                order = sorted((_hash(seed, unit, rank), name, index) for rank, (_, name, index) in enumerate(sorted(members)))
                turns += [(turn, _hash(seed, turn, unit), name, index) for turn, (_, name, index) in enumerate(order)]
            ids_by_index |= {index: name for _, _, name, index in sorted(turns)[:per_group]}
        return cls(ids_by_index, n_available)

    def take(self, records: Iterable[Record]) -> Iterator[Record]:
        """The chosen ones, in the order of the source. Raises `DataError` when they are no longer what was chosen from."""
        n_records = 0
        for index, record in enumerate(records):
            n_records = index + 1
            if index in self.ids_by_index:
                if self.ids_by_index[index] != record.id:
                    raise DataError(
                        f"record {n_records} was {self.ids_by_index[index]!r} at first and {record.id!r} at the second reading; a draw of "
                        "per_group needs a source that gives the same records each time, such as a list of them"
                    )
                yield record
        if n_records != self.n_available:
            raise DataError(
                f"{self.n_available} records at first and {n_records} at the second reading; a draw of per_group needs a source that "
                "gives the same records each time, such as a list of them"
            )


def draw_records(records: Iterable[Record], per_group: int, seed: int) -> Iterator[Record]:
    """See `Draw.choose`; an iterator, which can be gone through only once, is held whole."""
    repeatable = list(records) if isinstance(records, Iterator) else records
    yield from Draw.choose(repeatable, per_group, seed).take(repeatable)


def group_of(record: AnyRecord) -> tuple[str, ...]:
    return record.group if isinstance(record, LabelledText) else (record.value, record.language)


def unit_of(record: AnyRecord) -> str:
    """What counts as one piece of evidence: a cluster, a pair, or the record itself."""
    return record.unit if isinstance(record, (LabelledText, Dilemma)) else record.id


def _hash(*key: object) -> bytes:
    return blake2b(repr(key).encode(errors="surrogatepass"), digest_size=8).digest()
