"""The error of a stream that cannot be counted further, with what was counted before it."""

from typing import Any

from ..errors import DataError
from ._firing import FiringStats


class CountingStoppedError(DataError):
    """A text of a stream that cannot be counted; `stats` holds what was counted before it, in which a group may have no token."""

    def __init__(self, fault: DataError, stats: FiringStats, n_counted: int, n_texts: int) -> None:
        self.fault, self.stats, self.n_counted, self.n_texts = fault, stats, n_counted, n_texts
        super().__init__(
            f"{fault}\n{n_counted} of {n_texts} texts were counted before it; these counts are the error's `.stats`, to be saved, or "
            "merged with those of the rest"
        )

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.fault, self.stats, self.n_counted, self.n_texts)
