"""One streaming pass over a corpus: windows, length buckets, reading hooks, an early end of each run."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..core import CountingStoppedError, FiringStats, LabelledText, sort_groups
from ..errors import DataError, NotFiniteError
from ..model import (
    Batching,
    HookFunction,
    Input,
    LensModel,
    NeuronSite,
    bucket,
    encode_all,
    pad,
    reading,
)
from ._accumulator import Accumulator, TextBatch
from ._firing import FiringAccumulator, PostAccumulator
from ._windows import encoded_windows

Progress = Callable[[int, int], None]


@dataclass
class Tally:
    """How far a pass came: texts that were run, and texts that were cut."""

    n_done: int = 0
    n_cut: int = 0


def accumulate(
    view: LensModel,
    site: NeuronSite,
    texts: Iterable[LabelledText],
    accumulators: Sequence[Accumulator],
    *,
    batching: Batching | None = None,
    progress: "Callable[[int], None] | None" = None,
    tally: Tally | None = None,
) -> Tally:
    """Feed accumulators with a corpus, in one pass. Each run ends after the last layer that any of them needs.

    Args:
        view: the model.
        site: where activations are read.
        texts: a list is encoded whole before the first run; a stream as it comes.
        accumulators: what is fed.
        batching: how texts share a run; None for the model's own.
        progress: called with the number of texts done, after each batch.
        tally: brought up to date after each batch, also where the pass fails later.

    Returns:
        The tally.

    Raises:
        DataError: for texts that cannot be counted.
        NotFiniteError: with layer, neuron and texts.
    """
    batching, tally = batching or view.batching, tally or Tally()
    readers = _readers(view, site, accumulators)
    for window in encoded_windows(view, texts, batching.too_long):
        tally.n_cut += sum(item.n_cut > 0 for item in window.encoded)
        by_place = {item.origin: text for text, item in zip(window.texts, window.encoded, strict=True)}
        for items in bucket(window.encoded, batching):
            batch = pad(view, items, batching.padding_side)
            chosen = [by_place[origin] for origin in batch.origins]
            described = TextBatch(ids=tuple(text.id for text in chosen), tokens=batch.tokens, counted=batch.counted)
            for accumulator in accumulators:
                accumulator.begin(described, [text.group for text in chosen])
            try:
                view.run_until(batch.tokens, batch.mask, readers, list(readers)[-1])
            except NotFiniteError as error:
                raise NotFiniteError(f"{error}; the batch holds texts {[text.id for text in chosen]}") from None
            tally.n_done += len(items)
            if progress is not None:
                progress(tally.n_done)
    return tally


def _readers(view: LensModel, site: NeuronSite, accumulators: Sequence[Accumulator]) -> dict[str, HookFunction]:
    """{hook name: function}, in the order in which a run reaches them."""

    def reader(layer: int, fed: Sequence[Accumulator]) -> HookFunction:
        def hook(raw: Tensor) -> None:
            # The activation function keeps the sign, so for signs alone there is no need to apply it.
            activations = site(raw) if any(one.reads == "site" for one in fed) else raw
            for one in fed:
                one.update(layer, activations if one.reads == "site" else raw)

        return hook

    readers: dict[str, HookFunction] = {}
    for layer in range(view.n_layers):
        fed = [one for one in accumulators if one.layers is None or layer in one.layers]
        own = [one for one in fed if one.reads != "post"]
        post = [one for one in fed if one.reads == "post"]
        if site.read[layer] == site.post[layer]:
            own, post = fed, []
        readers |= {site.read[layer]: reader(layer, own)} if own else {}
        readers |= {site.post[layer]: reader(layer, post)} if post else {}
    if not readers:
        raise DataError("no accumulator needs any layer of the model, so nothing can be collected")
    return readers


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

    Every text of a list is encoded before the first run, so that all that cannot be counted are told at once; a text of a stream is
    found when it comes, and the error then holds the counts so far. Memory does not grow with the number of texts, but for some
    64 MiB of token ids. The same in any batch means, in float32, but for activations within rounding of zero; in bfloat16
    rounding is coarse, and up to a few firings in a thousand depend on the batch unless each text has its own (`max_texts=1`).

    Args:
        view: the model.
        site: where a neuron's activation is read.
        texts: a list, or anything that can be gone through twice (first for its groups), such as `data.stream(...)`.
        batching: how texts share a run; None for the model's own.
        n_blocks: also split the counts over that many blocks of texts.
        moments: also sum activations and squares, and at the gate those of hook_post, too.
        progress: called with (texts done, all texts) after each batch.

    Returns:
        The statistics.

    Raises:
        DataError: no texts, a text or group without tokens, a text too long, a batch of nothing.
        CountingStoppedError: the same, in a stream, with the counts so far.
        NotFiniteError: with layer, neuron and text.
    """
    if isinstance(texts, Iterator):  # which can be gone through only once
        texts = list(texts)
    counted = Counter(text.group for text in texts)
    if not counted:
        raise DataError("no texts to collect on")
    groups, n_texts = sort_groups(set(counted)), counted.total()
    shape, device = (view.n_layers, view.d_mlp), view.device
    model = view.identify().fingerprint
    firing = FiringAccumulator(
        groups,
        shape,
        site=site.name,
        model=model,
        n_blocks=n_blocks,
        moments=moments,
        is_post=not site.up,
        device=device,
    )
    post = PostAccumulator(groups, shape, device=device) if moments and site.up else None
    tally = Tally()

    def with_post(stats: FiringStats) -> FiringStats:
        sums = {} if post is None else dict(zip(("post_total", "post_total_sq"), post.result(), strict=True))
        return replace(stats, meta={"n_texts_cut": tally.n_cut}, **sums)

    def report(done: int) -> None:
        if progress is not None:
            progress(done, n_texts)

    fed = [firing] if post is None else [firing, post]
    try:
        accumulate(view, site, texts, fed, batching=batching, progress=report, tally=tally)
    except DataError as error:
        if not tally.n_done:
            raise
        raise CountingStoppedError(error, with_post(firing.so_far()), tally.n_done, n_texts) from error
    return with_post(firing.result())


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
