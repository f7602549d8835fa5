"""Kinds of tokens: special, blank, known to the tokenizer, embedded by the model."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..errors import DataError

_MARKER = re.compile(r"[<\[{|].+[>\]}|]", re.DOTALL)  # <pad>, [PAD], <|endoftext|>


def special_ids(tokenizer: Any) -> frozenset[int]:
    """The tokens that the tokenizer marks as special, whether or not they have a role (BOS, padding, ...).

    A role alone makes no token special: "!" named as padding is a token of ordinary text, in memory and after the tokenizer was
    saved and loaded, which marks whatever has a role.
    """
    return _special_ids(tokenizer, len(tokenizer), tuple(tokenizer.all_special_ids))


@lru_cache(maxsize=8)
def _special_ids(tokenizer: Any, n_tokens: int, with_role: tuple[int, ...]) -> frozenset[int]:
    """Remembered, since a tokenizer makes its list of added tokens anew each time; the last two arguments tell when it has changed."""
    added = getattr(tokenizer, "added_tokens_decoder", None)
    if added is None:  # a tokenizer that is no list of tokens with marks
        return frozenset(with_role)
    marked = {token for token, added_token in added.items() if added_token.special}
    by_role = {token for token in marked.intersection(with_role) if token != tokenizer.unk_token_id}
    return frozenset(marked - {token for token in by_role if _is_ordinary(tokenizer, token, added[token].content)})


def _is_ordinary(tokenizer: Any, token: int, content: str) -> bool:
    """Whether the tokenizer would write ordinary text with this token if nothing marked it: a piece of its vocabulary, no marker."""
    if _MARKER.fullmatch(content):
        return False
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return token < tokenizer.vocab_size
    model = backend.model
    return model.token_to_id(content) == token and [piece.id for piece in model.tokenize(content)] == [token]


def padding_id(tokenizer: Any, n_embedded: int) -> int:
    """A token to pad with: the tokenizer's where the embedding has it, else the first. What is padding is known from masks alone."""
    pad_token = tokenizer.pad_token_id
    return pad_token if pad_token is not None and 0 <= pad_token < n_embedded else 0


def require_embedded(tokenizer: Any, ids: Sequence[int], n_embedded: int, name: str) -> None:
    """Raise `DataError` for a token that the embedding has no row for. name: what the ids are of, for the error."""
    if max(ids, default=0) < n_embedded:
        return
    token = next(token for token in ids if token >= n_embedded)
    raise DataError(
        f"{name} has the token {tokenizer.convert_ids_to_tokens(token)!r} (id {token}), but the model's embedding has {n_embedded} "
        "rows: it was added to the tokenizer, not to the model; leave it out, or load the model with its own tokenizer"
    )


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
    texts = tokenizer.batch_decode([[token] for token in tokens])
    return (*sorted(special), *(token for token, text in zip(tokens, texts, strict=True) if not text.strip()))
