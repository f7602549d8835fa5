"""The engine that runs encoded items through a model."""

from itertools import accumulate

import torch
from jaxtyping import Float64
from torch import Tensor

from ..errors import NotFiniteError
from ..intervene import Running, positions_of, running
from ..model import Batching, LensModel, bucket, pad
from ._task import EncodedTask


def score_items(lens: LensModel, task: EncodedTask, batching: Batching | None = None) -> Float64[Tensor, "item"]:
    """The score of every item, under whatever interventions are in force.

    Args:
        lens: the model that the items were encoded for.
        task: the encoded items.
        batching: how they share a run; by default as the model's own.

    Returns:
        One score per item, on the CPU; NaN for items to which the task gives a reason.

    Raises:
        NotFiniteError: with an item's id, when a score without a reason is not finite.
    """
    batching = batching or lens.batching
    first_read = [0, *accumulate(len(positions) for positions in task.positions)]
    numbers: list[Tensor] = []
    read_numbers: list[Tensor] = []
    for items in bucket(task.sequences, batching):
        batch = pad(lens, items, batching.padding_side)
        width, padded_left = batch.tokens.shape[1], batching.padding_side == "left"
        rows, positions, reads = zip(
            *(
                (row, position + (width - len(task.sequences[origin].ids) if padded_left else 0), first_read[origin] + number)
                for row, origin in enumerate(batch.origins)
                for number, position in enumerate(task.positions[origin])
            ),
            strict=True,
        )
        first = min(positions)
        ids = tuple(task.item_ids[task.owners[origin]] for origin in batch.origins)
        with running(Running(item_ids=ids, positions=positions_of(batch.mask), step=0, phase="prompt")):
            logits = lens.logits_at(batch.tokens, batch.mask, first)
        offsets = torch.tensor(positions, device=logits.device) - first
        read_numbers.append(torch.tensor(reads))
        numbers.append(task.extract(logits[torch.tensor(rows, device=logits.device), offsets], read_numbers[-1]).cpu().double())
    none = torch.zeros(0, dtype=torch.float64)
    scores = task.combine(torch.cat([none, *numbers]), torch.cat([none.long(), *read_numbers])).double()
    bad = [item for item in (~torch.isfinite(scores)).nonzero().flatten().tolist() if item not in task.reasons]
    if bad:
        raise NotFiniteError(f"the log-probabilities of {task.kind} {task.item_ids[bad[0]]!r} are not finite ({len(bad)} such)")
    return scores
