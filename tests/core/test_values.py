"""The value systems are what their papers say, and their geometry is a geometry."""

import pickle
from itertools import combinations, product

import pytest

import value_lens as vl
from value_lens.core import in_order
from value_lens.errors import DataError, UnknownNameError, ValueLensError
from value_lens.systems import SYSTEMS


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
    with pytest.raises(UnknownNameError, match="unknown value or higher-order value 'wealth'; known: openness_to_change, "):
        vl.schwartz.opposite("wealth")
    with pytest.raises(UnknownNameError, match="unknown value or higher-order value 'all'"):
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


# Geometry, relations and systems of one's own


def test_opposites_lie_straight_across_the_circle():
    across = {name: vl.schwartz.opposite(name) for name in vl.schwartz.names}
    assert across["security"] == "self_direction" and across["power"] == "universalism"
    for name, other in across.items():
        assert vl.schwartz.distance(name, other) == 5 and across[other] == name
        assert abs(abs(vl.schwartz.angle(name) - vl.schwartz.angle(other)) - 3.141592653589793) < 1e-12


def test_what_has_no_opposite_says_so():
    with pytest.raises(DataError, match="'chinese_social' has no circle, so no opposite is defined on it"):
        vl.chinese_social.opposite("freedom")
    with pytest.raises(UnknownNameError, match="unknown value or higher-order value 'zeal'"):
        vl.schwartz.opposite("zeal")
    names = ("a", "b", "c")
    odd = vl.ValueSystem("odd", tuple(vl.Value(n, {"en": n}, n) for n in names), circle=True)
    with pytest.raises(DataError, match="has 3 values, so none lies straight across from 'a'"):
        odd.opposite("a")


def test_the_relation_to_schwartz_is_partial_and_gives_its_reason():
    relations = vl.chinese_social.relations
    assert {other for found in relations.values() for other in found} <= set(vl.schwartz.names)
    assert set(vl.chinese_social.names) - set(relations) == {"prosperity", "democracy"}
    assert all("marker item" in reason for found in relations.values() for reason in found.values())


@pytest.mark.parametrize(
    ("value", "language", "text", "named"),
    [
        ("equality", "en", "They are equally old.", True),
        ("equality", "en", "An unequal pair.", False),  # the word begins otherwise
        ("freedom", "zh", "他想要自由。", True),
        ("freedom", "zh", "他想出门。", False),
    ],
)
def test_a_text_that_names_its_value_is_recognised(value, language, text, named):
    assert vl.chinese_social[value].is_named_in(text, language) is named


def test_a_label_serves_where_no_stems_are_given():
    value = vl.Value("care", {"en": "Care"}, "about care")
    assert (
        value.is_named_in("He cares.", "en") and not value.is_named_in("Scare.", "en") and not value.is_named_in("Care", "zh")
    )


@pytest.mark.parametrize("ending", ["yaml", "json"])
@pytest.mark.parametrize("system", [*SYSTEMS.values(), small()], ids=lambda system: system.name)
def test_a_saved_system_is_loaded_unchanged(system, ending, tmp_path):
    assert vl.load_system(vl.save_system(system, tmp_path / f"s.{ending}")) == system


