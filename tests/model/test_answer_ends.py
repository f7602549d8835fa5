"""Does an answer end where the model's settings, its tokenizer or its chat template say, and hold no token that nobody can read?"""

import copy
import sys

import pytest
import tiny
import torch
from conftest import engines
from oracles import slow_tokens
from scripted import chain, ids, tokenizer_with
from transformers import AutoModelForCausalLM

import value_lens as vl
from value_lens.model import chooser, end_tokens, known_tokens

EACH = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}"
ASKED = vl.Prompt(id="p", system="", user="the river?", value="care", aspect="+", language="en")
NAMED_BY = {  # who says that <turn> ends an answer
    "the settings of generation": dict(settings=[1, "<turn>"]),
    "the settings alone, as a number": dict(settings="<turn>"),
    "the tokenizer": dict(settings=[1], tokenizer=dict(eos_token="<turn>")),
    "the chat template": dict(settings=[1], template=EACH + "<turn>\n{% endfor %}[assistant] "),
    "nobody": dict(settings=[1]),
}


def saved(where, *, settings, tokenizer=None, template=EACH + "{% endfor %}"):
    """A model that says "A", ends its turn by <turn>, and would then go on with "B" for ever."""
    words = tokenizer_with(tiny.byte_tokenizer(), special=["<turn>"], template=template, **(tokenizer or {}))
    turn, (a,), (b,) = words.convert_tokens_to_ids("<turn>"), ids(words, "A"), ids(words, "B")
    model = chain(tiny.llama(len(words)), {a: turn, turn: b, b: b}, a)
    number = {"<turn>": turn}
    model.generation_config.eos_token_id = (
        [number.get(one, one) for one in settings] if isinstance(settings, list) else number[settings]
    )
    model.save_pretrained(where)
    words.save_pretrained(where)
    return where


@pytest.mark.parametrize("named_by", NAMED_BY)
def test_an_answer_ends_at_the_same_place_by_every_engine_and_writer(tmp_path, named_by):
    where = saved(tmp_path, **NAMED_BY[named_by])
    expected = "ABBBB" if named_by == "nobody" else "A"
    models = [vl.load_model(where, vl.Loading(engine=engine)) for engine in engines()]
    for model in models:
        assert vl.respond(model, [ASKED], max_new_tokens=6)[0].text == expected
    plain = AutoModelForCausalLM.from_pretrained(where)
    for given in (*((model,) for model in models), (plain, models[0].tokenizer)):
        writer = vl.local_writer(*given, max_new_tokens=6, temperature=0.0)
        assert writer([{"role": "user", "content": "the river?"}]).text == expected


@pytest.mark.skipif("hooked" not in engines(), reason="needs HookedTransformer")
def test_a_hooked_model_that_a_user_made_finds_the_settings_beside_its_tokenizer(tmp_path):
    model = vl.load_model(saved(tmp_path, settings=[1, "<turn>"]), vl.Loading(engine="hooked"))
    del model.generation_config
    assert vl.respond(model, [ASKED], max_new_tokens=6)[0].text == "A"
    (tmp_path / "generation_config.json").unlink()  # then what the configuration says: only </s>
    assert end_tokens(model, model.tokenizer) == [1]
    (tmp_path / "config.json").write_text("{")
    assert end_tokens(model, model.tokenizer) == [1]


def test_a_model_that_states_nothing_ends_as_its_tokenizer_does(tmp_path):
    tokenizer = tiny.byte_tokenizer()
    assert end_tokens(object(), tokenizer) == [1]
    tokenizer.eos_token = None
    assert end_tokens(object(), tokenizer) == []


@pytest.mark.parametrize("engine", engines())
def test_an_answer_may_begin_with_a_thought_whose_mark_is_special(tmp_path, engine):
    """No other special token may come first: <turn> is twice as loud here."""
    words = tokenizer_with(tiny.byte_tokenizer(), special=["<think>", "</think>", "<turn>"], template=EACH + "{% endfor %}")
    opening, closing, turn = words.convert_tokens_to_ids(["<think>", "</think>", "<turn>"])
    (a,), (b,) = ids(words, "A"), ids(words, "B")
    model = chain(tiny.llama(len(words)), {opening: a, a: closing, closing: b, b: 1}, opening)
    with torch.no_grad():
        model.lm_head.weight[turn, 0] = 10
    model.save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    (answer,) = vl.respond(vl.load_model(tmp_path, vl.Loading(engine=engine)), [ASKED], max_new_tokens=9)
    assert (answer.prompt, answer.text) == ("[user] the river?<think>A</think>", "B")


