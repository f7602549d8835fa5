"""One streaming pass over a corpus: windows, length buckets, reading hooks, an early end of each run."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..core import CountingStoppedError, FiringStats, LabelledText, sort_groups
from ..errors import DataError, NotFiniteError
from ..model import (
    Batching,
    EncodedText,
    HookFunction,
    Input,
    LensModel,
    NeuronSite,
    PaddingSide,
    bucket,
    encode_all,
    pad,
    reading,
    reading_post,
)
from ._firing import FiringFold, batch_cells
from ._windows import encoded_windows

Progress = Callable[[int, int], None]


def collect_firing(
    view: LensModel,
    site: NeuronSite,
    texts: Iterable[LabelledText],
    *,
    batching: Batching | None = None,
    n_blocks: int = 0,
    moments: bool = True,
    progress: Progress | None = None,
) -> FiringStats:
    """Count firing over a corpus. The counts do not depend on batch size, order of texts or padding side.

    texts: a list, or anything that can be gone through twice (first for its groups), such as `data.stream(...)`.
    batching: None for the model's own. n_blocks: also split the counts over that many blocks of texts. moments: also sum activations
    and squares, and at the gate those of hook_post, too. progress(done, of) is called after each batch.
    Every text of a list is encoded before the first run, so that all that cannot be counted are told at once; a text of a stream is
    found when it comes, and the error then holds the counts so far. Memory does not grow with the number of texts, but for some
    64 MiB of token ids. The same in any batch means, in float32, but for activations within rounding of zero; in bfloat16
    rounding is coarse, and up to a few firings in a thousand depend on the batch unless each text has its own (`max_texts=1`).

    Raises `DataError` (no texts, a text or group without tokens, a text too long, a batch of nothing), `CountingStoppedError` (the
    same, in a stream) and `NotFiniteError` (with layer, neuron and text).
    """
    batching = batching or view.batching
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
        post=moments and bool(site.up),
        is_post=not site.up,
        device=view.device,
    )

    def read(layer: int, raw: Float[Tensor, "batch pos neuron"]) -> None:
        # The gate's activation function keeps the sign, so without sums there is no need to apply it.
        fold.update(layer, site(raw) if moments else raw)

    readers = reading(site, read, range(view.n_layers))
    if fold.post_sums is not None:
        readers |= reading_post(site, fold.update_post, range(view.n_layers))
    done, n_cut = 0, 0
    try:
        for window in encoded_windows(view, texts, batching.too_long):
            n_cut += sum(item.n_cut > 0 for item in window.encoded)
            by_place = {item.origin: text for text, item in zip(window.texts, window.encoded, strict=True)}
            for items in bucket(window.encoded, batching):
                _count(view, site, fold, readers, by_place, items, batching.padding_side)
                done += len(items)
                if progress is not None:
                    progress(done, n_texts)
    except DataError as error:
        if not done:
            raise
        raise CountingStoppedError(error, fold.so_far({"n_texts_cut": n_cut}), done, n_texts) from error
    return fold.result({"n_texts_cut": n_cut})


def _count(
    view: LensModel,
    site: NeuronSite,
    fold: FiringFold,
    readers: dict[str, HookFunction],
    texts: Mapping[int, LabelledText],
    items: Sequence[EncodedText],
    side: PaddingSide,
) -> None:
    batch = pad(view, items, side)
    chosen = [texts[origin] for origin in batch.origins]
    fold.begin(batch_cells(fold, [(text.group, text.id) for text in chosen], view.device), batch.counted)
    try:
        view.run_until(batch.tokens, batch.mask, readers, list(readers)[-1])
    except NotFiniteError as error:
        raise NotFiniteError(f"{error}; the batch holds texts {[text.id for text in chosen]}") from None


def token_activations(
    view: LensModel, site: NeuronSite, texts: Iterable[str], layers: dict[int, Tensor], *, batching: Batching | None = None
) -> list[tuple[list[str], Float[Tensor, "pos neuron"]]]:
    """For each text its tokens (as strings, BOS included) and the activations of chosen neurons there, in order of layer and index."""
    batching, texts = batching or view.batching, list(texts)
    encoded = encode_all(view, [Input(text, name=f"number {place}") for place, text in enumerate(texts, start=1)])
    found: dict[int, Tensor] = {}
    kept: dict[int, Tensor] = {}

    def read(layer: int, raw: Float[Tensor, "batch pos neuron"]) -> None:
        kept[layer] = site(raw.index_select(-1, layers[layer].to(raw.device))).float().cpu()

    ordered = sorted(layers)
    for items in bucket(encoded, batching):
        batch = pad(view, items, batching.padding_side)
        view.run_until(batch.tokens, batch.mask, reading(site, read, ordered), site.read[ordered[-1]])
        joined = torch.cat([kept[layer] for layer in ordered], dim=-1)
        for row, item in enumerate(items):
            found[item.origin] = joined[row, batch.mask[row].cpu()]
    strings = [[view.tokenizer.decode([token]) for token in item.ids] for item in encoded]
    return [(strings[place], found[place]) for place in range(len(texts))]
