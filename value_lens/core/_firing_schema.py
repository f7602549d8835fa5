"""What a file of firing statistics holds."""

import torch

from ._kinds import OBJECT, TEXT, Kind, Numbers, listed, tuple_of, unchanged

_COUNTS, _SUMS = (torch.int64,), (torch.float64,)
KIND = Kind(
    "firing statistics",
    fields={"groups": listed(tuple_of(TEXT, TEXT, TEXT), "group"), "site": TEXT, "model": TEXT, "meta": OBJECT},
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
