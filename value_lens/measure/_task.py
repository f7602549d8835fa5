"""The contract of encoded items: what is run, which predictions are read, and how they become scores. It never runs a model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ..model import EncodedText


class EncodedTask(ABC):
    """Items in one model's tokens, to be scored under many conditions.

    A read is one prediction of the model: a position of a sequence. Reads are numbered through all sequences, in order. An engine
    runs the sequences in any batches and hands each batch's reads to `extract`, then all of what came out to `combine`.

    Args:
        item_ids: the ids of the items; scores come in this order.
        sequences: what is run; each sequence's `origin` is its place here.
        positions: for each sequence the positions whose predictions are read.
        owners: for each sequence the place of its item.
        reasons: {place of an item: why it has no score}. Such an item scores NaN, and no other does.
        kind: what an item is called in errors.
        meta: facts about the encoding, for results.
    """

    item_ids: tuple[str, ...]
    sequences: tuple[EncodedText, ...]
    positions: tuple[tuple[int, ...], ...]
    owners: tuple[int, ...]
    reasons: Mapping[int, str]
    kind: str
    meta: Mapping[str, Any]

    @abstractmethod
    def extract(self, logits: Float[Tensor, "read d_vocab"], reads: Int64[Tensor, "read"]) -> Float[Tensor, "read"]:
        """One number of each read.

        Args:
            logits: of the reads.
            reads: their numbers.

        Returns:
            A number each, differentiable from the logits.
        """

    @abstractmethod
    def combine(self, numbers: Float[Tensor, "read"], reads: Int64[Tensor, "read"]) -> Float[Tensor, "item"]:
        """Scores from the numbers of all reads.

        Args:
            numbers: one of each read, in the order in which they were run.
            reads: the numbers of the reads, in the same order.

        Returns:
            One score per item; NaN for items with a reason.
        """

    def reduce(self, logits: Float[Tensor, "read d_vocab"]) -> Float[Tensor, "item"]:
        """Scores from the logits of all reads at once, in order; differentiable.

        Args:
            logits: of every read.

        Returns:
            One score per item; NaN for items with a reason.
        """
        reads = torch.arange(len(logits))
        return self.combine(self.extract(logits, reads), reads)


@dataclass(frozen=True)
class ScoredText:
    """One input to run, and which of its predictions count for its item.

    Args:
        encoded: the tokens to run.
        item: the place of its item.
        scored: (position of the prediction, token, weight of its log-probability in the item's score).
    """

    encoded: EncodedText
    item: int
    scored: tuple[tuple[int, int, float], ...]


class TokenTask(EncodedTask):
    """Scores that are weighted sums of log-probabilities of tokens, in nats.

    Args:
        item_ids: the ids of the items.
        texts: what is run and scored; the `origin` of each is its place.
        kind: what an item is called in errors.
        reasons: {place of an item: why it has no score}.
        meta: facts about the encoding, for results.
    """

    def __init__(
        self,
        item_ids: Sequence[str],
        texts: Sequence[ScoredText],
        *,
        kind: str = "item",
        reasons: "Mapping[int, str] | None" = None,
        meta: "Mapping[str, Any] | None" = None,
    ) -> None:
        self.item_ids, self.texts = tuple(item_ids), tuple(texts)
        self.sequences = tuple(text.encoded for text in texts)
        self.positions = tuple(tuple(position for position, _, _ in text.scored) for text in texts)
        self.owners = tuple(text.item for text in texts)
        self.reasons, self.kind, self.meta = dict(reasons or {}), kind, dict(meta or {})
        scored = [(text.item, token, weight) for text in texts for _, token, weight in text.scored]
        self._items, self._tokens = (torch.tensor([entry[index] for entry in scored], dtype=torch.int64) for index in (0, 1))
        self._weights = torch.tensor([weight for _, _, weight in scored], dtype=torch.float64)

    def extract(self, logits: Float[Tensor, "read d_vocab"], reads: Int64[Tensor, "read"]) -> Float[Tensor, "read"]:
        """Log-probability of the scored token of each read, float32, on the logits' device."""
        tokens = self._tokens[reads.cpu()].to(logits.device)
        return torch.log_softmax(logits.float(), dim=-1).gather(1, tokens[:, None]).squeeze(1)

    def combine(self, numbers: Float[Tensor, "read"], reads: Int64[Tensor, "read"]) -> Float[Tensor, "item"]:
        """Their weighted sum for each item, float64, on the CPU."""
        reads_on_cpu = reads.cpu()
        weighted = numbers.cpu().double() * self._weights[reads_on_cpu]
        scores = torch.zeros(len(self.item_ids), dtype=torch.float64).index_add(0, self._items[reads_on_cpu], weighted)
        unscored = torch.zeros(len(scores), dtype=torch.bool)
        unscored[list(self.reasons)] = True
        return scores.masked_fill(unscored, torch.nan)
