"""Counting requests and tokens, and what they cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import DataError
from ._client import Reply


@dataclass(frozen=True)
class Prices:
    """What a model costs, in whatever currency.

    Args:
        prompt: Price of a million prompt tokens.
        reply: Price of a million reply tokens.

    Raises:
        DataError: A price below 0.
    """

    prompt: float = 0.0
    reply: float = 0.0

    def __post_init__(self) -> None:
        if not (self.prompt >= 0 and self.reply >= 0):
            raise DataError(f"a price is at least 0, got {self.prompt} and {self.reply}")


@dataclass
class Usage:
    """Requests, prompt tokens and reply tokens of one item so far."""

    n_requests: int = 0
    n_prompt_tokens: int = 0
    n_reply_tokens: int = 0

    def add(self, reply: Reply) -> None:
        """Count the tokens of a reply."""
        self.n_prompt_tokens += reply.n_prompt_tokens
        self.n_reply_tokens += reply.n_reply_tokens

    @property
    def counts(self) -> list[int]:
        """The three numbers in the order of a journal's "usage"."""
        return [self.n_requests, self.n_prompt_tokens, self.n_reply_tokens]


@dataclass(frozen=True)
class Cost:
    """Requests and tokens so far, resumed runs included, and their price (per million tokens, in whatever currency).

    What a kill interrupted in the middle of an item is not counted: nothing was written of it.
    """

    n_requests: int = 0
    n_prompt_tokens: int = 0
    n_reply_tokens: int = 0
    prompt_price: float = 0.0
    reply_price: float = 0.0

    @classmethod
    def of_usages(cls, usages: Iterable[Sequence[int]], prices: Prices) -> "Cost":
        """The sum of a journal's usages: (requests, prompt tokens, reply tokens) each."""
        counts = list(usages)
        n_requests, n_prompt, n_reply = (sum(usage[index] for usage in counts) for index in range(3))
        return cls(n_requests, n_prompt, n_reply, prices.prompt, prices.reply)

    @property
    def price(self) -> float:
        """What all tokens cost together."""
        return (self.n_prompt_tokens * self.prompt_price + self.n_reply_tokens * self.reply_price) / 1e6
