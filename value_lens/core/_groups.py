"""Groups of counts in order, and counts of two corpora added group by group."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ._names import require_distinct
from ._order import in_order
from ._records import Group


def sort_groups(groups: "set[Group] | Sequence[Group]", carried: Iterable[Sequence[str]] = ()) -> tuple[Group, ...]:
    """Groups in the order of their value system, then aspect (+ before -), then language: one order for one set.

    carried: orders of values that go before those of the known systems. Raises `DataError` for values or languages that
    differ only in case, width or outer white space.
    """
    require_distinct("value", sorted(group.value for group in groups))
    require_distinct("language", sorted(group.language for group in groups))
    values = in_order({group.value for group in groups}, carried=carried)
    return tuple(sorted(set(groups), key=lambda g: (values.index(g.value), g.aspect != "+", g.aspect, g.language)))


def add_by_group(
    parts: Sequence[tuple[Sequence[Group], Tensor | None]], groups: Sequence[Group], axis: int = 0
) -> Tensor | None:
    """Counts of several corpora added into those of all `groups`, which stand along `axis`; None where the first has none."""
    first = parts[0][1]
    if first is None:
        return None
    shape = list(first.shape)
    shape[axis] = len(groups)
    total = torch.zeros(shape, dtype=first.dtype)
    for own, counts in parts:
        if counts is not None:
            total.index_add_(axis, torch.tensor([groups.index(group) for group in own]), counts)
    return total
