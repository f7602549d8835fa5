"""Settings of intervals and p-values."""

from dataclasses import dataclass

from ..errors import DataError

MOST = 1_000_000  # resamples: more say nothing more, and take the memory of all


@dataclass(frozen=True)
class Resampling:
    """How intervals and p-values are made.

    Args:
        n: sign flips and deals drawn for p-values, from 1 to a million; no p-value is below 1 / (n + 1).
        level: share of intervals that hold the true effect, between 0 and 1.
        seed: of the draws.

    Raises:
        DataError: for a number out of its range.
    """

    n: int = 5000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST or not 0 < self.level < 1:
            raise DataError(f"resampling needs n from 1 to {MOST:,} and a level between 0 and 1, got {self.n} and {self.level}")
        if not 0 <= self.seed < 2**63:
            raise DataError(f"the seed of resampling is {self.seed}; give a whole number from 0 to 2**63 - 1")
