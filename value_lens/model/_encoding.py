"""Texts to token ids: explicit BOS, and where a text begins behind its prompt."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..core import require_whole_pairs
from ..errors import DataError, TooLongError
from ._batching import TooLong
from ._lens_model import LensModel
from ._tokens import require_embedded


@dataclass(frozen=True)
class EncodedText:
    """Token ids of one input; `counted` is the first position after BOS and prompt; `origin` is its place in the corpus."""

    ids: tuple[int, ...]
    counted: int
    origin: int
    n_cut: int = 0


def encode(
    lens: LensModel,
    text: str,
    *,
    prompt: str = "",
    ids: Sequence[int] | None = None,
    origin: int = 0,
    name: str = "",
    too_long: TooLong = "refuse",
) -> EncodedText:
    """Token ids of prompt + text, with BOS where the model's default asks for it and none stands there yet, and nowhere else.

    Both are tokenized as one. A token belongs to the text when it ends after the prompt does, so one that spans the prompt's end
    does; BOS never does. ids: those of a text without prompt, made by `tokenize`.
    Raises `DataError` for a text without tokens or with one that the embedding lacks, and `TooLongError` for one longer than the
    context unless `too_long="cut"`, which keeps its beginning and records how many tokens went.
    """
    if prompt:
        ids, boundary = _tokenize_together(lens, prompt, text)
    else:
        ids, boundary = list(tokenize(lens, [text])[0] if ids is None else ids), 0
    ids_with_bos = prepend_bos(lens, ids)
    counted = max(boundary + len(ids_with_bos) - len(ids), int(ids_with_bos[:1] == [lens.tokenizer.bos_token_id]))
    ids = ids_with_bos
    if len(ids) <= counted:
        raise DataError(f"text {name or origin!r} has no tokens to count: {text[:60]!r}")
    require_embedded(lens.tokenizer, ids, lens.n_embedded, f"text {name or origin!r}")
    n_cut = max(0, len(ids) - lens.n_ctx) if lens.n_ctx else 0
    if n_cut and too_long == "refuse":
        raise TooLongError(
            f"text {name or origin!r} is {len(ids)} tokens long, but the model's context is {lens.n_ctx}; shorten it or "
            "leave it out, or, if it is a text to count, cut it with Batching(too_long='cut') (on the command line: --too-long cut)"
        )
    if n_cut and counted >= lens.n_ctx:
        raise DataError(f"text {name or origin!r}: its prompt alone ({counted} tokens) fills the context of {lens.n_ctx}")
    return EncodedText(tuple(ids[: len(ids) - n_cut]), counted, origin, n_cut)


def tokenize(lens: LensModel, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of many texts, without special tokens; some at once, since the tokenizer's own records of a text are large.

    Raises `DataError` for a text with half of a character pair.
    """
    all_ids: list[list[int]] = []
    for text in texts:
        require_whole_pairs(text, "text")
    for window in windows(texts, 64):
        all_ids += lens.tokenizer(window, add_special_tokens=False)["input_ids"]
    return all_ids


def _tokenize_together(lens: LensModel, prompt: str, text: str) -> tuple[list[int], int]:
    """Token ids of prompt + text, and how many of them end with or before the prompt."""
    if getattr(lens.tokenizer, "is_fast", False):
        require_whole_pairs(prompt + text, "text")
        encoding = lens.tokenizer(prompt + text, add_special_tokens=False, return_offsets_mapping=True)
        return list(encoding["input_ids"]), sum(1 for _, end in encoding["offset_mapping"] if end <= len(prompt))
    # Without offsets: what begins as the prompt alone does, and then whatever adds no letter to it.
    prompt_ids, ids = tokenize(lens, [prompt, prompt + text])
    boundary = first_difference(prompt_ids, ids)
    prompt_length = len(_decode(lens, prompt_ids))
    while boundary < len(ids) and len(_decode(lens, ids[: boundary + 1])) <= prompt_length:
        boundary += 1
    return ids, boundary


def _decode(lens: LensModel, ids: Sequence[int]) -> str:
    return lens.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)


def first_difference(first: Sequence[int], second: Sequence[int]) -> int:
    """The first place in which two sequences differ; the shorter one's length where it is how the longer one begins."""
    positions = (position for position, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    return next(positions, min(len(first), len(second)))


def windows(items: Iterable, size: int) -> Iterator[list]:
    """Consecutive lists of at most `size` items: what is held at one time, whatever the corpus's length."""
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window


def prepend_bos(lens: LensModel, ids: Sequence[int]) -> list[int]:
    """Token ids with BOS in front, where the model's default asks for it and they do not begin with it already."""
    ids = list(ids)
    bos = lens.tokenizer.bos_token_id
    return [bos, *ids] if lens.prepends_bos and ids[:1] != [bos] else ids
