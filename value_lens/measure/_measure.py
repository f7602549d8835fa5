"""The contract of measures, and their registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import Entry, Registry
from ..model import LensModel
from ._task import EncodedTask


@dataclass(frozen=True)
class Measure:
    """A way of scoring items. It encodes them and never runs the model; `score_items` does.

    Args:
        name: for results.
        encode: (model, items) -> the items in the model's tokens. An item that cannot be scored is refused, or has a reason.
        unit: of a score, such as "nats".
    """

    name: str
    encode: Callable[[LensModel, Sequence[Any]], EncodedTask]
    unit: str = ""


measures: Registry[Entry] = Registry("measure", Entry, room=__package__ or "", group="value_lens.measures")
