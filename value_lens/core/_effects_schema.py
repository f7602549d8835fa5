"""What a file of an effect matrix holds, and how files of earlier versions are read."""

from typing import Any

import torch
from torch import Tensor

from ._item_scores import ItemScores
from ._kinds import COUNT, OBJECT, SEED, SHARE, SIZE, TEXT, Content, Kind, Numbers, list_of, object_of, unchanged
from ._resampling import Resampling
from ._views import view_of

SCORES = ("clean", "own", "control", "outside")
RESULTS = (
    "clean", "rate", "effect", "interval", "p", "margin_effect", "margin_interval", "margin_p", "control_rate", "outside_effect",
    "control_mean", "rank", "rank_p", "margin_rank_p",
)  # fmt: skip
SPECIFIC = ("effect", "interval", "p", "controls")
NAME = "effect matrix"

_NAMES, _NUMBERS = list_of(TEXT, distinct=True), {"dtypes": (torch.float64,), "negative": True, "finite": False}
_ITEMS = {name: list_of(TEXT, "item") for name in ("item_ids", "item_values", "item_languages", "item_clusters")}
_CELL = "language value intervened"
_AXES = {
    "clean": "language value", "interval": f"{_CELL} bound", "margin_interval": f"{_CELL} bound",
    "control_rate": f"{_CELL} control", "outside_effect": f"{_CELL} control",
    "specific.p": "language value", "specific.interval": f"{_CELL} bound", "specific.controls": "language value control",
}  # fmt: skip

FORMER = Kind(  # scores alone
    "support matrix",
    fields={
        **_ITEMS,
        "values": _NAMES,
        "languages": _NAMES,
        "ablated": list_of(TEXT, "ablated", distinct=True),
        "n_neurons": list_of(COUNT, "ablated"),
        "inference": object_of(n_resamples=SIZE, level=SHARE, seed=SEED),
        "meta": OBJECT,
    },
    tensors={
        "clean_margins": Numbers("item", **_NUMBERS),
        "edited_margins": Numbers("ablated item", **_NUMBERS),
        "control_margins": Numbers("ablated control item", **_NUMBERS),
        "outside_margins": Numbers("ablated control item", **_NUMBERS, optional=True),
    },
    schema=2,
    upgrades={1: unchanged},  # before controls were told apart
)


def content_of(matrix: Any) -> Content:
    """Metadata and tensors of a matrix, as its file holds them."""
    tensors = {f"scores.{name}": getattr(matrix.scores, name) for name in SCORES}
    tensors |= {name: getattr(matrix, name) for name in RESULTS}
    tensors |= {f"specific.{name}": getattr(matrix.specific, name) for name in SPECIFIC}
    meta: dict[str, Any] = {name: list(entries) for name, entries in vars(matrix.scores).items() if isinstance(entries, tuple)}
    meta["verdicts"] = [list(verdicts) for verdicts in matrix.specific.verdicts]
    meta |= {"resampling": dict(vars(matrix.resampling)), "meta": dict(matrix.meta)}
    return meta, {name: tensor for name, tensor in tensors.items() if tensor is not None}


def _with_numbers(meta: dict[str, Any], tensors: dict[str, Tensor]) -> Content:
    """The content of a file of scores alone, with the numbers that are computed from them."""
    meta, tensors = FORMER.read(2, meta, tensors)
    settings, names = meta["inference"], ("item_ids", "item_values", "item_languages", "item_clusters", "values", "languages")
    lists: dict[str, Any] = {name: tuple(meta[name]) for name in (*names, "n_neurons")}
    scores = ItemScores(
        **lists,
        intervened=tuple(meta["ablated"]),
        clean=tensors["clean_margins"],
        own=tensors["edited_margins"],
        control=tensors["control_margins"],
        outside=tensors.get("outside_margins"),
    )
    resampling = Resampling(n=settings["n_resamples"], level=settings["level"], seed=settings["seed"])
    return content_of(view_of(NAME, "compute")(scores, resampling=resampling, meta=meta["meta"]))


KIND = Kind(
    NAME,
    fields={
        **_ITEMS,
        "values": list_of(TEXT, "value", distinct=True),
        "languages": list_of(TEXT, "language", distinct=True),
        "intervened": list_of(TEXT, "intervened", distinct=True),
        "n_neurons": list_of(COUNT, "intervened"),
        "verdicts": list_of(list_of(TEXT), "language"),
        "resampling": object_of(n=SIZE, level=SHARE, seed=SEED),
        "meta": OBJECT,
    },
    tensors={
        "scores.clean": Numbers("item", **_NUMBERS),
        "scores.own": Numbers("intervened item", **_NUMBERS),
        "scores.control": Numbers("intervened control item", **_NUMBERS),
        "scores.outside": Numbers("intervened control item", **_NUMBERS, optional=True),
        **{name: Numbers(_AXES.get(name, _CELL), **_NUMBERS) for name in (*RESULTS, *(f"specific.{n}" for n in SPECIFIC))},
    },
    schema=3,
    upgrades={1: unchanged, 2: _with_numbers},
    former=(FORMER.name,),
)
