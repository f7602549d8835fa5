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
    lens: LensModel,
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
        lens: the model.
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
    batching, tally = batching or lens.batching, tally or Tally()
    readers = _readers(lens, site, accumulators)
    for window in encoded_windows(lens, texts, batching.too_long):
        tally.n_cut += sum(item.n_cut > 0 for item in window.encoded)
        text_by_index = {item.origin: text for text, item in zip(window.texts, window.encoded, strict=True)}
        for items in bucket(window.encoded, batching):
            batch = pad(lens, items, batching.padding_side)
            chosen = [text_by_index[origin] for origin in batch.origins]
            text_batch = TextBatch(ids=tuple(text.id for text in chosen), tokens=batch.tokens, counted=batch.counted)
            for accumulator in accumulators:
                accumulator.begin(text_batch, [text.group for text in chosen])
            try:
                lens.run_until(batch.tokens, batch.mask, readers, list(readers)[-1])
            except NotFiniteError as error:
                raise NotFiniteError(f"{error}; the batch holds texts {[text.id for text in chosen]}") from None
            tally.n_done += len(items)
            if progress is not None:
                progress(tally.n_done)
    return tally


def _readers(lens: LensModel, site: NeuronSite, accumulators: Sequence[Accumulator]) -> dict[str, HookFunction]:
    """{hook name: function}, in the order in which a run reaches them."""

    def reader(layer: int, needing: Sequence[Accumulator]) -> HookFunction:
        def hook(raw: Tensor) -> None:
            # The activation function keeps the sign, so for signs alone there is no need to apply it.
            activations = site(raw) if any(one.reads == "site" for one in needing) else raw
            for one in needing:
                one.update(layer, activations if one.reads == "site" else raw)

        return hook

    readers: dict[str, HookFunction] = {}
    for layer in range(lens.n_layers):
        needing = [one for one in accumulators if one.layers is None or layer in one.layers]
        own = [one for one in needing if one.reads != "post"]
        post = [one for one in needing if one.reads == "post"]
        if site.read[layer] == site.post[layer]:
            own, post = needing, []
        readers |= {site.read[layer]: reader(layer, own)} if own else {}
        readers |= {site.post[layer]: reader(layer, post)} if post else {}
    if not readers:
        raise DataError("no accumulator needs any layer of the model, so nothing can be collected")
    return readers


def collect_firing(
    lens: LensModel,
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
        lens: the model.
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
    shape, device = (lens.n_layers, lens.d_mlp), lens.device
    model = lens.identify().fingerprint
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

    accumulators = [firing] if post is None else [firing, post]
    try:
        accumulate(lens, site, texts, accumulators, batching=batching, progress=report, tally=tally)
    except DataError as error:
        if not tally.n_done:
            raise
        raise CountingStoppedError(error, with_post(firing.so_far()), tally.n_done, n_texts) from error
    return with_post(firing.result())


def token_activations(
    lens: LensModel, site: NeuronSite, texts: Iterable[str], layers: dict[int, Tensor], *, batching: Batching | None = None
) -> list[tuple[list[str], Float[Tensor, "pos neuron"]]]:
    """For each text its tokens (as strings, BOS included) and the activations of chosen neurons there, in order of layer and index."""
    batching, texts = batching or lens.batching, list(texts)
    encoded = encode_all(lens, [Input(text, name=f"number {index}") for index, text in enumerate(texts, start=1)])
    by_text: dict[int, Tensor] = {}
    by_layer: dict[int, Tensor] = {}

    def read(layer: int, raw: Float[Tensor, "batch pos neuron"]) -> None:
        by_layer[layer] = site(raw.index_select(-1, layers[layer].to(raw.device))).float().cpu()

    sorted_layers = sorted(layers)
    for items in bucket(encoded, batching):
        batch = pad(lens, items, batching.padding_side)
        lens.run_until(batch.tokens, batch.mask, reading(site, read, sorted_layers), site.read[sorted_layers[-1]])
        all_layers = torch.cat([by_layer[layer] for layer in sorted_layers], dim=-1)
        for row, item in enumerate(items):
            by_text[item.origin] = all_layers[row, batch.mask[row].cpu()]
    strings = [[lens.tokenizer.decode([token]) for token in item.ids] for item in encoded]
    return [(strings[index], by_text[index]) for index in range(len(texts))]
