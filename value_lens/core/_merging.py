"""Metadata of merged statistics: every part's own, sums of counts, orders of values united, and what all parts agree on.

The metadata of a merge is {"merged": [metadata of each part], ...}: all else in it follows from the parts, so that merges in any
nesting give the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ._order import ORDERS, carried_orders

PARTS = "merged"
SUMMED = ("n_texts_cut",)  # counts of texts; unknown in the whole where one part does not tell


def merge_meta(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of two corpora together: associative, and lossless, since every part's own stays."""
    parts = [*parts_of(first), *parts_of(second)]
    return {PARTS: parts, **_joint(parts)}


def parts_of(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The metadata of every unmerged part, in order. What was added to a merged whole later holds of each of its parts."""
    merged = meta.get(PARTS)
    if not (isinstance(merged, Sequence) and merged and all(isinstance(part, Mapping) for part in merged)):
        return [dict(meta)]
    parts = [part for merged in meta[PARTS] for part in parts_of(merged)]
    joint = _joint(parts)
    added = {
        name: content for name, content in meta.items() if name not in (PARTS, ORDERS, *SUMMED) and joint.get(name) != content
    }
    return [{**added, **part} for part in parts]


def count_in(meta: Mapping[str, Any], name: str) -> int | None:
    """A count such as "n_texts_cut", summed over all parts; None where one of them does not tell."""
    return _sum(parts_of(meta), name)


def _joint(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What can be said of all parts together: sums, orders of values, and what every part says alike."""
    names = [
        name
        for name in parts[0]
        if name not in (ORDERS, *SUMMED) and all(name in p and p[name] == parts[0][name] for p in parts)
    ]
    sums = {name: _sum(parts, name) for name in SUMMED}
    counts = {name: count for name, count in sums.items() if count is not None}
    orders = carried_orders(*parts)
    return {**{name: parts[0][name] for name in names}, **counts, **({ORDERS: orders} if orders else {})}


def _sum(parts: Sequence[Mapping[str, Any]], name: str) -> int | None:
    counts = [part.get(name) for part in parts]
    valid = [count for count in counts if type(count) is int and count >= 0]
    return sum(valid) if len(valid) == len(counts) else None
