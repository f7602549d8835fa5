"""How much may a count depend on the batch? In float32 nothing but activations within rounding of zero; in bfloat16 a bound."""

import random
import warnings

import pytest
import torch

import value_lens as vl

DRAWS = 3
LEAST_FIRINGS = 30_000


def draws(lens, texts, rng):
    """The counts of one corpus in random batches: order, size of a batch, padding side."""
    for _ in range(DRAWS):
        batching = vl.Batching(max_tokens=rng.choice([1, 40, 150, 600, 4000]), padding_side=rng.choice(["left", "right"]))
        yield lens.collect(rng.sample(texts, len(texts)), batching=batching)


def share_that_differs(lens, texts, seed):
    """Of all firings of a text alone, how many are otherwise in random batches."""
    alone = lens.collect(texts, batching=vl.Batching(max_texts=1))
    rng, n_fired = random.Random(seed), int(alone.fired.sum())
    assert n_fired * DRAWS > LEAST_FIRINGS
    return [int((found.fired - alone.fired).abs().sum()) / n_fired for found in draws(lens, texts, rng)]


def test_float32_counts_are_the_same_in_any_batch(lens, texts):
    assert max(share_that_differs(lens, texts[:30], seed=1)) <= 1e-4  # a few of 30,000 may lie within rounding of zero


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_bfloat16_counts_differ_by_rounding_and_by_no_more(folders, texts, kind):
    lens = vl.ValueLens(vl.load_model(folders[kind], vl.Loading(dtype=torch.bfloat16)))
    shares = share_that_differs(lens, texts[:30], seed=2)
    assert max(shares) <= 0.005


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("site", ["post", "gate"])
def test_one_text_a_batch_is_exact_in_any_dtype(folders, texts, dtype, site):
    """Whatever the order and the side, since nothing is padded and no row stands beside another."""
    lens = vl.ValueLens(vl.load_model(folders["llama"], vl.Loading(dtype=dtype)))
    some = texts[:20]
    first = lens.collect(some, site=site, batching=vl.Batching(max_texts=1))
    shuffled = random.Random(5).sample(some, len(some))
    second = lens.collect(shuffled, site=site, batching=vl.Batching(max_texts=1, padding_side="left"))
    assert torch.equal(first.fired, second.fired) and torch.equal(first.n_tokens, second.n_tokens)


def test_autocast_around_a_run_is_told_and_changes_nothing(lens, texts, dilemmas):
    plain, margins = lens.collect(texts[:12]), lens.margins(dilemmas)
    with torch.autocast("cpu", torch.bfloat16):
        with pytest.warns(
            UserWarning, match=r"autocast to bfloat16 is in force.*load_model\(..., Loading\(dtype='bfloat16'\)\)"
        ):
            cast = lens.collect(texts[:12])
        with pytest.warns(UserWarning, match="autocast to bfloat16 is in force"):
            assert torch.equal(lens.margins(dilemmas), margins)
    assert torch.equal(plain.fired, cast.fired) and torch.equal(plain.total, cast.total)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lens.collect(texts[:12])
