"""Firing statistics merge, save and divide as they should: against plain loops over hand-made counts."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import slow_fold, slow_probability

import value_lens as vl
from value_lens.collect import FiringAccumulator, PostAccumulator, TextBatch
from value_lens.core import Group, Kind, Numbers, sort_groups
from value_lens.core import _store as store
from value_lens.errors import ArtefactError, DataError, MismatchError, NotFiniteError, UnknownNameError

N_LAYERS, D_MLP, N_BLOCKS = 2, 3, 2
BY_GROUP = ("n_texts", "n_tokens", "fired", "total", "total_sq", "post_total", "post_total_sq")
BY_BLOCK = ("block_n_tokens", "block_fired")
TENSORS = BY_GROUP + BY_BLOCK
GROUPS = [Group(v, a, l) for v in ("freedom", "equality", "justice") for a in "+-" for l in ("en", "zh")]
laws = settings(deadline=None, max_examples=40)


def random_stats(groups, seed, *, moments=True, blocks=True, post=False, **changes):
    """Counts by a seeded generator; sums are quarters, so that adding them is exact in any order."""
    g = torch.Generator().manual_seed(seed)
    groups = sort_groups(groups)
    shape = (len(groups), N_LAYERS, D_MLP)
    draw = lambda high, size: torch.randint(0, high, size, generator=g)  # noqa: E731
    block_n_tokens = draw(6, (N_BLOCKS, len(groups)))
    block_fired = torch.minimum(draw(6, (N_BLOCKS, *shape)), block_n_tokens[..., None, None])
    return vl.FiringStats(
        groups=groups,
        n_texts=draw(5, (len(groups),)),
        n_tokens=block_n_tokens.sum(0),
        fired=block_fired.sum(0),
        total=draw(99, shape).double() / 4 - 9 if moments else None,
        total_sq=draw(99, shape).double() / 4 if moments else None,
        post_total=draw(99, shape).double() / 4 - 9 if post else None,
        post_total_sq=draw(99, shape).double() / 4 if post else None,
        block_n_tokens=block_n_tokens if blocks else None,
        block_fired=block_fired if blocks else None,
        **{"site": "post", "model": "m", **changes},
    )


kinds = st.fixed_dictionaries({"moments": st.booleans(), "blocks": st.booleans(), "post": st.booleans()})
some_groups = st.sets(st.sampled_from(GROUPS), min_size=1)
seeds = st.integers(0, 10_000)


def same(first, second):
    """Equal in everything but where they came from."""
    tensors = all(
        (a is None and b is None) or (a.dtype == b.dtype and torch.equal(a, b))
        for a, b in ((getattr(first, name), getattr(second, name)) for name in TENSORS)
    )
    return tensors and (first.groups, first.site, first.model) == (second.groups, second.site, second.model)


def table(stats):
    """{group: everything counted for it} as plain numbers; a merge adds these."""
    found = {}
    for place, group in enumerate(stats.groups):
        row = [getattr(stats, name)[place] for name in BY_GROUP if getattr(stats, name) is not None]
        row += [getattr(stats, name)[:, place] for name in BY_BLOCK if getattr(stats, name) is not None]
        found[group] = [number for part in row for number in part.flatten().tolist()]
    return found


# Merging


@laws
@given(some_groups, some_groups, seeds, kinds)
def test_merge_adds_group_by_group(a, b, seed, kind):
    first, second = random_stats(a, seed, **kind), random_stats(b, seed + 1, **kind)
    merged, mine, theirs = first.merge(second), table(first), table(second)
    assert merged.groups == sort_groups(a | b)
    for group, row in table(merged).items():
        zeros = [0] * len(row)
        assert row == [x + y for x, y in zip(mine.get(group, zeros), theirs.get(group, zeros), strict=True)]


@laws
@given(some_groups, some_groups, some_groups, seeds, kinds)
def test_merge_is_associative_and_commutative(a, b, c, seed, kind):
    a, b, c = (random_stats(groups, seed + k, **kind) for k, groups in enumerate((a, b, c)))
    assert same(a.merge(b), b.merge(a))
    assert same(a.merge(b).merge(c), a.merge(b.merge(c)))


@laws
@given(some_groups, some_groups, seeds, kinds)
def test_merge_shares_no_memory(a, b, seed, kind):
    first, second = random_stats(a, seed, **kind), random_stats(b, seed + 1, **kind)
    before = table(first), table(second)
    merged = first.merge(second)
    for name in TENSORS:
        if getattr(merged, name) is not None:
            getattr(merged, name).fill_(77)
    assert (table(first), table(second)) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"site": "gate"}, "cannot combine site 'post' with site 'gate'"),
        ({"model": "other"}, r"different weights \(fingerprints m and other\)"),
        ({"moments": False}, "one of the two has activation sums and the other has none"),
        ({"blocks": False}, "cannot combine 2 text blocks with None"),
    ],
)
def test_merge_refuses_what_does_not_belong_together(change, message):
    with pytest.raises(MismatchError, match=message):
        random_stats(GROUPS, 0).merge(random_stats(GROUPS, 1, **change))


@pytest.mark.parametrize("turned", [False, True])
def test_merge_refuses_squares_on_one_side_only(turned):
    both = [random_stats(GROUPS, 0), replace(random_stats(GROUPS, 1), total_sq=None)]
    first, second = reversed(both) if turned else both
    with pytest.raises(MismatchError, match="activation sums and the other has none; collect both with moments=True"):
        first.merge(second)
    both = [random_stats(GROUPS, 0, post=True), random_stats(GROUPS, 1)]
    first, second = reversed(both) if turned else both
    with pytest.raises(MismatchError, match="sums of hook_post and the other has none; collect both with moments=True"):
        first.merge(second)


@pytest.mark.parametrize(("shape", "message"), [((3, 3), "number of layers 2 .* 3"), ((2, 5), "d_mlp 3 with d_mlp 5")])
def test_merge_refuses_another_shape(shape, message):
    one = lambda size: vl.FiringStats.from_counts([GROUPS[0]], [4], torch.ones(1, *size))  # noqa: E731
    with pytest.raises(MismatchError, match=message):
        one((2, 3)).merge(one(shape))


def test_merge_keeps_the_model_that_is_known_and_tells_what_was_merged():
    first, second = random_stats(GROUPS, 0, model="", meta={"corpus": "a"}), random_stats(GROUPS, 1, meta={"corpus": "b"})
    merged = first.merge(second)
    assert merged.model == "m"
    assert merged.meta == {"merged": [{"corpus": "a"}, {"corpus": "b"}]}


metas = st.recursive(
    st.fixed_dictionaries({}, optional={"n_texts_cut": st.integers(0, 5), "corpus": st.sampled_from("ab"), "seed": st.just(1)}),
    lambda inner: st.lists(inner, min_size=2, max_size=3).map(
        lambda parts: {"merged": parts}
    ),  # as nested merges were once saved
    max_leaves=5,
)


def leaves(meta):
    return [leaf for part in meta["merged"] for leaf in leaves(part)] if "merged" in meta else [meta]


@laws
@given(metas, metas, metas)
def test_merged_metadata_is_the_same_in_any_nesting_and_loses_nothing(a, b, c):
    one, two, three = (random_stats(GROUPS[:1], k, meta=meta) for k, meta in enumerate((a, b, c)))
    merged = one.merge(two).merge(three)
    assert merged.meta == one.merge(two.merge(three)).meta
    parts = [*leaves(a), *leaves(b), *leaves(c)]
    assert merged.meta["merged"] == parts
    expected = {name: parts[0][name] for name in ("corpus", "seed") if all(p.get(name, 0) == parts[0].get(name) for p in parts)}
    if all("n_texts_cut" in part for part in parts):
        expected["n_texts_cut"] = sum(part["n_texts_cut"] for part in parts)
    assert {name: given for name, given in merged.meta.items() if name != "merged"} == expected
    assert merged.n_texts_cut == expected.get("n_texts_cut")


@laws
@given(metas)
def test_texts_cut_are_known_of_statistics_as_they_were_saved_so_far(meta):
    stats = random_stats(GROUPS, 0, meta=meta)
    with tempfile.TemporaryDirectory() as folder:
        found = vl.FiringStats.load(stats.save(Path(folder) / "s"))
    counts = [part.get("n_texts_cut") for part in leaves(meta)]
    assert found.n_texts_cut == (None if None in counts else sum(counts))


def test_what_is_added_to_a_merged_whole_holds_of_its_parts():
    merged = random_stats(GROUPS, 0, meta={"corpus": "a"}).merge(random_stats(GROUPS, 1, meta={"corpus": "b"}))
    noted = replace(merged, meta={**merged.meta, "note": "mine"})
    assert noted.merge(random_stats(GROUPS, 2, meta={"corpus": "c"})).meta == {
        "merged": [{"corpus": "a", "note": "mine"}, {"corpus": "b", "note": "mine"}, {"corpus": "c"}]
    }


# By hand


@laws
@given(st.permutations(GROUPS[:7]), seeds)
def test_groups_given_in_any_order_are_the_same_statistics(order, seed):
    g = torch.Generator().manual_seed(seed)
    n_tokens = dict(zip(GROUPS, torch.randint(1, 9, (12,), generator=g).tolist(), strict=True))
    fired = {group: torch.randint(0, n + 1, (2, 5), generator=g) for group, n in n_tokens.items()}
    total = {group: fired[group] / 8 for group in GROUPS}

    def made(groups):
        return vl.FiringStats.from_counts(
            groups,
            [n_tokens[group] for group in groups],
            torch.stack([fired[group] for group in groups]),
            n_texts=[GROUPS.index(group) for group in groups],
            total=torch.stack([total[group] for group in groups]),
        )

    stats = made(order)
    assert same(stats, made(GROUPS[:7]))
    for place, group in enumerate(stats.groups):
        assert int(stats.n_tokens[place]) == n_tokens[group] and int(stats.n_texts[place]) == GROUPS.index(group)
        assert torch.equal(stats.fired[place], fired[group]) and torch.equal(stats.total[place], total[group].double())


def test_groups_are_in_the_order_of_the_system_upheld_first():
    groups = [("justice", "-", "en"), ("freedom", "+", "zh"), ("freedom", "-", "en"), ("freedom", "+", "en")]
    stats = vl.FiringStats.from_counts(groups, [1, 2, 3, 4], torch.zeros(4, 1, 1))
    assert list(map(str, stats.groups)) == ["freedom+en", "freedom+zh", "freedom-en", "justice-en"]
    assert stats.n_tokens.tolist() == [4, 2, 3, 1]
    assert stats.values == ("freedom", "justice") and stats.languages == ("en", "zh")


def test_impossible_counts_are_refused():
    with pytest.raises(DataError, match="a neuron fired more often than there are tokens"):
        vl.FiringStats.from_counts([GROUPS[0]], [3], torch.full((1, 2, 2), 4))
    with pytest.raises(DataError, match="or a negative number of times"):
        vl.FiringStats.from_counts([GROUPS[0]], [3], torch.full((1, 2, 2), -1))
    with pytest.raises(DataError, match="fired holds fractions; were these probabilities"):
        vl.FiringStats.from_counts([GROUPS[0]], [3], torch.full((1, 2, 2), 0.5))
    with pytest.raises(DataError, match=r"a group comes twice: \['freedom\+en', 'freedom\+en'\]"):
        vl.FiringStats.from_counts([GROUPS[0], GROUPS[0]], [3, 3], torch.zeros(2, 2, 2))


# Probabilities, rates, means


@laws
@given(seeds, st.sampled_from([None, "+", "-"]), st.sampled_from([None, ["en"], ["zh"], ["zh", "en"]]))
def test_probability_is_fired_over_counted_tokens(seed, aspect, languages):
    g = torch.Generator().manual_seed(seed)
    n_tokens = torch.randint(1, 9, (12,), generator=g)
    fired = torch.minimum(torch.randint(0, 9, (12, 2, 3), generator=g), n_tokens[:, None, None])
    stats = vl.FiringStats.from_counts(GROUPS, n_tokens, fired)
    found = stats.probability(aspect=aspect, languages=languages)
    assert found.dtype == torch.float64
    assert found.tolist() == [slow_probability(stats, value, aspect, languages) for value in stats.values]


def test_rate_and_mean_pool_tokens_not_groups():
    stats = vl.FiringStats.from_counts(
        [("freedom", "+", "en"), ("freedom", "-", "en"), ("justice", "+", "en")],
        [2, 6, 2],
        torch.tensor([2, 1, 0]).reshape(3, 1, 1),
        total=torch.tensor([4.0, -12.0, 1.0]).reshape(3, 1, 1),
    )
    assert stats.rate().item() == 0.3
    assert stats.mean().item() == -0.7
    assert stats.mean(value="freedom").item() == -1.0
    assert stats.mean(aspect="+").item() == 1.25
    assert stats.mean(value="freedom", aspect="-").item() == -2.0


@pytest.mark.parametrize("site", ["post", "gate"])
def test_the_size_of_hook_post_is_that_of_its_tokens_whatever_the_site(site):
    tokens = [
        torch.tensor([[[1.0, -2.0, 0.0]], [[3.0, 2.0, 0.0]]]),
        torch.tensor([[[-1.0, 0.0, 0.5]]]),
    ]  # [token, layer, neuron]
    prefix = "" if site == "post" else "post_"
    stats = vl.FiringStats.from_counts(
        [("freedom", "+", "en"), ("freedom", "-", "en")],
        [len(of_group) for of_group in tokens],
        torch.zeros(2, 1, 3),
        site=site,
        **{f"{prefix}total": torch.stack([t.sum(0) for t in tokens])},
        **{f"{prefix}total_sq": torch.stack([(t**2).sum(0) for t in tokens])},
    )
    every = torch.cat(tokens).double()
    torch.testing.assert_close(stats.post_size(), (every**2).mean(0).sqrt())
    torch.testing.assert_close(stats.post_size(centred=True), every.std(0, correction=0))


@pytest.mark.parametrize("site", ["post", "gate"])
def test_without_sums_the_size_of_hook_post_is_unknown(site):
    stats = random_stats(GROUPS, 0, moments=site == "gate", site=site)
    message = f"statistics of site '{site}' hold no sums of hook_post, .*; collect them anew with moments=True"
    with pytest.raises(DataError, match=message):
        stats.post_size()


def test_a_value_or_aspect_without_tokens_has_no_probability():
    groups = [("freedom", "+", "en"), ("freedom", "-", "en"), ("justice", "+", "en"), ("justice", "-", "zh")]
    stats = vl.FiringStats.from_counts(groups, [5, 0, 5, 5], torch.zeros(4, 1, 2), total=torch.zeros(4, 1, 2))
    with pytest.raises(
        DataError, match="'freedom' has no counted tokens of aspect '-', so its firing probability is undefined"
    ):
        stats.probability(aspect="-")
    with pytest.raises(DataError, match="value 'freedom' has no counted tokens, so"):
        stats.probability(languages=["zh"])
    with pytest.raises(DataError, match="no counted tokens for value 'freedom', aspect '-', so the mean is undefined"):
        stats.mean(value="freedom", aspect="-")
    assert stats.rate().tolist() == [[0.0, 0.0]]


def test_unknown_names_are_refused():
    stats = random_stats(GROUPS, 0)
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; known: en, zh"):
        stats.probability(languages=["en", "fr"])
    with pytest.raises(UnknownNameError, match="unknown value 'wealth'; known: freedom, equality, justice"):
        stats.mean(value="wealth")


def test_what_was_not_collected_is_said_with_the_way_to_get_it():
    stats = random_stats(GROUPS, 0, moments=False, blocks=False)
    with pytest.raises(DataError, match="no activation sums; collect them with moments=True"):
        stats.mean()
    with pytest.raises(DataError, match="without text blocks; use n_blocks=2 or more"):
        stats.block(0)


def test_blocks_add_up_to_the_whole():
    stats = random_stats(GROUPS, 5)
    both = stats.block(0).merge(stats.block(1))
    assert torch.equal(both.fired, stats.fired) and torch.equal(both.n_tokens, stats.n_tokens)
    assert torch.equal(stats.block(1).fired, stats.block_fired[1])
    before = stats.block_fired.clone()
    stats.block(0).fired.fill_(9)
    assert torch.equal(stats.block_fired, before)


# Files


@laws
@given(some_groups, seeds, kinds)
def test_saved_and_loaded_they_are_the_same(groups, seed, kind):
    stats = random_stats(groups, seed, meta={"corpus": "自由", "n": 3}, **kind)
    with tempfile.TemporaryDirectory() as folder:
        found = vl.FiringStats.load(stats.save(Path(folder) / "stats"))
    assert same(found, stats) and found.meta == stats.meta


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = random_stats(GROUPS, 0).save(tmp_path / "stats")
    content = path.read_bytes()
    path.write_bytes(content[:-5] + bytes([content[-5] ^ 4]) + content[-4:])
    with pytest.raises(ArtefactError, match="damaged: its checksum"):
        vl.FiringStats.load(path)
    path.write_bytes(content[:-5])
    with pytest.raises(ArtefactError, match="is damaged"):
        vl.FiringStats.load(path)
    store.save(
        path,
        Kind("neuron scores", fields={}, tensors={"scores": Numbers("row", (torch.float32,))}),
        {},
        {"scores": torch.zeros(1)},
    )
    with pytest.raises(ArtefactError, match="holds a neuron scores, not a firing statistics"):
        vl.FiringStats.load(path)


# Folding


def random_batches(groups, seed):
    """Two batches of quarters and zeros, ragged, every group in each."""
    g = torch.Generator().manual_seed(seed)
    for number, n_pos in enumerate((4, 6)):
        keys = [(group, f"text {number}-{k}") for k, group in enumerate([*groups, groups[0]])]
        counted = torch.rand(len(keys), n_pos, generator=g) < 0.6
        counted[:, 0] = True
        layers = [torch.randint(-6, 6, (len(keys), n_pos, D_MLP), generator=g) / 4 for _ in range(N_LAYERS)]
        yield keys, counted, layers


def text_batch(keys, counted):
    return TextBatch(ids=tuple(text_id for _, text_id in keys), tokens=counted.long(), counted=counted)


def fed(accumulator, batches, change=lambda acts: acts):
    for keys, counted, layers in batches:
        accumulator.begin(text_batch(keys, counted), [group for group, _ in keys])
        for layer, acts in enumerate(layers):
            accumulator.update(layer, change(acts))
    return accumulator


def feed(accumulator, batches, change=lambda acts: acts):
    return fed(accumulator, batches, change).result()


def new_fold(**changes):
    return FiringAccumulator(tuple(GROUPS[:3]), **{"shape": (N_LAYERS, D_MLP), "site": "post", **changes})


def new_post(**changes):
    return PostAccumulator(tuple(GROUPS[:3]), (N_LAYERS, D_MLP), **changes)


@pytest.mark.parametrize("moments", [True, False])
@pytest.mark.parametrize("n_blocks", [0, 2, 3])
def test_the_fold_is_the_loop_over_tokens(n_blocks, moments):
    batches = list(random_batches(GROUPS[:3], seed=n_blocks))
    stats = feed(new_fold(n_blocks=n_blocks, moments=moments), batches)
    plain = [(keys, counted.tolist(), [acts.tolist() for acts in layers]) for keys, counted, layers in batches]
    slow = slow_fold(GROUPS[:3], n_blocks, plain)
    assert (stats.total is None) == (stats.total_sq is None) == (not moments)
    for place, group in enumerate(stats.groups):
        cells = [cell for (_, g), cell in slow.items() if g == group]
        assert int(stats.n_texts[place]) == sum(cell[0] for cell in cells)
        assert int(stats.n_tokens[place]) == sum(cell[1] for cell in cells)
        for layer in range(N_LAYERS):
            for neuron in range(D_MLP):
                sums = [cell[2].get((layer, neuron), [0, 0.0, 0.0]) for cell in cells]
                names = ("fired", "total", "total_sq") if moments else ("fired",)
                for k, name in enumerate(names):
                    assert getattr(stats, name)[place, layer, neuron].item() == sum(s[k] for s in sums)
    for (block, group), cell in slow.items() if n_blocks else ():
        assert int(stats.block_n_tokens[block, GROUPS.index(group)]) == cell[1]
        first = cell[2].get((0, 0), [0])[0]
        assert int(stats.block_fired[block, GROUPS.index(group), 0, 0]) == first


def test_sums_of_hook_post_are_those_of_its_tokens_by_group():
    batches = list(random_batches(GROUPS[:3], seed=5))
    total, total_sq = feed(new_post(), batches, lambda acts: 2 * acts - 1)
    expected = feed(new_fold(), batches, lambda acts: 2 * acts - 1)
    assert torch.equal(total, expected.total) and torch.equal(total_sq, expected.total_sq)
    without = feed(new_fold(site="gate"), batches)
    assert without.post_total is None and without.post_total_sq is None


def test_accumulators_of_other_settings_are_not_merged():
    with pytest.raises(MismatchError, match="only accumulators with the same settings can be merged"):
        new_fold(site="gate").merge(new_fold())
    with pytest.raises(MismatchError, match="only accumulators with the same settings"):
        new_fold(n_blocks=2).merge(new_fold(n_blocks=3))


def test_a_fold_goes_on_after_its_result_without_changing_it():
    fold = new_fold()
    batches = list(random_batches(GROUPS[:3], seed=1))
    early = feed(fold, batches[:1])
    before = table(early)
    late = feed(fold, batches[1:])
    assert table(early) == before
    assert same(late, early.merge(feed(new_fold(), batches[1:])))


@pytest.mark.parametrize("junk", [1e18, 1e30, float("inf"), float("nan")])
def test_padding_may_hold_anything(junk):
    keys, counted, layers = next(random_batches(GROUPS[:3], seed=2))
    clean = feed(new_fold(), [(keys, counted, layers)])
    spoilt = [acts.masked_fill(~counted[..., None], junk) for acts in layers]
    assert torch.equal(feed(new_fold(moments=False), [(keys, counted, spoilt)]).fired, clean.fired)
    assert same(feed(new_fold(), [(keys, counted, spoilt)]), clean)
    assert torch.equal(feed(new_post(), [(keys, counted, spoilt)]), feed(new_post(), [(keys, counted, layers)]))


@pytest.mark.parametrize("moments", [True, False])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_an_activation_that_is_not_finite_is_refused_with_its_place(moments, bad):
    keys, counted, layers = next(random_batches(GROUPS[:3], seed=3))
    counted[1, 2] = True
    layers[1][1, 2, 0] = bad
    message = rf"activation {bad} at layer 1, neuron 0, text 1 of the batch, token 2 \(1 such in this batch\)"
    with pytest.raises(NotFiniteError, match=message):
        feed(new_fold(moments=moments), [(keys, counted, layers)])


def test_a_group_without_tokens_is_refused():
    batches = [(keys[:2], counted[:2], [a[:2] for a in layers]) for keys, counted, layers in random_batches(GROUPS[:3], 4)]
    with pytest.raises(DataError, match=r"no tokens were counted for freedom-en$"):
        feed(new_fold(), batches)
