"""Settings of intervals and p-values."""

from dataclasses import dataclass

from ..errors import DataError


@dataclass(frozen=True)
class Inference:
    """Settings of the intervals and p-values: sign flips drawn for p-values, level of the intervals, seed."""

    n_resamples: int = 5000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_resamples < 1 or not 0 < self.level < 1:
            raise DataError(f"n_resamples must be positive and level between 0 and 1, got {self.n_resamples} and {self.level}")
