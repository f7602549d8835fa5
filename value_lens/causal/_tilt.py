"""Drawing odds that grow with loudness, by a fitted tilt, so that controls are as loud as their set."""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

MOST = 12.0  # the steepest tilt
USUAL = (
    3.0  # standard deviation of the tilts that are expected of methods: the few neurons of a small set tell little of theirs
)
STEEPEST = 30.0  # log of the largest odds
HALVINGS, STEPS = 20, 60  # at most
CLOSE = 1e-6  # neurons of a stratum


def fit_odds(
    log_loudness: Float64[Tensor, "_"], stratum: Int64[Tensor, "_"], members: Bool[Tensor, "_"]
) -> tuple[Float64[Tensor, "_"], Float64[Tensor, "_"]]:
    """Odds and chances of neurons to be in a control that has in each stratum as many neurons as there are members.

    Neurons are drawn one after the other with odds of loudness ** tilt, the tilt such that controls have the members' mean of log
    loudness, but for a pull to 0 (a normal prior) that counts where members are few. Chances of such successive draws:
    1 - exp(-odds * time), the time at which as many are expected (Rosén, 1972).
    """
    if not len(stratum):
        return log_loudness, log_loudness
    by_stratum = lambda numbers: torch.zeros(int(stratum[-1]) + 1, dtype=torch.float64).index_add_(0, stratum, numbers)  # noqa: E731
    size, count = by_stratum(torch.ones_like(log_loudness)), by_stratum(members.double())
    relative = log_loudness - (by_stratum(log_loudness) / size)[stratum]
    target = float(relative[members].sum())
    low, high = -MOST, MOST
    for _ in range(HALVINGS):
        tilt = (low + high) / 2
        odds = (tilt * relative).clamp(-STEEPEST, STEEPEST).exp()
        chance = _chances(odds, stratum, count)
        if float((chance * relative).sum()) + tilt / USUAL**2 < target:
            low = tilt
        else:
            high = tilt
    return odds, chance


def _chances(
    odds: Float64[Tensor, "_"], stratum: Int64[Tensor, "_"], count: Float64[Tensor, "stratum"]
) -> Float64[Tensor, "_"]:
    """Chances of successive draws, by Newton's steps from below, since the number expected is concave in time.

    A stratum that all are drawn from never ends.
    """
    sums = lambda numbers: torch.zeros_like(count).index_add_(0, stratum, numbers)  # noqa: E731
    time = count / sums(odds)
    for _ in range(STEPS):
        left = torch.exp(-odds * time[stratum])
        missing = count - sums(1 - left)
        if float(missing.max()) < CLOSE:
            break
        time = time + missing / sums(odds * left).clamp_min(1e-300)
    return 1 - torch.exp(-odds * time[stratum])
