"""Does a model answer as it would alone, and are the answers' own tokens what is counted? Against a slow loop without a cache."""

import copy
import sys
from dataclasses import replace

import pytest
import tiny
import torch
from oracles import slow_answer

import value_lens as vl
from value_lens.errors import DataError, TooLongError
from value_lens.model import ChatTemplate, LensModel, blank_tokens, encode
from value_lens.write import PERSONA
from value_lens.write._responses import _model_input

TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'system' and no_system is defined %}{{ raise_exception('no system') }}{% endif %}"
    "{{ '<s>' if loop.first }}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}[you]{% endif %}"
)


@pytest.fixture(scope="module")
def prompts():
    return [
        vl.Prompt(
            id=f"p{k}",
            system=f"the {word} keeps",
            user=text,
            value=("care", "duty")[k % 2],
            aspect="+-"[k // 2 % 2],
            language=("en", "zh")[k // 4 % 2],
        )
        for k, (word, text) in enumerate(zip(tiny.WORDS, tiny.sentences(9, seed=3, longest=9), strict=False))
    ]


def kind_of(model):
    return {37: "llama", 45: "gpt2", 50: "neox"}[model.cfg.d_mlp]


def test_answers_are_those_of_a_slow_loop_one_text_at_a_time(model, folders, prompts):
    answers = vl.respond(model, prompts, max_new_tokens=8)
    expected = [slow_answer(model, folders[kind_of(model)], answer.prompt, 8) for answer in answers]
    assert [answer.text for answer in answers] == expected
    assert [(a.id, a.value, a.aspect, a.language) for a in answers] == [(p.id, p.value, p.aspect, p.language) for p in prompts]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("max_tokens", [1, 90, 4096])
def test_answers_do_not_depend_on_the_batch_or_the_order(model, prompts, temperature, max_tokens):
    options = {"max_new_tokens": 6, "temperature": temperature}
    whole = vl.respond(model, prompts, **options)
    again = vl.respond(model, prompts[::-1], batching=vl.Batching(max_tokens=max_tokens), **options)
    assert again[::-1] == whole


def test_a_seed_repeats_a_sample_and_another_changes_it(model, prompts):
    first, again, other = (vl.respond(model, prompts, max_new_tokens=6, temperature=1.0, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert sum(a.text != b.text for a, b in zip(first, other, strict=True)) >= len(prompts) - 1
    assert [a.text for a in vl.respond(model, prompts, max_new_tokens=6)] != [a.text for a in first]


def test_samples_follow_the_models_probabilities(models):
    """Of 600 first tokens, each of the likeliest comes as often as it should, within four standard errors."""
    model = models["bridge", "llama"]
    asked = [
        vl.Prompt(id=f"p{k}", system="", user="the river waits", value="care", aspect="+", language="en") for k in range(600)
    ]
    drawn = [a.text for a in vl.respond(model, asked, max_new_tokens=1, temperature=1.5)]
    tokenizer = model.tokenizer
    ids = [0, *tokenizer("the river waits\nAnswer:", add_special_tokens=False)["input_ids"]]
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0, -1].double() / 1.5
    logits[list(blank_tokens(tokenizer))] = -torch.inf
    share = {}
    for token, p in enumerate(logits.softmax(-1).tolist()):
        share[tokenizer.decode([token])] = share.get(tokenizer.decode([token]), 0) + p
    for text, p in sorted(share.items(), key=lambda pair: -pair[1])[:5]:
        assert abs(drawn.count(text) / 600 - p) < 4 * (p * (1 - p) / 600) ** 0.5 + 1e-9, (text, p)


def test_only_the_answer_is_counted(model, prompts):
    answers = vl.respond(model, prompts, max_new_tokens=8)
    stats = vl.ValueLens(model).collect(answers)
    tokenizer = model.tokenizer
    n_tokens = {}
    for a in answers:
        whole = tokenizer(a.prompt + a.text, add_special_tokens=False)["input_ids"]
        alone = tokenizer(a.prompt, add_special_tokens=False)["input_ids"]
        assert whole[: len(alone)] == alone
        n_tokens[a.group] = n_tokens.get(a.group, 0) + len(whole) - len(alone)
    assert dict(zip(stats.groups, stats.n_tokens.tolist(), strict=True)) == n_tokens


def test_edits_in_force_act_on_the_answers_and_leave_no_trace(model, prompts):
    lens = vl.ValueLens(model)
    neurons = vl.NeuronSet.from_pairs(
        [(layer, k) for layer in range(lens.info.n_layers) for k in range(lens.info.d_mlp)],
        site="post", n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp,
    )  # fmt: skip
    clean = vl.respond(model, prompts, max_new_tokens=8)
    with lens.editing(neurons, vl.zero()):
        edited = vl.respond(model, prompts, max_new_tokens=8)
    assert sum(a.text != b.text for a, b in zip(clean, edited, strict=True)) >= 3
    assert vl.respond(model, prompts, max_new_tokens=8) == clean


def test_an_answer_stops_at_the_end_token(models, prompts, monkeypatch):
    """Made the likeliest token after a few steps, it ends the answer and is no part of it."""
    room = sys.modules["value_lens.write._responses"]

    kept = room.chooser

    def eager(*arguments):
        choose = kept(*arguments)
        return lambda logits, step: choose(logits, step) if step < 3 else torch.full((len(logits),), 1)

    monkeypatch.setattr(room, "chooser", eager)
    for model in (models[key] for key in models if key[1] == "llama"):
        short = vl.respond(model, prompts, max_new_tokens=9)
        monkeypatch.setattr(room, "chooser", kept)
        assert [a.text for a in short] == [a.text for a in vl.respond(model, prompts, max_new_tokens=3)]
        monkeypatch.setattr(room, "chooser", eager)


def with_template(tokenizer, template=TEMPLATE):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = template
    return tokenizer


def test_the_chat_template_is_used_with_one_bos(models, folders, prompts):
    model = models["bridge", "llama"]
    tokenizer = with_template(model.tokenizer)
    answers = vl.respond(vl.ValueLens(model, tokenizer), prompts[:2], max_new_tokens=4)
    assert answers[0].prompt == f"[system] {prompts[0].system}\n[user] {prompts[0].user}\n[you]"
    # `encode` adds the BOS that was taken off the template
    assert answers[0].text == slow_answer(model, folders["llama"], answers[0].prompt, 4)


def asked(system, user, language="en"):
    return vl.Prompt(id="p", system=system, user=user, value="care", aspect="+", language=language)


def shown(view, prompt):
    return _model_input(view, ChatTemplate(view.tokenizer), prompt)[0]


def test_an_instruction_joins_the_request_where_the_template_knows_no_system_role(models):
    strict = with_template(models["bridge", "llama"].tokenizer, "{% set no_system = true %}" + TEMPLATE)
    view = LensModel(models["bridge", "llama"], strict)
    assert shown(view, asked("be brief", "the river?")) == "[user] be brief\n\nthe river?\n[you]"
    assert shown(view, asked("", "the river?")) == "[user] the river?\n[you]"


def test_without_a_template_there_is_a_plain_layout(models):
    view = LensModel(models["bridge", "llama"])
    assert shown(view, asked("be brief", "why?")) == "be brief\nwhy?\nAnswer:"
    assert shown(view, asked("", "为什么？", "zh")) == "为什么？\n回答："


@pytest.mark.parametrize("kind", ["llama", "neox"])
def test_a_templates_tokens_are_the_models_input_with_or_without_an_added_bos(models, kind):
    """llama's bridge adds a BOS and neox's does not; the template writes one, which must be there once either way."""
    model = models["bridge", kind]
    tokenizer = with_template(model.tokenizer)
    view = LensModel(model, tokenizer)
    text, _ = ChatTemplate(tokenizer).render([{"role": "user", "content": "the river?"}])
    encoded = encode(view, shown(view, asked("", "the river?")))
    assert list(encoded.ids) == tokenizer(text, add_special_tokens=False)["input_ids"] and encoded.ids.count(0) == 1


def test_the_tokens_that_are_counted_are_those_that_were_generated(models, prompts, monkeypatch):
    """An answer of known words, fed in by force; its space and its end must survive."""
    room = sys.modules["value_lens.write._responses"]
    for model in (models[key] for key in models if key[1] == "llama"):
        view = LensModel(model)
        wanted = view.tokenizer(" helps the quiet neighbour 桥", add_special_tokens=False)["input_ids"]
        monkeypatch.setattr(
            room, "chooser", lambda seeds, *_, wanted=wanted: lambda logits, step: torch.full((len(logits),), wanted[step])
        )
        answers = vl.respond(model, prompts[:3], max_new_tokens=len(wanted))
        assert {answer.text for answer in answers} == {" helps the quiet neighbour 桥"}
        for answer in answers:
            again = encode(view, answer.text, prompt=answer.prompt)
            assert list(again.ids[again.counted :]) == wanted
        cut = vl.respond(model, prompts[:1], max_new_tokens=len(wanted) - 1)  # in the middle of the last character
        assert cut[0].text in (" helps the quiet neighbour ", " helps the quiet neighbour")


def test_the_models_own_settings_of_generation_do_not_colour_the_answers(models, prompts, monkeypatch):
    model = models["bridge", "llama"]
    clean = vl.respond(model, prompts, max_new_tokens=8)
    own = model.original_model.generation_config
    monkeypatch.setattr(own, "repetition_penalty", 3.0)
    monkeypatch.setattr(own, "no_repeat_ngram_size", 2)
    assert vl.respond(model, prompts, max_new_tokens=8) == clean
    assert model.original_model.generation_config is own


def test_tokens_that_show_nothing_and_end_tokens_cannot_begin_an_answer(models, prompts):
    model = models["bridge", "llama"]
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<extra>"]})  # one more than the model has logits for
    assert len(tokenizer) == model.cfg.d_vocab + 1
    answers = vl.respond(vl.ValueLens(model, tokenizer), prompts, max_new_tokens=1, temperature=1.0)
    assert all(answer.text.strip() for answer in answers)


def test_every_question_is_asked_under_both_poles_of_its_value():
    described = vl.load_texts("bank:poles", vl.Selection(per_group=3))
    questions = vl.load_questions(selection=vl.Selection(per_group=4))
    made = vl.under_poles(described, questions)
    assert len(made) == 2 * len(questions) and len({prompt.id for prompt in made}) == len(made)
    by_text = {text.text: text for text in described}
    for prompt in made:
        before, after = PERSONA[prompt.language].split("{description}")
        whose = by_text[prompt.system.removeprefix(before).removesuffix(after)]
        assert (whose.value, whose.aspect, whose.language) == (prompt.value, prompt.aspect, prompt.language)
    assert vl.under_poles(described, questions) == made != vl.under_poles(described, questions, seed=1)
    with pytest.raises(DataError, match=r"needs descriptions of openness_to_change\+ in 'zh'"):
        vl.under_poles([text for text in described if text.language == "en"], questions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": []}, "no prompts to respond to"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"temperature": -1.0}, "temperature at least 0"),
        ({"max_new_tokens": 95}, r"leaves no room for 95 more in the model's context of 96 \(9 such prompts\)"),
    ],
)
def test_what_cannot_be_answered_is_refused(models, prompts, change, message):
    with pytest.raises(DataError, match=message):
        vl.respond(models["bridge", "llama"], **{"prompts": prompts, **change})
    long = [replace(prompt, user="the river " * 60) for prompt in prompts[:8]]
    with pytest.raises(
        TooLongError, match="(?s)'p0' is .* tokens long.*; 7 further prompts cannot be asked either: 'p1',.* and 2 more"
    ):
        vl.respond(models["bridge", "llama"], [*long, prompts[8]])
    with pytest.raises(DataError, match="two prompts have the same id"):
        vl.respond(models["bridge", "llama"], [prompts[0], prompts[0]])
