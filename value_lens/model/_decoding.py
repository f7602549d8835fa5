"""New tokens to text."""

from collections.abc import Sequence
from typing import Any

from ._tokens import special_ids


def decode_new(tokenizer: Any, prompt: Sequence[int], new: Sequence[int], *, with_special: bool = False) -> str:
    """The text of new tokens after a prompt, with the space it may begin with; special tokens are left out unless asked for."""
    if not with_special:
        special = special_ids(tokenizer)
        prompt, new = ([token for token in tokens if token not in special] for tokens in (prompt, new))
    prompt_text, full_text = (
        tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        for tokens in (prompt, [*prompt, *new])
    )
    return full_text[len(prompt_text) :]


def whole_characters(tokenizer: Any, prompt: Sequence[int], new: Sequence[int]) -> list[int]:
    """New tokens without those at their end that make only a part of a character; all of them where nothing whole is left."""
    for n_cut in range(min(4, len(new) - 1) + 1) if new else ():
        tokens = list(new[: len(new) - n_cut])
        if not decode_new(tokenizer, prompt, tokens).endswith("\ufffd"):
            return tokens
    return list(new)
