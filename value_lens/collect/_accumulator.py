"""The contract of accumulators: what is fed one layer of one batch at a time, and merged over shards."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..core import Group

Reads = Literal["site", "sign", "post"]


@dataclass(frozen=True, kw_only=True)
class TextBatch:
    """A padded batch of texts.

    Attributes:
        ids: the ids of the texts.
        tokens: their token ids.
        counted: True on tokens to count: those of the text, no BOS, prompt, special or padding.
    """

    ids: tuple[str, ...]
    tokens: Int[Tensor, "batch pos"]
    counted: Bool[Tensor, "batch pos"]


class Accumulator(ABC):
    """Sums and counts over a stream of batches. The result is that of the whole corpus at once, in any batches and order.

    Attributes:
        reads: the tensor that it is fed: "site" for activations at the site; "sign" for any tensor of the same sign, which may cost less;
            "post" for what multiplies W_out, whatever the site.
        layers: the layers that it is fed; None for all. A run ends after the last that any accumulator needs.
    """

    reads: Reads = "site"
    layers: Collection[int] | None = None

    @abstractmethod
    def begin(self, batch: TextBatch, groups: Sequence[Group]) -> None:
        """A new batch.

        Args:
            batch: its texts.
            groups: the group of each text.
        """

    @abstractmethod
    def update(self, layer: int, activations: Float[Tensor, "batch pos neuron"]) -> None:
        """One layer of the batch.

        Args:
            layer: which.
            activations: of all neurons of the layer; not to be changed or kept.
        """

    @abstractmethod
    def merge(self, other: "Accumulator") -> "Accumulator":
        """A new accumulator of both streams, which shares no memory with either. Associative and commutative.

        Args:
            other: one with the same settings.

        Returns:
            The accumulator of both.

        Raises:
            MismatchError: for other settings.
        """

    @abstractmethod
    def result(self) -> Any:
        """What was accumulated so far; going on does not change it."""
