"""Equality of results, field by field."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def equal(one: Any, other: Any) -> bool:
    """Whether two results are the same: tensors in numbers, shape and dtype, dataclasses and containers by their parts.

    >>> equal({"a": torch.ones(2)}, {"a": torch.ones(2)}), equal([1], [2])
    (True, False)
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and bool(torch.equal(one.nan_to_num(), other.nan_to_num()))
    if is_dataclass(one):
        return all(equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)
