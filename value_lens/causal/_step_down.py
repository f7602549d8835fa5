"""Step-down minimum p-value correction (Westfall and Young)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

SAME = 1e-6  # p-values closer than this share are equal


def step_down(
    own: Sequence[float], drawn: Sequence[Float[Tensor, "resample"]], plain: Sequence[float] | None = None
) -> list[float]:
    """Own p-values corrected for their number by the step-down minimum p-value; `drawn` has each one's own p of every draw.

    `own` may be any measure of how sure each test is, the smaller the surer, comparable between tests; `plain` are then its p-values,
    below which no corrected one falls.

    Own p-values of what was seen and of the draws must be ranks in one pool of both. If each test ranks what was seen among the
    draws alone, it is the first of 5,000 by chance in some of 288 tests in 6% of cases, and counts as surer than every draw.
    """
    order = sorted(range(len(own)), key=lambda index: own[index], reverse=True)
    smallest, counts = None, []
    for index in order:
        smallest = drawn[index] if smallest is None else torch.minimum(smallest, drawn[index])
        counts.append(int((smallest <= own[index] * (1 + SAME)).sum()))
    corrected, least = [0.0] * len(own), 0.0
    for index, count in zip(reversed(order), reversed(counts), strict=True):
        least = max(least, (own if plain is None else plain)[index], (1 + count) / (1 + len(drawn[index])))
        corrected[index] = least
    return corrected
