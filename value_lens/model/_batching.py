"""Settings of batches: how texts share a run of the model."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import DataError, UnknownNameError

PaddingSide = Literal["left", "right"]
PADDING_SIDES: tuple[str, ...] = get_args(PaddingSide)
TooLong = Literal["refuse", "cut"]
TOO_LONG: tuple[str, ...] = get_args(TooLong)


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How texts share a run. Results do not depend on it, apart from rounding.

    Args:
        max_tokens: Padded tokens of a batch; a longer text has a batch of its own. More than the default is no faster on a CPU,
            where attention over long texts leaves the cache.
        max_texts: Texts of a batch at most; None for as many as `max_tokens` allow. With 1, no text's numbers depend on another's.
        padding_side: Where shorter texts of a batch are padded, "left" or "right". Text is always generated with padding on the left.
        too_long: What to do with a text to count that is longer than the model's context: "refuse" it, or "cut" it to its beginning.
            Questions and prompts are never cut.

    Raises:
        DataError: A number below 1.
        UnknownNameError: Another `padding_side` or `too_long`.
    """

    max_tokens: int = 2048
    max_texts: int | None = None
    padding_side: PaddingSide = "right"
    too_long: TooLong = "refuse"

    def __post_init__(self) -> None:
        for name in ("max_tokens", "max_texts"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise DataError(f"{name} is {number}; give at least 1")
        for name, choices in (("padding_side", PADDING_SIDES), ("too_long", TOO_LONG)):
            if getattr(self, name) not in choices:
                raise UnknownNameError(name, getattr(self, name), choices)
