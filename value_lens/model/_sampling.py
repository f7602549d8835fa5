"""Batched continuation, greedy or sampled, independent of the rest of the batch."""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import NotFiniteError
from ._attachment import Attachment
from ._attachments import Evaluation, Setting
from ._lens_model import LensModel
from ._parts import walk
from ._vocabulary import padding_id, special_ids

Choose = Callable[[Float[Tensor, "batch d_vocab"], int], Int[Tensor, "batch"]]  # logits and the step -> the next tokens


def chooser(
    seeds: Sequence[int], temperature: float, banned_at_first: Sequence[int] = (), known: Collection[int] | None = None
) -> Callable[[Tensor, int], Tensor]:
    """Greedy at temperature 0; above it a sample by Gumbel noise, drawn for each row and step from that row's own seed.

    banned_at_first: tokens that cannot be the first of a continuation. known: the tokens that can be chosen at all, None for any:
    many models have more rows of logits than their tokenizer has tokens.
    """

    @lru_cache(maxsize=2)
    def banned(n_logits: int, first: bool) -> Tensor:
        row = torch.zeros(n_logits, dtype=torch.bool)
        if known is not None:
            row[:] = True
            row[[token for token in known if token < n_logits]] = False
        if first:
            row[[token for token in banned_at_first if token < n_logits]] = True
        return row

    def choose(logits: Tensor, step: int) -> Tensor:
        logits = logits.float().cpu()
        if bool(logits.isnan().any()):
            raise NotFiniteError(
                f"the logits of step {step} are NaN, so no token can be chosen; the weights or the dtype are at fault"
            )
        logits = logits.masked_fill(banned(logits.shape[-1], step == 0), -torch.inf)
        if temperature > 0:
            logits = logits / temperature + torch.stack([_gumbel(seed, step, logits.shape[-1]) for seed in seeds])
        return logits.argmax(-1)

    return choose


def _gumbel(seed: int, step: int, n: int) -> Tensor:
    uniform = torch.rand(n, generator=torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63))
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))


def continued(
    view: LensModel,
    tokens: Int[Tensor, "batch pos"],
    mask: Bool[Tensor, "batch pos"],
    choose: Choose,
    n_new: int,
    ends: Sequence[int] | None = None,
) -> list[list[int]]:
    """New tokens of each row, at most `n_new`, without the end token. Rows are padded on the left.

    ends: tokens that end a text; without them the model's `end_tokens`. A bridge generates with its Hugging Face model and its
    cache; a HookedTransformer runs the whole text at every step. Hooks and edits act in both.
    """
    if view.is_bridge:
        original = view.model.original_model
        return view.run(lambda: continued_by_huggingface(original, view.tokenizer, tokens, mask, choose, n_new, ends), mask)
    ends = end_tokens(view.model, view.tokenizer) if ends is None else ends
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
    model: Any,
    tokenizer: Any,
    tokens: Int[Tensor, "batch pos"],
    mask: Bool[Tensor, "batch pos"],
    choose: Choose,
    n_new: int,
    ends: Sequence[int] | None = None,
) -> list[list[int]]:
    """As `continued`, for a model of `transformers`."""
    from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

    start = tokens.shape[1]

    class Chosen(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            picked = choose(scores, input_ids.shape[1] - start).to(scores.device)
            return torch.full_like(scores, -torch.inf).scatter_(1, picked[:, None], 0.0)

    ends = end_tokens(model, tokenizer) if ends is None else ends
    pad = padding_id(tokenizer, int(model.get_input_embeddings().weight.shape[0]))
    config = GenerationConfig(
        max_new_tokens=n_new, do_sample=False, num_beams=1, eos_token_id=list(ends) or None, pad_token_id=pad, use_cache=True
    )
    # The model's own settings of generation, such as a repetition penalty, are out of the way for a while.
    items = [Evaluation(walk(model).training), Setting(model, "generation_config", config)]
    processors = LogitsProcessorList([Chosen()])
    made = Attachment(model, items).run(lambda: model.generate(tokens, attention_mask=mask.long(), logits_processor=processors))
    found: list[list[int]] = []
    for row in made[:, start:].tolist():
        stop = next((place for place, token in enumerate(row) if token in ends), len(row))
        found.append(row[:stop])
    return found


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text: those of the model's settings of generation, and the tokenizer's own.

    Where the model holds no such settings (a HookedTransformer), those saved with its tokenizer are read, without a network.
    """
    settings = getattr(model, "generation_config", None) or _saved_settings(str(getattr(tokenizer, "name_or_path", "") or ""))
    stated = getattr(settings, "eos_token_id", None)
    stated = [] if stated is None else torch.as_tensor(stated).flatten().tolist()
    own = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return sorted({int(token) for token in (*stated, *own)})


def _saved_settings(name: str) -> Any:
    """The settings of generation in a local folder, or in the local cache of a hub name; None where there are none."""
    from transformers import GenerationConfig

    for file in ("generation_config.json", "config.json") if name else ():
        try:
            return GenerationConfig.from_pretrained(name, file, local_files_only=True)
        except (OSError, ValueError):  # not there, or not readable
            continue
    return None


def known_tokens(tokenizer: Any, ends: Sequence[int] = ()) -> frozenset[int]:
    """The tokens that a model can be let choose: those its tokenizer has, and those that end a text."""
    return _vocabulary(tokenizer, len(tokenizer)).union(ends)


@lru_cache(maxsize=8)
def _vocabulary(tokenizer: Any, n_tokens: int) -> frozenset[int]:
    """Remembered, since making it takes a while; `n_tokens` tells when tokens were added."""
    return frozenset(tokenizer.get_vocab().values())


def blank_tokens(tokenizer: Any) -> tuple[int, ...]:
    """Tokens that show nothing: special ones and white space."""
    return _blank(tokenizer, len(tokenizer), special_ids(tokenizer))


@lru_cache(maxsize=8)
def _blank(tokenizer: Any, n_tokens: int, special: frozenset[int]) -> tuple[int, ...]:
    tokens = sorted(_vocabulary(tokenizer, n_tokens) - special)
    shown = tokenizer.batch_decode([[token] for token in tokens])
    return (*sorted(special), *(token for token, text in zip(tokens, shown, strict=True) if not text.strip()))


def said(tokenizer: Any, prompt: Sequence[int], new: Sequence[int]) -> str:
    """The text of new tokens after a prompt, with the space it may begin with, without special tokens."""
    special = special_ids(tokenizer)
    return written(tokenizer, *([token for token in tokens if token not in special] for tokens in (prompt, new)))


def written(tokenizer: Any, prompt: Sequence[int], new: Sequence[int]) -> str:
    """As `said`, with special tokens as they are written."""
    before, whole = (
        tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        for tokens in (prompt, [*prompt, *new])
    )
    return whole[len(before) :]


def whole_characters(tokenizer: Any, prompt: Sequence[int], new: Sequence[int]) -> list[int]:
    """New tokens without those at their end that make only a part of a character; all of them where nothing whole is left."""
    for n_cut in range(min(4, len(new) - 1) + 1) if new else ():
        kept = list(new[: len(new) - n_cut])
        if not said(tokenizer, prompt, kept).endswith("\ufffd"):
            return kept
    return list(new)
