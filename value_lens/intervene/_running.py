"""The batch that a run of the library is on, for interventions: item ids, positions, step, phase."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from jaxtyping import Bool, Int64
from torch import Tensor

from ._intervention import Context, Phase


@dataclass(frozen=True, kw_only=True)
class Running:
    """A batch that is being run; see `Context` for the fields."""

    item_ids: tuple[str, ...] | None = None
    positions: Int64[Tensor, "batch pos"] | None = None
    step: int | None = None
    phase: Phase | None = None


_RUNNING: ContextVar[Running | None] = ContextVar("running", default=None)


@contextmanager
def running(batch: Running) -> Iterator[None]:
    """Let interventions know the batch that is run inside the block."""
    token = _RUNNING.set(batch)
    try:
        yield
    finally:
        _RUNNING.reset(token)


def context_of(layer: int, shape: tuple[int, ...]) -> Context:
    """What is known of a slice of this layer; nothing of a run of another shape, which is not the batch that was told of."""
    batch = _RUNNING.get()
    if batch is None or (batch.positions is not None and tuple(batch.positions.shape) != tuple(shape[:2])):
        return Context(layer=layer)
    return Context(layer=layer, item_ids=batch.item_ids, positions=batch.positions, step=batch.step, phase=batch.phase)


def positions_of(mask: Bool[Tensor, "batch pos"]) -> Int64[Tensor, "batch pos"]:
    """For each token its place among the real tokens of its text, from 0; -1 for padding."""
    return (mask.long().cumsum(1) - 1).masked_fill(~mask, -1)
