"""Encoded texts to batches: length buckets, padding and masks on a chosen side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ._batching import Batching, PaddingSide
from ._encoding import EncodedText
from ._lens_model import LensModel
from ._tokens import padding_id, special_ids


@dataclass(frozen=True)
class Batch:
    """A padded batch. `mask` is True on real tokens, `counted` on those that belong to the text (no BOS, prompt or special)."""

    tokens: Int[Tensor, "batch pos"]
    mask: Bool[Tensor, "batch pos"]
    counted: Bool[Tensor, "batch pos"]
    origins: tuple[int, ...]


def bucket(encoded: Sequence[EncodedText], batching: Batching) -> Iterator[list[EncodedText]]:
    """Lists of texts of like length, the longest first, each at most `max_tokens` padded tokens (or one text)."""
    ordered = sorted(encoded, key=lambda item: (-len(item.ids), item.origin))
    start = 0
    while start < len(ordered):
        fitting = max(1, batching.max_tokens // len(ordered[start].ids))
        end = start + min(fitting, batching.max_texts or fitting)
        yield ordered[start:end]
        start = end


def pad(lens: LensModel, texts: Sequence[EncodedText], side: PaddingSide = "right") -> Batch:
    """One rectangular batch on the model's device. Special tokens inside a text are real but not counted."""
    width = max(len(item.ids) for item in texts)
    tokens = torch.full((len(texts), width), padding_id(lens.tokenizer, lens.n_embedded), dtype=torch.long)
    mask = torch.zeros((len(texts), width), dtype=torch.bool)
    counted = torch.zeros_like(mask)
    for row, item in enumerate(texts):
        start = width - len(item.ids) if side == "left" else 0
        end = start + len(item.ids)
        tokens[row, start:end] = torch.tensor(item.ids)
        mask[row, start:end] = True
        counted[row, start + item.counted : end] = True
    special = torch.tensor(sorted(special_ids(lens.tokenizer)), dtype=torch.long)
    counted &= ~torch.isin(tokens, special)
    device = lens.device
    return Batch(tokens.to(device), mask.to(device), counted.to(device), tuple(item.origin for item in texts))
