"""Are braces in a wording understood when it is made, and what is put into it left as it is?"""

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import value_lens as vl
from value_lens.errors import DataError
from value_lens.measure import template_fields

KNOWN = ("scenario", "first", "second")
PIECES = st.sampled_from(["{", "}", "{{", "}}", "{scenario}", "{first}", "{other}", "{}", "{0}", "scenario", " ", "，"])


def filled(template, **fields):
    """The fields a template uses, by Python's own reading of it; None where it needs any other or cannot be read."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        template.format(**fields)
    except (ValueError, KeyError, IndexError):
        return None
    return frozenset(names)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_a_template_is_accepted_exactly_when_it_can_be_filled(template):
    expected = filled(template, **dict.fromkeys(KNOWN, "x"))
    if expected is None:
        with pytest.raises(DataError, match="write a brace that is meant as such twice"):
            template_fields(template, KNOWN, "a prompt")
    else:
        assert template_fields(template, KNOWN, "a prompt") == expected


@pytest.mark.parametrize(
    ("braces", "named"),
    [
        ('{"choice": "A"}', '{"choice": "A"}'),
        ("{0}", "{0}"),
        ("{}", "{}"),
        ("{scenario!r}", "{scenario!r}"),
        ("{scenario.x}", "{scenario.x}"),
        ("{scenario[0]}", "{scenario[0]}"),
        ("{scenario:>9}", "{scenario:>9}"),
        ("{ scenario}", "{ scenario}"),
        ("{scenario", "{"),
        ("scenario}", "}"),
        ("{{scenario}", "}"),
        ("{a{b}}", "{"),
    ],
)
def test_what_cannot_be_filled_is_refused_when_the_wording_is_made_and_named(braces, named):
    for prompt, answers in (
        (f"{{scenario}} {{first}} {{second}} {braces}", (" A", " B")),
        ("{scenario}", f"{{option}} {braces}"),
    ):
        with pytest.raises(DataError) as error:
            vl.ChoiceFormat(prompt, answers)
        fields = "{scenario}, {first}, {second}" if isinstance(answers, tuple) else "{option}"
        assert f"has {named!r} at character" in str(error.value)
        assert f"which is none of {fields}; write a brace that is meant as such twice, {{{{ or }}}}" in str(error.value)


def test_literal_braces_and_braces_in_the_data_arrive_as_they_are():
    wording = vl.ChoiceFormat('{scenario}\nA. {first}\nB. {second}\nReply as {{"choice": "A"}}:', (" {A}", " {0}"))
    dilemma = vl.Dilemma(id="d", scenario="Set {x} = {first}.", aligned="{second}", violating="}{", value="care", language="en")
    shown, turned = vl.Question("label", {"en": wording}).presentations(dilemma, 0)
    assert shown.prompt == 'Set {x} = {first}.\nA. {second}\nB. }{\nReply as {"choice": "A"}:'
    assert (shown.aligned, shown.violating) == (" {A}", " {0}") == (turned.violating, turned.aligned)
    cloze = vl.Question("continuation", {"en": vl.ChoiceFormat("{{{scenario}}}", " {{{option}}}")})
    (shown,) = cloze.presentations(dilemma, 0)
    assert (shown.prompt, shown.aligned) == ("{Set {x} = {first}.}", " {{second}}")


def test_a_field_in_literal_braces_is_no_field():
    with pytest.raises(DataError, match=r"a prompt needs \{scenario\}"):
        vl.ChoiceFormat("{{scenario}} {first} {second}", (" A", " B"))
    with pytest.raises(DataError, match="labels need a prompt that presents the options"):
        vl.ChoiceFormat("{scenario} {{first}} {{second}}", (" A", " B"))
    with pytest.raises(DataError, match=r"a continuation needs \{option\}"):
        vl.ChoiceFormat("{scenario}", "{{option}}")


@pytest.mark.parametrize("labels", [("", " B"), (" A", " \n"), ("", ""), (" A", " A"), (" A", "A ")])
def test_labels_that_nobody_could_tell_apart_are_refused_when_the_wording_is_made(labels):
    with pytest.raises(
        DataError, match="labels need to be two different texts, neither of them blank: .*" + re.escape(repr(labels[1]))
    ):
        vl.ChoiceFormat("{scenario} {first} {second}", labels)


def test_messages_of_long_wordings_are_short():
    for prompt in ("{" + "x" * 10**6 + "}", "x" * 10**6):
        with pytest.raises(DataError) as error:
            vl.ChoiceFormat(prompt, (" A", " B"))
        assert len(str(error.value)) < 5_000
