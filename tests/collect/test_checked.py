"""Texts that cannot be counted are found before the counting, all at once; what was counted of a stream is kept."""

import pickle

import pytest
import torch
from oracles import slow_counts

import value_lens as vl
from value_lens.collect import _windows as windows
from value_lens.core import CountingStoppedError
from value_lens.errors import DataError, TooLongError


def text(name, content, **labels):
    return vl.LabelledText(**{"id": name, "text": content, "value": "care", "aspect": "+", "language": "en", **labels})


class Stream:
    """Gone through again and again, and no sequence."""

    def __init__(self, texts):
        self.texts = texts

    def __iter__(self):
        return iter(self.texts)


FAULTS = {
    "special": text("special", "</s></s>"),
    "long": text("long", "river " * 200),
    "longer": text("longer", "bridge " * 300),
    "full": text("full", "yes", prompt="river " * 200),
}


@pytest.fixture
def runs(lens, monkeypatch):
    """How many runs of the model have begun."""
    begun = []
    original = lens.run_until
    monkeypatch.setattr(lens, "run_until", lambda *given: (begun.append(1), original(*given))[1])
    return begun


def test_every_fault_of_a_list_is_told_before_the_first_run(lens, runs, texts, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW", 16)  # the faults lie in several windows
    mixed = [*texts[:30], FAULTS["special"], *texts[30:], FAULTS["long"], FAULTS["full"]]
    with pytest.raises(DataError) as caught:
        lens.collect(mixed)
    assert not runs
    message = str(caught.value)
    assert f"3 of {len(mixed)} texts cannot be used:" in message
    for name in ("special", "long", "full"):
        assert f"text {name!r}" in message
    assert "special tokens only" in message and "the model's context is 96" in message


@pytest.mark.parametrize("given", [list, tuple, iter])
def test_one_fault_is_told_in_its_own_words(lens, runs, texts, given):
    with pytest.raises(TooLongError, match=r"^text 'long' is \d+ tokens long"):
        lens.collect(given([*texts[:3], FAULTS["long"]]))
    assert not runs


def test_faults_of_one_kind_keep_their_kind_and_long_lists_are_cut(lens):
    with pytest.raises(TooLongError, match="2 of 2 texts cannot be used"):
        lens.collect([FAULTS["long"], FAULTS["longer"]])
    many = [text(f"t{k}", "river " * 200) for k in range(25)]
    with pytest.raises(TooLongError, match=r"25 of 25 texts(.|\n)*\.\.\. and 5 more$"):
        lens.collect(many)


def test_cutting_mends_what_can_be_cut(lens):
    with pytest.raises(DataError, match=r"^text 'full': its prompt alone \(\d+ tokens\) fills the context of 96"):
        lens.collect([FAULTS["long"], FAULTS["full"]], batching=vl.Batching(too_long="cut"))
    assert lens.collect([FAULTS["long"]], batching=vl.Batching(too_long="cut")).meta["n_texts_cut"] == 1


@pytest.mark.parametrize("budget", [0, 200, 10**6])
def test_counts_are_those_of_a_plain_loop_whatever_is_kept(models, texts, monkeypatch, budget):
    """None, some, or all token ids of the check are used for the count."""
    monkeypatch.setattr(windows, "KEPT_TOKENS", budget)
    monkeypatch.setattr(windows, "WINDOW", 16)
    model = models["bridge", "llama"]
    stats, expected = vl.ValueLens(model).collect(texts), slow_counts(model, texts, "post")
    for place, group in enumerate(stats.groups):
        n_texts, n_tokens, fired = expected[group][:3]
        assert (int(stats.n_texts[place]), int(stats.n_tokens[place])) == (n_texts, n_tokens)
        assert int((stats.fired[place] - fired).abs().sum()) <= 1


def test_a_list_is_tokenized_once(models, texts, monkeypatch):
    lens, seen = vl.ValueLens(models["bridge", "gpt2"]), []
    plain = [t for t in texts if not t.prompt]
    original = lens.model.tokenizer.__class__.__call__

    def counted(self, given, *args, **options):
        seen.extend(given)
        return original(self, given, *args, **options)

    monkeypatch.setattr(lens.model.tokenizer.__class__, "__call__", counted)
    lens.collect(plain)
    assert sorted(seen) == sorted(t.text for t in plain)


def test_what_was_counted_of_a_stream_is_kept(lens, texts, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW", 16)
    with pytest.raises(
        CountingStoppedError, match=r"^text 'long' is \d+ tokens long.*\n32 of 61 texts were counted before it"
    ) as caught:
        lens.collect(Stream([*texts[:40], FAULTS["long"], *texts[40:]]))
    so_far, expected = caught.value.stats, lens.collect(texts[:32])
    assert isinstance(caught.value.__cause__, TooLongError)
    rest = lens.collect(texts[32:])
    whole = lens.collect(texts)
    merged = so_far.merge(rest)
    for group in whole.groups:
        places = [stats.groups.index(group) for stats in (merged, whole)]
        assert int(merged.n_tokens[places[0]]) == int(whole.n_tokens[places[1]])
        assert int(merged.n_texts[places[0]]) == int(whole.n_texts[places[1]])
        assert int((merged.fired[places[0]] - whole.fired[places[1]]).abs().sum()) <= 2
    assert int(so_far.n_tokens.sum()) == int(expected.n_tokens.sum())
    assert torch.equal(pickle.loads(pickle.dumps(caught.value)).stats.fired, so_far.fired)


def test_a_fault_at_a_stream_s_beginning_is_its_own_error(lens):
    with pytest.raises(TooLongError, match="^text 'long'"):
        lens.collect(Stream([FAULTS["long"]]))


def test_all_faults_among_texts_to_look_at_are_told_at_once(lens):
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp)
    with pytest.raises(TooLongError, match=r"2 of 3 texts cannot be used:\n  text 'number 1' is(.|\n)*text 'number 3' is"):
        lens.activations(["river " * 200, "bridge", "storm " * 200], neurons)
