"""How does a model continue a text? Batched, greedy or sampled, the same whatever stands beside it in the batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import NotFiniteError
from .view import ModelView, evaluating
from .vocabulary import padding_id

Choose = Callable[[Float[Tensor, "batch d_vocab"], int], Int[Tensor, "batch"]]  # logits and the step -> the next tokens


def chooser(seeds: Sequence[int], temperature: float, banned_at_first: Sequence[int] = ()) -> Callable[[Tensor, int], Tensor]:
    """Greedy at temperature 0; above it a sample by Gumbel noise, drawn for each row and step from that row's own seed.

    banned_at_first: tokens that cannot be the first of a continuation.
    """

    def choose(logits: Tensor, step: int) -> Tensor:
        logits = logits.float().cpu()
        if bool(logits.isnan().any()):
            raise NotFiniteError(
                f"the logits of step {step} are NaN, so no token can be chosen; the weights or the dtype are at fault"
            )
        if step == 0:
            logits[:, [token for token in banned_at_first if token < logits.shape[-1]]] = -torch.inf
        if temperature > 0:
            logits = logits / temperature + torch.stack([_gumbel(seed, step, logits.shape[-1]) for seed in seeds])
        return logits.argmax(-1)

    return choose


def _gumbel(seed: int, step: int, n: int) -> Tensor:
    uniform = torch.rand(n, generator=torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63))
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))


def continued(
    view: ModelView, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], choose: Choose, n_new: int
) -> list[list[int]]:
    """New tokens of each row, at most `n_new`, without the end token. Rows are padded on the left.

    A bridge generates with its Hugging Face model and its cache; a HookedTransformer runs the whole text at every step. Hooks and
    edits act in both.
    """
    if view.is_bridge:
        with view.running():
            return continued_by_huggingface(view.model.original_model, view.tokenizer, tokens, mask, choose, n_new)
    ends = end_tokens(None, view.tokenizer)
    found: list[list[int]] = [[] for _ in tokens]
    going = torch.ones(len(tokens), dtype=torch.bool)
    for step in range(n_new):
        chosen = choose(view.logits_at(tokens, mask, tokens.shape[1] - 1)[:, -1], step)
        for row in going.nonzero().flatten().tolist():
            if int(chosen[row]) in ends:
                going[row] = False
            else:
                found[row].append(int(chosen[row]))
        if not bool(going.any()):
            break
        tokens = torch.cat([tokens, chosen[:, None].to(tokens.device)], dim=1)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    return found


def continued_by_huggingface(
    model: Any, tokenizer: Any, tokens: Tensor, mask: Tensor, choose: Choose, n_new: int
) -> list[list[int]]:
    """As `continued`, for a model of `transformers`."""
    from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

    start = tokens.shape[1]

    class Chosen(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            picked = choose(scores, input_ids.shape[1] - start).to(scores.device)
            return torch.full_like(scores, -torch.inf).scatter_(1, picked[:, None], 0.0)

    ends = end_tokens(model, tokenizer)
    pad = padding_id(tokenizer, int(model.get_input_embeddings().weight.shape[0]))
    config = GenerationConfig(
        max_new_tokens=n_new, do_sample=False, num_beams=1, eos_token_id=ends or None, pad_token_id=pad, use_cache=True
    )
    with evaluating(model), _configured(model, config), torch.no_grad():
        made = model.generate(tokens, attention_mask=mask.long(), logits_processor=LogitsProcessorList([Chosen()]))
    found: list[list[int]] = []
    for row in made[:, start:].tolist():
        stop = next((place for place, token in enumerate(row) if token in ends), len(row))
        found.append(row[:stop])
    return found


@contextmanager
def _configured(model: Any, config: Any) -> Iterator[None]:
    """The model's own settings of generation, such as a repetition penalty, out of the way for a while."""
    own = model.generation_config
    model.generation_config = config
    try:
        yield
    finally:
        model.generation_config = own


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text: those a Hugging Face model states of itself, else the tokenizer's."""
    stated = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    stated = tokenizer.eos_token_id if stated is None else stated
    return [] if stated is None else [int(token) for token in (stated if isinstance(stated, list) else [stated])]


@lru_cache(maxsize=8)
def blank_tokens(tokenizer: Any) -> tuple[int, ...]:
    """Tokens that show nothing: special ones and white space."""
    special = set(tokenizer.all_special_ids)
    shown = tokenizer.batch_decode([[token] for token in range(len(tokenizer))], skip_special_tokens=True)
    return tuple(token for token, text in enumerate(shown) if token in special or not text.strip())


def said(tokenizer: Any, prompt: Sequence[int], new: Sequence[int]) -> str:
    """The text of new tokens after a prompt, with the space it may begin with, without a character that was cut off at its end."""
    before = tokenizer.decode(list(prompt), skip_special_tokens=True)

    def text(tokens: Sequence[int]) -> str:
        return tokenizer.decode([*prompt, *tokens], skip_special_tokens=True)[len(before) :]

    whole = list(new)
    while len(whole) > 1 and text(whole).endswith("\ufffd") and len(new) - len(whole) < 4:
        whole.pop()
    return text(whole) if not text(whole).endswith("\ufffd") else text(new)