# Tokens that the tokenizer does not have


@pytest.fixture(scope="module")
def padded(tmp_path_factory):
    """A folder of a model with as many rows again as tokens, each louder than a token's, so that one of them mostly wins."""

    def make(n_tokens, **changes):
        torch.manual_seed(7)
        model = tiny.llama(2 * n_tokens, **changes)
        with torch.no_grad():
            model.lm_head.weight[n_tokens:] *= 3
        return model

    return tiny.folder(tmp_path_factory.mktemp("padded"), "llama", make)


def watched(monkeypatch, module, chosen):
    """Keep what is chosen, while choosing as ever."""
    room = sys.modules[f"value_lens.write._{module}"]

    def watching(*arguments):
        choose = chooser(*arguments)

        def choose_and_keep(logits, step):
            tokens = choose(logits, step)
            chosen.extend(tokens.tolist())
            return tokens

        return choose_and_keep

    monkeypatch.setattr(room, "chooser", watching)


@pytest.mark.parametrize("engine", engines())
def test_no_answer_holds_a_token_that_the_tokenizer_lacks(padded, monkeypatch, engine):
    model, plain, chosen = vl.load_model(padded, vl.Loading(engine=engine)), AutoModelForCausalLM.from_pretrained(padded), []
    tokenizer = model.tokenizer
    watched(monkeypatch, "responses", chosen)
    prompts = [
        vl.Prompt(id=f"p{k}", system="", user=text, value="care", aspect="+", language="en")
        for k, text in enumerate(tiny.sentences(4, seed=5))
    ]
    n_beyond = 0
    for answer in vl.respond(model, prompts, max_new_tokens=8):
        new, found = slow_tokens(plain, tokenizer, [0, *ids(tokenizer, answer.prompt)], 8)
        assert tokenizer.decode(new, skip_special_tokens=True).startswith(answer.text)
        n_beyond += found
    assert n_beyond > 8  # without care these would have been chosen
    vl.respond(model, prompts, max_new_tokens=8, temperature=2.0)
    watched(monkeypatch, "local", chosen)
    for writer in (vl.local_writer(model, max_new_tokens=8), vl.local_writer(plain, tokenizer, max_new_tokens=8)):
        writer([{"role": "user", "content": "the river?"}])
    assert len(chosen) > 60 and max(chosen) < len(tokenizer)


def test_a_chooser_knows_holes_in_a_vocabulary():
    """Ids that nothing is named by are passed over wherever they stand; the logits it is given stay as they were."""
    logits = torch.tensor([[1.0, 5.0, 2.0, 9.0, 3.0, 8.0, 7.0]])
    kept = logits.clone()
    choose = chooser([0], 0.0, (4,), {0, 2, 4, 6})
    assert [int(choose(logits, step)) for step in (0, 1)] == [6, 6]
    assert int(chooser([0], 0.0, (6,), {0, 2, 4, 6, 99})(logits, 0)) == 4
    assert int(chooser([0], 0.0)(logits, 0)) == 3
    assert {int(chooser([seed], 5.0, (4,), {2, 4})(logits, 1)) for seed in range(50)} == {2, 4}
    assert torch.equal(logits, kept)


def test_what_was_added_to_a_tokenizer_can_be_chosen_at_once():
    tokenizer = copy.deepcopy(tiny.byte_tokenizer())
    before = known_tokens(tokenizer)
    assert before == frozenset(range(len(tokenizer)))
    tokenizer.add_tokens(["<new>"])
    assert known_tokens(tokenizer) == before | {len(tokenizer) - 1} and known_tokens(tokenizer, [4000]) >= {4000}
