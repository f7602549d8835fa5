"""How is a corpus counted on a model? Streaming windows, buckets of like length, hooks that keep only sums, an early end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..corpus import LabelledText
from ..errors import DataError, NotFiniteError, UnknownNameError
from ..model import (
    BATCH_TOKENS,
    TOO_LONG,
    EncodedText,
    HookFunction,
    ModelView,
    NeuronSite,
    PaddingSide,
    TooLong,
    bucket,
    encode,
    pad,
    reading,
    tokenize,
    windows,
)
from .firing import FiringStats, sort_groups
from .fold import FiringFold, batch_cells

Progress = Callable[[int, int], None]
WINDOW = 1024  # texts encoded and sorted at one time


def collect(
    view: ModelView,
    site: NeuronSite,
    texts: Iterable[LabelledText],
    *,
    max_tokens: int = BATCH_TOKENS,
    max_texts: int | None = None,
    padding_side: PaddingSide = "right",
    too_long: TooLong = "refuse",
    n_blocks: int = 0,
    moments: bool = True,
    progress: Progress | None = None,
) -> FiringStats:
    """Count firing over a corpus. The counts do not depend on batch size, order of texts or padding side.

    texts: a list, or anything that can be gone through twice (first for its groups), such as `corpus.stream(...)`.
    max_tokens: padded tokens a batch. too_long: "refuse" or "cut" texts beyond the context. n_blocks: also split the counts
    over that many blocks of texts. moments: also sum activations and squares. progress(done, of) is called after each batch.
    Memory does not grow with the number of texts. Raises `DataError` (no texts, a text or group without tokens, a text too
    long, a batch of nothing), `UnknownNameError` (too_long) and `NotFiniteError` (with layer, neuron and text).
    """
    if too_long not in TOO_LONG:
        raise UnknownNameError("too_long", too_long, TOO_LONG)
    for name, given in (("max_tokens", max_tokens), ("max_texts", max_texts)):
        if given is not None and given < 1:
            raise DataError(f"{name} is {given}; give at least 1")
    if isinstance(texts, Iterator):  # which can be gone through only once
        texts = list(texts)
    counted = Counter(text.group for text in texts)
    if not counted:
        raise DataError("no texts to collect on")
    groups, n_texts = sort_groups(set(counted)), counted.total()
    fold = FiringFold(
        groups,
        n_layers=view.n_layers,
        d_mlp=view.d_mlp,
        site=site.name,
        model=view.identify().fingerprint,
        n_blocks=n_blocks,
        moments=moments,
        device=view.device,
    )

    def read(layer: int, raw: Float[Tensor, "batch pos neuron"]) -> None:
        # The gate's activation function keeps the sign, so without sums there is no need to apply it.
        fold.update(layer, site(raw) if moments else raw)

    readers = reading(site, read, range(view.n_layers))
    done, n_cut = 0, 0
    for window in windows(enumerate(texts), WINDOW):
        by_place = dict(window)
        plain = iter(tokenize(view, [text.text for _, text in window if not text.prompt]))
        encoded = [
            encode(
                view,
                text.text,
                prompt=text.prompt,
                ids=None if text.prompt else next(plain),
                origin=place,
                name=text.id,
                too_long=too_long,
            )
            for place, text in window
        ]
        n_cut += sum(item.n_cut > 0 for item in encoded)
        for items in bucket(encoded, max_tokens=max_tokens, max_texts=max_texts):
            _count(view, site, fold, readers, by_place, items, padding_side)
            done += len(items)
            if progress is not None:
                progress(done, n_texts)
    return fold.result({"n_texts_cut": n_cut})


def _count(
    view: ModelView,
    site: NeuronSite,
    fold: FiringFold,
    readers: dict[str, HookFunction],
    texts: Mapping[int, LabelledText],
    items: Sequence[EncodedText],
    side: PaddingSide,
) -> None:
    batch = pad(view, items, side)
    chosen = [texts[origin] for origin in batch.origins]
    empty = (~batch.counted.any(1)).nonzero().flatten().tolist()
    if empty:
        raise DataError(f"text {chosen[empty[0]].id!r} has special tokens only, none to count")
    fold.begin(batch_cells(fold, [(text.group, text.id) for text in chosen], view.device), batch.counted)
    try:
        view.run_until(batch.tokens, batch.mask, readers, site.read[-1])
    except NotFiniteError as error:
        raise NotFiniteError(f"{error}; the batch holds texts {[text.id for text in chosen]}") from None


def activations(
    view: ModelView, site: NeuronSite, texts: Iterable[str], layers: dict[int, Tensor], *, max_tokens: int = BATCH_TOKENS
) -> list[tuple[list[str], Float[Tensor, "pos neuron"]]]:
    """For each text its tokens (as strings, BOS included) and the activations of chosen neurons there, in order of layer and index."""
    texts = list(texts)
    encoded = [encode(view, text, origin=place) for place, text in enumerate(texts)]
    found: dict[int, Tensor] = {}
    kept: dict[int, Tensor] = {}

    def read(layer: int, raw: Float[Tensor, "batch pos neuron"]) -> None:
        kept[layer] = site(raw.index_select(-1, layers[layer].to(raw.device))).float().cpu()

    ordered = sorted(layers)
    for items in bucket(encoded, max_tokens=max_tokens):
        batch = pad(view, items)
        view.run_until(batch.tokens, batch.mask, reading(site, read, ordered), site.read[ordered[-1]])
        joined = torch.cat([kept[layer] for layer in ordered], dim=-1)
        for row, item in enumerate(items):
            found[item.origin] = joined[row, : len(item.ids)]
    strings = [[view.tokenizer.decode([token]) for token in item.ids] for item in encoded]
    return [(strings[place], found[place]) for place in range(len(texts))]