def test_a_small_yaml_file_is_enough(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nvalues:\n- {name: care, labels: {en: Care}, definition: looking after others}\n", encoding="utf-8"
    )
    assert vl.load_system(path)["care"].label("en") == "Care"


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "nmae: mine\ncircle: round\nvalues:\n- {name: care, labels: {}, definition: x, colour: red}\n- 3\nopposites: [[a]]\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        vl.load_system(path)
    for part in (
        "unknown field 'nmae'",
        "field 'name': expected a text, got None",
        "field 'circle': expected true or false, got 'round'",
        "value 1: unknown field 'colour'",
        "value 1: field 'labels': expected display names by language, got {}",
        "value 2: expected an object, got '3'",
        "field 'opposites': expected pairs of groups",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "expected an object with 'name' and 'values', got list"),
        ("name: [", "cannot be read"),
        ("name: x\nvalues: []", "field 'values': expected a list of values, got \\[\\]"),
        (
            "name: x\nvalues: [{name: a, labels: {en: A}, definition: d}]\nhigher_order: {g: [b]}",
            "names 'b', which is no value of it",
        ),
    ],
)
def test_a_file_that_is_no_system_is_refused(content, message, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        vl.load_system(path)
    with pytest.raises(DataError, match="no file"):
        vl.load_system(tmp_path / "gone.yaml")


SMALL_YAML = "name: mine\nvalues:\n- {{name: care, labels: {{{label}}}, definition: d{more}}}\n"


@pytest.mark.parametrize("written", ["2020-01-01", "1984", "007", "1e3", "no", "0x10", "12:30:00", "=", "1_000"])
def test_what_is_written_in_yaml_stays_as_it_is_written(written, tmp_path):
    """No text becomes a date, a number or a truth value; "no" is a language."""
    path = tmp_path / "s.yaml"
    path.write_text(SMALL_YAML.format(label=f"{written}: {written}", more=f", level: {written}"), encoding="utf-8")
    (value,) = vl.load_system(path)
    assert (value.labels, value.level) == ({written: written}, written)


@pytest.mark.parametrize(
    ("written", "circle"), [("true", True), ("False", False), ("yes", True), ("OFF", False), ("~", False), ("", False)]
)
def test_a_switch_is_read_however_it_is_written(written, circle, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SMALL_YAML.format(label="en: Care", more="") + f"circle: {written}\n", encoding="utf-8")
    assert vl.load_system(path).circle is circle


BOMB = "\n".join(
    ["a0: &a0 [x,x,x,x,x,x,x,x,x]", *(f"a{k}: &a{k} [" + ",".join([f"*a{k - 1}"] * 9) + "]" for k in range(1, 9)), "name: *a8"]
)
MERGES = "\n".join(
    ["a0: &a0 {x: y}", *(f"a{k}: &a{k} {{<<: [" + ",".join([f"*a{k - 1}"] * 9) + "]}" for k in range(1, 9)), "name: *a8"]
)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.yaml", BOMB, "more than 200000 parts"),
        ("s.yaml", MERGES, "line 2: '<<' is not read; write the fields out"),
        ("s.yaml", "name: " + "[" * 2000, "nested too deeply"),
        ("s.yaml", "name: " + "[" * 150 + "]" * 150, "nested deeper than 100 levels"),
        ("s.yaml", "name: &a [*a]", "nested deeper than 100 levels"),
        ("s.yaml", "name: !!int abc", "ValueError: invalid literal"),
        ("s.yaml", "name: !!bool abc", "KeyError: 'abc'"),
        ("s.yaml", "name: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("s.yaml", "? [a]\n: b", "unhashable key"),
        ("s.yaml", "name: a\nvalues: []\nname: b", "line 1: field 'name' stands twice"),
        ("s.yaml", "values:\n- {name: a, labels: {en: x, en: y}}", "line 2: field 'en' stands twice"),
        ("s.yaml", "#" * (2**20 + 1), "is larger than 1,048,576 bytes"),
        ("s.json", '{"name":' * 5000, "nested too deeply"),
        ("s.json", '{"name":' + "9" * 6000 + "}", "a number has too many digits"),
        ("s.json", '{"name": "a", "name": "b"}', "field 'name' stands twice"),
        ("s.json", "\ufeff{,}", "not JSON"),
    ],
)
def test_a_file_that_python_cannot_read_is_refused_with_its_name(name, content, message, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"^{tmp_path / name} cannot be read: (?s:.*){message}"):
        vl.load_system(tmp_path / name)


def test_half_a_character_pair_is_no_name(tmp_path):
    (tmp_path / "s.json").write_text(
        r'{"name": "a\ud83d", "values": [{"name": "b", "labels": {"en": "B\udc00"}, "definition": "d"}]}'
    )
    with pytest.raises(DataError) as told:
        vl.load_system(tmp_path / "s.json")
    assert r"field 'name': expected a text, got 'a\ud83d'" in str(told.value)
    assert r"value 1: field 'labels': expected display names by language, got {'en': 'B\udc00'}" in str(told.value)


def test_aliases_that_stay_small_are_read(tmp_path):
    path = tmp_path / "s.yaml"
    values = "".join(f"- {{name: v{k}, labels: {'&l {en: Care}' if k == 0 else '*l'}, definition: d{k}}}\n" for k in range(5))
    path.write_text(f"name: mine\nvalues:\n{values}", encoding="utf-8")
    assert [value.label("en") for value in vl.load_system(path)] == ["Care"] * 5
