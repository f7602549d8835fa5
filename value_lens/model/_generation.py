"""Generating with a Hugging Face model, and the tokens that end a text."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ._lease import Attachment
from ._patches import own_generation_settings
from ._root import root_of
from ._sampling import Choose
from ._tokens import padding_id


def generate_with_huggingface(
    model: Any,
    tokenizer: Any,
    tokens: Int[Tensor, "batch pos"],
    mask: Bool[Tensor, "batch pos"],
    choose: Choose,
    n_new: int,
    ends: Sequence[int],
) -> list[list[int]]:
    """New tokens of each row from a model of `transformers`, at most `n_new`, without the end token. Rows are padded on the left."""
    from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

    start = tokens.shape[1]

    class Chosen(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            chosen = choose(scores, input_ids.shape[1] - start).to(scores.device)
            return torch.full_like(scores, -torch.inf).scatter_(1, chosen[:, None], 0.0)

    pad = padding_id(tokenizer, int(model.get_input_embeddings().weight.shape[0]))
    config = GenerationConfig(
        max_new_tokens=n_new, do_sample=False, num_beams=1, eos_token_id=list(ends) or None, pad_token_id=pad, use_cache=True
    )
    processors = LogitsProcessorList([Chosen()])
    generated = Attachment(model, own_generation_settings(model, config)).run(
        lambda: model.generate(tokens, attention_mask=mask.long(), logits_processor=processors)
    )
    rows: list[list[int]] = []
    for row in generated[:, start:].tolist():
        stop = next((position for position, token in enumerate(row) if token in ends), len(row))
        rows.append(row[:stop])
    return rows


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text: those of the model's settings of generation, and the tokenizer's own.

    Where the model holds no such settings (a HookedTransformer), those saved with its tokenizer are read, without a network.
    """
    settings = getattr(root_of(model), "generation_config", None) or _saved_settings(
        str(getattr(tokenizer, "name_or_path", "") or "")
    )
    configured = getattr(settings, "eos_token_id", None)
    configured = [] if configured is None else torch.as_tensor(configured).flatten().tolist()
    own = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return sorted({int(token) for token in (*configured, *own)})


def _saved_settings(name: str) -> Any:
    """The settings of generation in a local folder, or in the local cache of a hub name; None where there are none."""
    from transformers import GenerationConfig

    for file in ("generation_config.json", "config.json") if name else ():
        try:
            return GenerationConfig.from_pretrained(name, file, local_files_only=True)
        except (OSError, ValueError):  # not there, or not readable
            continue
    return None
