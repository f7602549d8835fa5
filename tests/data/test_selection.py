"""Is a selection checked when made, and does it hold names in one form?"""

from dataclasses import FrozenInstanceError, fields

import pytest

import value_lens as vl
from value_lens.data import sample, stream
from value_lens.errors import DataError, UnknownNameError


@pytest.mark.parametrize("field", ["values", "languages"])
@pytest.mark.parametrize(
    ("names", "stored"),
    [
        ("care", ("care",)),
        (["care", "duty"], ("care", "duty")),
        (("ｃａｒｅ ",), ("care",)),
        (" 法治 ", ("法治",)),
        (None, None),
    ],
)
def test_names_are_a_tuple_in_normal_form(field, names, stored):
    assert getattr(vl.Selection(**{field: names}), field) == stored


def test_selections_are_equal_and_hashable_by_content_and_frozen():
    assert vl.Selection(values="care") == vl.Selection(values=["care"])
    assert len({vl.Selection(values="care"), vl.Selection(values=["care"]), vl.Selection()}) == 2
    with pytest.raises(FrozenInstanceError):
        vl.Selection().seed = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": []}, "values: an empty list selects nothing"),
        ({"languages": ()}, "languages: an empty list selects nothing"),
        ({"per_group": 0}, "per_group is 0; give a count of at least 1, or 'all'"),
        ({"per_group": -1}, "per_group is -1"),
    ],
)
def test_what_selects_nothing_is_refused_when_made(options, message):
    with pytest.raises(DataError, match=message):
        vl.Selection(**options)


def test_unknown_fillings_are_refused_when_made():
    with pytest.raises(UnknownNameError, match=r"unknown fillings 'some'; known: all, training, held_out"):
        vl.Selection(fillings="some")


@pytest.mark.parametrize(
    "selection",
    [
        vl.Selection(),
        vl.Selection(values=["justice", "freedom"], languages="zh", per_group=3, seed=5),
        vl.Selection(values="justice", split="activation", per_group=4, fillings="held_out"),
    ],
)
def test_every_way_of_loading_takes_the_same_selection(selection):
    loaded = vl.load_dilemmas("bank", selection)
    assert loaded == list(stream(vl.Dilemma, "bank", selection)) == sample(vl.Dilemma, "bank", selection).records
    assert {d.value for d in loaded} == set(selection.values or vl.chinese_social.names)
    again = vl.load_dilemmas(loaded, vl.Selection(values=selection.values, languages=selection.languages))
    assert again == loaded


def test_the_fields_are_what_a_configuration_names():
    assert [field.name for field in fields(vl.Selection)] == ["values", "languages", "split", "per_group", "seed", "fillings"]


def test_all_is_said_by_name_or_by_none():
    """What the error advises is what is accepted, in Python and in the terminal."""
    whole = vl.Selection(per_group="all")
    assert whole == vl.Selection(per_group=None) and whole != vl.Selection()
    everything = vl.load_texts("bank:poles", whole)
    assert everything == vl.load_texts("bank:poles", vl.Selection(per_group=None)) and len(everything) == 1280
