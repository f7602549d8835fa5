"""Are the value systems what their papers say, and is their geometry a geometry?"""

import pickle
from itertools import combinations, product

import pytest

import value_lens as vl
from value_lens.errors import DataError, UnknownNameError, ValueLensError
from value_lens.values import SYSTEMS, in_order


def small(**changes):
    """A list of two values with one higher-order value."""
    values = tuple(vl.Value(name, {"en": name.title()}, f"about {name}") for name in ("care", "duty"))
    return vl.ValueSystem(**{"name": "small", "values": values, "higher_order": {"all": ("care", "duty")}, **changes})


def test_the_chinese_social_values_are_three_levels_of_four():
    assert list(vl.chinese_social.levels) == ["national", "societal", "individual"]
    assert [len(names) for names in vl.chinese_social.levels.values()] == [4, 4, 4]
    assert [name for names in vl.chinese_social.levels.values() for name in names] == list(vl.chinese_social.names)
    assert vl.chinese_social["rule_of_law"].label("zh") == "法治"


def test_schwartz_is_a_circle_of_ten_in_two_opposed_pairs():
    assert len(vl.schwartz) == 10 and vl.schwartz.circle and vl.schwartz.levels == {}
    members = [name for group in vl.schwartz.higher_order.values() for name in group]
    assert set(members) == set(vl.schwartz.names)
    assert [name for name in vl.schwartz.names if members.count(name) == 2] == ["hedonism"]
    assert vl.schwartz.opposite("conservation") == "openness_to_change"
    for group in vl.schwartz.higher_order:
        assert vl.schwartz.opposite(group) != group
        assert vl.schwartz.opposite(vl.schwartz.opposite(group)) == group


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_value_is_named_in_both_languages_and_defined(system):
    for language in ("en", "zh"):
        assert len({value.label(language) for value in system}) == len(system)
    assert len({value.definition for value in system}) == len(system)
    assert all(value.definition.strip() for value in system)
    assert [value.name for value in system] == list(system.names)


def test_distance_is_a_metric_on_the_circle():
    names, distance = vl.schwartz.names, vl.schwartz.distance
    for a, b in product(names, repeat=2):
        assert distance(a, b) == distance(b, a)
        assert (distance(a, b) == 0) == (a == b)
        assert distance(a, b) <= len(names) // 2
    for a, b, c in product(names, repeat=3):
        assert distance(a, c) <= distance(a, b) + distance(b, c)


def test_distance_counts_steps_to_neighbours_the_shorter_way():
    names = vl.schwartz.names
    for place, name in enumerate(names):
        steps = sorted(vl.schwartz.distance(name, other) for other in names)
        assert steps == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
        assert vl.schwartz.distance(name, names[(place + 1) % 10]) == 1
    assert vl.schwartz.distance("self_direction", "universalism") == 1


def test_members_of_a_higher_order_value_are_neighbours():
    """Nearer to each other than to every member of the opposite one."""
    for group, members in vl.schwartz.higher_order.items():
        across = vl.schwartz.higher_order[vl.schwartz.opposite(group)]
        inside = max(vl.schwartz.distance(a, b) for a, b in combinations(members, 2))
        assert inside < min(vl.schwartz.distance(a, b) for a, b in product(members, across))


def test_a_list_has_no_distance():
    with pytest.raises(DataError, match="'chinese_social' has no circle, so no distance"):
        vl.chinese_social.distance("freedom", "justice")


def test_membership_and_lookup():
    assert "freedom" in vl.chinese_social and "power" not in vl.chinese_social and 3 not in vl.chinese_social
    assert vl.schwartz["power"].name == "power"


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown value 'fredom'; known: prosperity, .*, friendliness"):
        vl.chinese_social["fredom"]
    with pytest.raises(UnknownNameError, match="unknown value 'wealth'; known: self_direction"):
        vl.schwartz.distance("power", "wealth")
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; known: en, zh"):
        vl.schwartz["power"].label("fr")
    with pytest.raises(UnknownNameError, match="unknown higher-order value 'power'; known: conservation, "):
        vl.schwartz.opposite("power")
    with pytest.raises(UnknownNameError, match="unknown higher-order value 'all'"):
        small().opposite("all")


def test_an_unknown_name_is_a_key_error_with_a_readable_message():
    error = UnknownNameError("site", "mid", ("post", "gate"))
    assert isinstance(error, KeyError) and isinstance(error, ValueLensError)
    assert str(error) == "unknown site 'mid'; known: post, gate"
    assert (error.kind, error.given, error.known) == ("site", "mid", ("post", "gate"))
    assert str(UnknownNameError("site", "mid", ())).endswith("known: none")


def test_a_system_that_contradicts_itself_is_refused():
    value = vl.Value("care", {"en": "Care"}, "about care")
    with pytest.raises(DataError, match=r"'small' names a value twice: .*'care', 'care'"):
        small(values=(value, value), higher_order={})
    with pytest.raises(DataError, match="higher-order value 'all' of 'small' names 'trust', which is no value of it"):
        small(higher_order={"all": ("care", "trust")})
    with pytest.raises(DataError, match="'small' opposes 'none', which is no higher-order value of it"):
        small(opposites=(("all", "none"),))


def test_in_order_follows_the_system_that_holds_all_names():
    for system in SYSTEMS.values():
        assert in_order(set(system.names)) == system.names
        assert in_order(set(system.names[::3])) == system.names[::3]
    assert in_order({"tradition", "power"}) == ("power", "tradition")


def test_in_order_is_alphabetical_for_names_of_no_one_system():
    assert in_order({"power", "freedom"}) == ("freedom", "power")
    assert in_order({"zeal", "freedom", "care"}) == ("care", "freedom", "zeal")
    assert in_order(set()) == ()


def test_systems_are_frozen_and_survive_pickling():
    with pytest.raises(AttributeError):
        vl.schwartz.name = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(vl.schwartz)) == vl.schwartz
