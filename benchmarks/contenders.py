"""What is compared? `lens.collect`, the bare Hugging Face model on the same batches, and `run_with_cache` in four ways."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
import workload
from torch import Tensor
from transformers import AutoModel

import value_lens as vl
from value_lens.model import Batch, bucket, encode, pad

COLLECT, BARE = "lens.collect", "bare model"
ONE, BATCHED = "run_with_cache, one prompt", "run_with_cache, batched"
ONE_FILTERED, BATCHED_FILTERED = "  hook_post only, one prompt", "  hook_post only, batched"


def contenders(folder: Path, texts: list[vl.LabelledText]) -> dict[str, Callable[[], None]]:
    """{name: a run over all texts}.

    All but `collect` get their tokens encoded and padded ahead, and reduce nothing: what they leave out counts against us.
    """
    model = vl.load_model(folder)
    lens = vl.ValueLens(model)
    encoded = [encode(lens, text.text, origin=place) for place, text in enumerate(texts)]
    workload.require_lengths([len(item.ids) for item in encoded])

    sorted_batches = [pad(lens, items) for items in bucket(encoded, lens.batching)]
    n_texts = math.ceil(len(texts) / len(sorted_batches))
    corpus_batches = [pad(lens, encoded[start : start + n_texts]) for start in range(0, len(encoded), n_texts)]
    single_batches = [pad(lens, [item]) for item in encoded]

    bare = AutoModel.from_pretrained(folder).eval()
    names = [f"blocks.{layer}.mlp.hook_post" for layer in range(workload.N_LAYERS)]

    def run_bare(tokens: Tensor, **arguments: Tensor) -> None:
        bare(input_ids=tokens, use_cache=False, **arguments)

    def run_with_cache(tokens: Tensor, **arguments: Tensor) -> None:
        model.run_with_cache(tokens, **arguments)

    def run_filtered(tokens: Tensor, **arguments: Tensor) -> None:
        model.run_with_cache(tokens, names_filter=names, use_cache=False, **arguments)

    return {
        BARE: over(sorted_batches, run_bare),
        COLLECT: lambda: require_all(lens.collect(texts), texts),
        ONE: over(single_batches, run_with_cache),
        BATCHED: over(corpus_batches, run_with_cache),
        ONE_FILTERED: over(single_batches, run_filtered),
        BATCHED_FILTERED: over(corpus_batches, run_filtered),
    }


def over(batches: list[Batch], run: Callable[..., None]) -> Callable[[], None]:
    """A run over batches without gradients, with an attention mask only where there is padding."""

    def run_all() -> None:
        with torch.no_grad():
            for batch in batches:
                run(batch.tokens, **({} if bool(batch.mask.all()) else {"attention_mask": batch.mask.long()}))

    return run_all


def require_all(stats: vl.FiringStats, texts: list[vl.LabelledText]) -> None:
    """A fast collect that counts less is no collect."""
    if len(stats.groups) != len(workload.GROUPS) or int(stats.n_texts.sum()) != len(texts) or stats.total_sq is None:
        raise AssertionError(f"collected {len(stats.groups)} groups and {int(stats.n_texts.sum())} of {len(texts)} texts")
