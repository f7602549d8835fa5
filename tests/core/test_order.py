"""Values keep the order of their system in everything that is made of them, and are shown by their labels."""

import json

import pytest
import torch

import value_lens as vl
from value_lens.core import _order as order
from value_lens.core import in_order, label_of, sort_groups

NAMES = ("thrift", "patience", "care")
FILE = {
    "name": "mine",
    "values": [{"name": name, "labels": {"en": f"The {name}", "zh": f"中{name}"}, "definition": "a value"} for name in NAMES],
    "circle": True,
    "higher_order": {"calm": ["thrift", "patience"], "warmth": ["care"]},
    "group_labels": {"calm": {"en": "Calm of mind", "zh": "平静"}},
}


@pytest.fixture
def known(monkeypatch):
    """The known systems, of which a test may register more."""
    monkeypatch.setattr(order, "_SYSTEMS", dict(order._SYSTEMS))
    return order._SYSTEMS


@pytest.fixture
def system(tmp_path, known):
    (tmp_path / "mine.json").write_text(json.dumps(FILE), encoding="utf-8")
    return vl.load_system(tmp_path / "mine.json")


def counts_of(*values, seed=0):
    groups = [(value, aspect, language) for value in values for aspect in "+-" for language in ("en", "zh")]
    fired = torch.randint(0, 9, (len(groups), 2, 5), generator=torch.Generator().manual_seed(seed))
    return vl.FiringStats.from_counts(groups, [9] * len(groups), fired)


def test_reading_a_system_does_not_make_it_known(system):
    assert in_order(system.names) == tuple(sorted(NAMES)) and label_of("thrift") == "thrift"
    assert vl.register_system(system) is system
    assert in_order(sorted(NAMES)) == NAMES and label_of("thrift") == "The thrift"


def test_a_lens_makes_its_system_known(system, lens):
    vl.ValueLens(lens.model, system=system)
    assert in_order(set(NAMES)) == NAMES


def test_counts_and_all_that_is_made_of_them_have_the_systems_order(system):
    vl.register_system(system)
    stats = counts_of(*sorted(NAMES))
    scores = vl.vape(stats)
    sets = vl.select(scores, vl.top_rule(2))
    assert stats.values == scores.values == tuple(sets) == NAMES
    assert tuple(dict.fromkeys(group.value for group in stats.groups)) == NAMES


def test_saved_counts_keep_their_order_where_the_system_is_not_known(system, known, tmp_path):
    vl.register_system(system)
    whole, parts = counts_of(*NAMES), [counts_of(value, seed=seed) for seed, value in enumerate(NAMES)]
    for number, stats in enumerate([whole, *parts]):
        stats.save(tmp_path / f"{number}")
    scores = vl.vape(whole)
    scores.save(tmp_path / "scores")
    del known["mine"]
    loaded = [vl.FiringStats.load(tmp_path / f"{number}") for number in range(4)]
    assert loaded[0].values == vl.vape(loaded[0]).values == vl.NeuronScores.load(tmp_path / "scores").values == NAMES
    one, two, three = loaded[1:]
    for merged in (one.merge(two).merge(three), three.merge(two.merge(one)), two.merge(three).merge(one)):
        assert merged.values == vl.opposition(merged).values == NAMES
        assert merged.groups == whole.groups
        merged.save(tmp_path / "merged")
        assert vl.FiringStats.load(tmp_path / "merged").values == NAMES
    assert one.merge(two).merge(three).meta == one.merge(two.merge(three)).meta


def test_blocks_keep_the_order(system, known):
    vl.register_system(system)
    stats = counts_of(*NAMES)
    zeros = torch.zeros_like(stats.fired)
    blocks = {
        "block_n_tokens": torch.stack([stats.n_tokens, 0 * stats.n_tokens]),
        "block_fired": torch.stack([stats.fired, zeros]),
    }
    fields = {**vars(stats), **blocks}
    del known["mine"]
    split = vl.FiringStats(**fields)
    assert split.block(0).merge(split.block(1)).values == NAMES


def test_orders_that_disagree_are_united_the_same_way_round(known):
    def stated(*names):
        value = vl.Value("care", {"en": "Care"}, "a value")
        return vl.ValueSystem("s", tuple(vl.Value(name, {"en": name}, "a value") for name in names) or (value,))

    parts = []
    for names in (("b", "a"), ("a", "b", "c"), ("c", "b", "a")):
        vl.register_system(stated(*names))
        parts.append(counts_of(*names[:2]))
    del known["s"]
    one, two, three = parts
    assert one.merge(two).values == two.merge(one).values == ("b", "a")  # the smaller system goes first
    assert one.merge(two).merge(three).values == three.merge(two).merge(one).values == ("a", "b", "c")


def test_counts_of_values_of_no_system_carry_nothing(known):
    assert counts_of("zeal", "mercy").meta == {} and counts_of("zeal", "mercy").values == ("mercy", "zeal")
    assert in_order(["b", "a", "c"], otherwise=["c", "b"]) == ("c", "b", "a")


def test_malformed_orders_in_a_file_are_passed_over():
    for stated in (3, [3], [[3]], [["care", None]], {"a": 1}, "text"):
        assert order.carried_orders({"orders": stated}) == []
    assert order.carried_orders({"orders": [["b", "a"]]}, {"orders": [["b", "a"], ["a"]]}) == [["a"], ["b", "a"]]


def test_sorting_groups_takes_carried_orders_first(system):
    vl.register_system(system)
    groups = [vl.Group(name, "+", "en") for name in NAMES]
    assert [group.value for group in sort_groups(groups)] == list(NAMES)
    assert [group.value for group in sort_groups(groups, [NAMES[::-1]])] == list(NAMES[::-1])


def test_labels_are_those_of_the_system_and_else_the_name_as_it_is(system):
    assert label_of("rule_of_law") == "Rule of law" and label_of("rule_of_law", "zh") == "法治"
    assert label_of("rule_of_law", "fr") == "Rule of law"  # a language without labels: English
    assert label_of("no_such_value") == "no_such_value" and label_of("calm") == "calm"
    assert label_of("openness_to_change") == "Openness to change"
    vl.register_system(system)
    assert label_of("calm", "zh") == "平静" and label_of("warmth") == "warmth"
    assert label_of("care", "zh", labels={}) == "care" and label_of("care", labels={"en": "Kindness"}) == "Kindness"


def test_a_file_of_a_system_keeps_labels_of_groups(system, tmp_path):
    assert system.group_labels == {"calm": {"en": "Calm of mind", "zh": "平静"}}
    for ending in ("yaml", "json"):
        assert vl.load_system(vl.save_system(system, tmp_path / f"again.{ending}")) == system
    with pytest.raises(vl.ValueLensError, match="'mine' labels 'cold', which is no higher-order value of it"):
        vl.ValueSystem("mine", system.values, group_labels={"cold": {"en": "Cold"}})
    (tmp_path / "bad.json").write_text(json.dumps({**FILE, "group_labels": {"calm": "Calm"}}), encoding="utf-8")
    with pytest.raises(vl.ValueLensError, match="field 'group_labels': expected display names by language, by group"):
        vl.load_system(tmp_path / "bad.json")
