"""Is support measured as the formula says? Against one unbatched forward pass per prompt."""

import dataclasses

import pytest
import torch
from oracles import ids_of, slow_continuation_margin, slow_label_margin

import value_lens as vl
from value_lens.errors import DataError, UnknownNameError
from value_lens.measure import CONTINUATION, LABEL, choice, score_items, support_rate
from value_lens.model import Batching


def test_label_margins(lens, model, dilemmas):
    expected = torch.tensor([slow_label_margin(model, d) for d in dilemmas], dtype=torch.float64)
    torch.testing.assert_close(lens.margins(dilemmas), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("labels", [(" A", " Bq"), (" teacher", " Zq"), (" Q", " Z")], ids="/".join)
def test_labels_of_several_tokens_are_scored_whole(lens, model, dilemmas, labels):
    """Some tokenizers split " A" and not " B": the first token alone would compare a space with a letter."""
    forms = {language: dataclasses.replace(form, answers=labels) for language, form in LABEL.items()}
    lengths = [len(ids_of(model, "Answer:" + label)) - len(ids_of(model, "Answer:")) for label in labels]
    assert max(lengths) > 1
    expected = torch.tensor([slow_label_margin(model, d, forms) for d in dilemmas], dtype=torch.float64)
    for options in ({}, {"max_tokens": 1}, {"padding_side": "left"}):
        found = lens.margins(dilemmas, question=vl.Question("label", forms), batching=Batching(**options))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_regional_language_is_asked_in_its_language(lens, dilemmas):
    chinese = [d for d in dilemmas if d.language == "zh"]
    expected = lens.margins(chinese)
    for tag in ("zh-CN", "zh_Hans", "ZH"):
        assert torch.equal(lens.margins([dataclasses.replace(d, language=tag) for d in chinese]), expected)
    english = lens.margins([dataclasses.replace(d, language="fr") for d in chinese])
    assert not torch.equal(english, expected)


@pytest.mark.parametrize("forms", [CONTINUATION, vl.CLOZE], ids=["options presented", "cloze"])
def test_continuation_margins(lens, model, dilemmas, forms):
    expected = torch.tensor([slow_continuation_margin(model, d, forms) for d in dilemmas], dtype=torch.float64)
    found = lens.margins(dilemmas, question=vl.Question("continuation", forms))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("question", ["label", "continuation"])
def test_exchanging_the_options_turns_the_margin_round(lens, dilemmas, question):
    """Both orders are averaged, so position bias cancels exactly."""
    turned = [dataclasses.replace(d, aligned=d.violating, violating=d.aligned) for d in dilemmas]
    torch.testing.assert_close(
        lens.margins(dilemmas, question=question), -lens.margins(turned, question=question), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("question", ["label", "continuation"])
def test_margins_do_not_depend_on_batching_or_padding(lens, dilemmas, question):
    one = lens.margins(dilemmas, question=question, batching=Batching(max_tokens=1))
    for options in ({"max_tokens": 10_000}, {"padding_side": "left"}):
        torch.testing.assert_close(
            one, lens.margins(dilemmas, question=question, batching=Batching(**options)), rtol=1e-4, atol=1e-5
        )
    torch.testing.assert_close(one.flip(0), lens.margins(dilemmas[::-1], question=question), rtol=1e-4, atol=1e-5)


def test_support_rate_counts_a_tie_half():
    assert support_rate(torch.tensor([0.5, -1.0, 0.0, 2.0])) == 0.625
    with pytest.raises(DataError, match="undefined"):
        support_rate(torch.tensor([]))


def test_support_by_language_and_value(lens, dilemmas):
    margins = lens.margins(dilemmas)
    found = lens.support(dilemmas)
    assert set(found) == {"en", "zh"} and set(found["en"]) == {"honesty", "care"}
    for language, rates in found.items():
        for value, rate in rates.items():
            items = [k for k, d in enumerate(dilemmas) if (d.language, d.value) == (language, value)]
            assert rate == float((margins[items] > 0).double().mean())


def test_what_cannot_be_asked_is_refused(lens, dilemmas):
    with pytest.raises(DataError, match="no dilemmas"):
        lens.margins([])
    with pytest.raises(UnknownNameError, match="unknown scoring 'essay'; known: label, continuation"):
        lens.margins(dilemmas, question="essay")
    with pytest.raises(DataError, match=r"a prompt needs \{scenario\}"):
        vl.ChoiceFormat("What now?", (" A", " B"))
    with pytest.raises(DataError, match="labels need a prompt that presents the options"):
        vl.ChoiceFormat("{scenario}", (" A", " B"))
    with pytest.raises(DataError, match="two different texts"):
        vl.ChoiceFormat("{scenario} {first} {second}:", (" A", " A"))
    same = vl.Question("label", {"en": vl.ChoiceFormat("{scenario} {first} {second}:", (" A", " A a"))})
    with pytest.raises(DataError, match="the same to this tokenizer, or one begins the other"):
        lens.margins([d for d in dilemmas if d.language == "en"], question=same)
    long = dataclasses.replace(dilemmas[0], scenario="the river " * 90)
    with pytest.raises(DataError, match="the model's context is 96"):
        lens.margins([long])


def test_only_the_needed_positions_are_unembedded(lens, model, dilemmas):
    widths = []
    lens.margins(dilemmas[:1])  # the first run of a view is tried both ways (see `native`)
    handle = model.unembed.register_forward_hook(lambda module, inputs, output: widths.append(inputs[0].shape[1]))
    try:
        score_items(lens, choice(vl.Question()).encode(lens, dilemmas), Batching(max_tokens=1))
    finally:
        handle.remove()
    assert widths and set(widths) == {1}
