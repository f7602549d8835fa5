"""Is every question asked under two descriptions that differ, and is a persona's wording checked before any is asked?"""

import pytest
from conftest import engines
from scripted import tokenizer_with

import value_lens as vl
from value_lens.errors import DataError

QUESTION = vl.SituationalQuestion(id="q", text="A neighbour asks. What {now}?", value="care", language="en")


def described(plus="You give {freely}.", minus="You take.", language="en"):
    return [
        vl.LabelledText(id=aspect, text=text, value="care", aspect=aspect, language=language)
        for aspect, text in (("+", plus), ("-", minus))
    ]


@pytest.mark.parametrize(
    ("wording", "brace"),
    [
        ('As JSON {"answer": ...}: {description}', "{\"answer\": ...}"),
        ("{description!r}", "{description!r}"),
        ("{description:>9}", "{description:>9}"),
        ("{description.id}", "{description.id}"),
        ("{} {description}", "{}"),
        ("{description} {0}", "{0}"),
        ("{description", "{"),
        ("description} {description}", "}"),
        ("{descriptions}", "{descriptions}"),
    ],
)  # fmt: skip
def test_a_brace_in_a_persona_is_named_before_anybody_is_asked(wording, brace):
    """In any language, even one that no question is in."""
    with pytest.raises(DataError, match="the persona for 'zh' has .*twice") as caught:
        vl.under_poles([], [], persona={"en": "{description}", "zh": wording})
    assert f"has {brace!r} at character" in str(caught.value)


def test_texts_are_filled_in_as_they_are():
    persona = {"en": 'As {{"json": "{description}"}} or {{description}}.'}
    plus, minus = vl.under_poles(described("You {give} {{freely}}.", "{description}"), [QUESTION], persona=persona)
    assert plus.system == 'As {"json": "You {give} {{freely}}."} or {description}.'
    assert minus.system == 'As {"json": "{description}"} or {description}.'
    assert plus.user == minus.user == QUESTION.text and plus.cluster == minus.cluster == "q"
    with pytest.raises(DataError, match="the persona for 'en' needs {description}: 'You are kind.'"):
        vl.under_poles(described(), [QUESTION], persona={"en": "You are kind."})


@pytest.mark.parametrize(
    ("language", "persona", "expected"),
    [("zh-CN", {"en": "I: {description}", "zh": "我：{description}"}, "我：You take."),
     ("fr", {"en": "I: {description}", "zh": "我：{description}"}, "I: You take."),
     ("zh", {"zh": "我：{description}"}, "我：You take.")],
)  # fmt: skip
def test_a_persona_is_taken_in_the_questions_language_else_in_english(language, persona, expected):
    question = vl.SituationalQuestion(id="q", text="?", value="care", language=language)
    assert vl.under_poles(described(language=language), [question], persona=persona)[1].system == expected


def test_a_language_without_a_persona_is_told():
    question = vl.SituationalQuestion(id="q", text="?", value="care", language="fr")
    with pytest.raises(DataError, match=r"question 'q' needs a persona for 'fr'; known: \['zh'\]"):
        vl.under_poles(described(language="fr"), [question], persona={"zh": "这{description}"})


def test_one_description_at_both_poles_is_refused():
    with pytest.raises(DataError, match=r"the description 'You take.' stands at both poles of 'care' in 'en' \(1 such\)"):
        vl.under_poles([*described(), *described(minus="You give {freely}.", plus="You take.")[:1]], [QUESTION])


# What the model is shown


TEMPLATES = {
    "": None,
    "knows instructions": "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}",
    "passes over instructions": "{% for m in messages %}{% if m['role'] == 'user' %}[U]{{ m['content'] }}{% endif %}{% endfor %}",
    "refuses instructions": "{% if messages[0]['role'] == 'system' %}{{ raise_exception('!') }}{% endif %}{{ messages[0]['content'] }}",
    "the last message alone": "{{ messages[-1]['content'] }}",
}


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_either_pole_is_shown_its_own_description_and_the_question(models, engine, template):
    tokenizer = tokenizer_with(models[engine, "llama"].tokenizer, template=template)
    prompts = vl.under_poles(described(), [QUESTION], persona={"en": "{description}"})
    plus, minus = vl.respond(vl.ValueLens(models[engine, "llama"], tokenizer), prompts, max_new_tokens=2)
    assert "You give {freely}." in plus.prompt and "You take." in minus.prompt
    assert plus.prompt.replace("You give {freely}.", "You take.") == minus.prompt and QUESTION.text in plus.prompt


def test_opposite_aspects_that_look_the_same_are_refused_with_their_ids(models):
    """Built so, or made so by a template that passes over all but letters."""
    model = models["bridge", "llama"]
    same = [
        vl.Prompt(id=f"q/{aspect}", system="be kind", user="why?", value="care", aspect=aspect, language="en")
        for aspect in "+-"
    ]
    message = (
        "(?s)'q/[+]' and 'q/-' are to show opposite aspects of 'care', but the model is shown the same text for both: 'be kind"
    )
    with pytest.raises(DataError, match=message):
        vl.respond(model, same)
    tokenizer = tokenizer_with(model.tokenizer, template="{% for m in messages %}{{ m['content'][:7] }}|{% endfor %}")
    with pytest.raises(
        DataError, match="prompt 'q/[+]': the chat template cannot be used: it does not write all of the system"
    ):
        vl.respond(vl.ValueLens(model, tokenizer), vl.under_poles(described(), [QUESTION]))


def test_one_aspect_may_be_asked_the_same_twice(models):
    """Sampled answers to one question, and one question of two values."""
    asked = dict(system="", user="why?", aspect="+", language="en")
    prompts = [vl.Prompt(id=str(k), value=value, **asked) for k, value in enumerate(("care", "care", "duty"))]
    assert len(vl.respond(models["bridge", "llama"], prompts, max_new_tokens=2, temperature=1.0)) == 3
