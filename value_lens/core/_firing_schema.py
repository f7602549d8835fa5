"""What a file of firing statistics holds."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import DataError
from ._kinds import OBJECT, TEXT, Kind, Numbers, list_of, tuple_of, unchanged

_COUNTS, _SUMS = (torch.int64,), (torch.float64,)
KIND = Kind(
    "firing statistics",
    fields={"groups": list_of(tuple_of(TEXT, TEXT, TEXT), "group"), "site": TEXT, "model": TEXT, "meta": OBJECT},
    tensors={
        "n_texts": Numbers("group", _COUNTS),
        "n_tokens": Numbers("group", _COUNTS),
        "fired": Numbers("group layer neuron", _COUNTS),
        "total": Numbers("group layer neuron", _SUMS, optional=True, negative=True),
        "total_sq": Numbers("group layer neuron", _SUMS, optional=True),
        "post_total": Numbers("group layer neuron", _SUMS, optional=True, negative=True),
        "post_total_sq": Numbers("group layer neuron", _SUMS, optional=True),
        "block_n_tokens": Numbers("block group", _COUNTS, optional=True),
        "block_fired": Numbers("block group layer neuron", _COUNTS, optional=True),
    },
    schema=2,
    upgrades={1: unchanged},  # before the sums of what multiplies W_out
)

SUMS = {
    "total": "activation sums",
    "total_sq": "activation sums",
    "post_total": "sums of hook_post",
    "post_total_sq": "sums of hook_post",
}


def require_parts(tensors: Mapping[str, Tensor]) -> None:
    """Raise `DataError` unless the counts of all blocks add up to those of the whole."""
    for name in ("n_tokens", "fired"):
        blocks = tensors.get(f"block_{name}")
        if blocks is not None and not torch.equal(blocks.sum(0), tensors[name]):
            raise DataError(f"has other counts in 'block_{name}' than in {name!r}, whose parts they should be")
