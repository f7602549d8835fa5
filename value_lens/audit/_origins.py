"""What records were made from: frames of the bank, clusters, values."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from ..core import Dilemma, LabelledText
from ..data import BANKS, frames


def frame_of(record: LabelledText | Dilemma) -> str:
    """What a record was made from: a frame of the bank (for files written before texts had a cluster, too), else its unit."""
    return record.id.split("/")[0] if is_of_bank(record) else record.unit


def is_of_bank(record: LabelledText | Dilemma) -> bool:
    """Whether a record was composed from one of the bank's frames: its source says so, and its id names one."""
    return record.source in BANKS and record.id.split("/")[0] in _frame_ids(record.source)


@cache
def _frame_ids(source: str) -> frozenset[str]:
    return frozenset(frame.id for frame in frames(source))


def by_value_of(records: Iterable[Any]) -> dict[str, list[Any]]:
    """{value: its records}, the values in the order in which they are met."""
    members: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        members[record.value].append(record)
    return dict(members)
