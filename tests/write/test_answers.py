"""Is only an answer counted, with all that stood before it as its prompt, and is a prompt without an answer told, not lost?"""

import pytest
import tiny
from conftest import engines
from scripted import ids, say, tokenizer_with

import value_lens as vl
from value_lens.endpoint._thoughts import MARKS, MARKS_IN_WORDS
from value_lens.errors import DataError
from value_lens.model import LensModel, encode

PLAIN = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}[you]"
WORDS = MARKS_IN_WORDS[0]


@pytest.fixture(scope="module", params=engines())
def roomy(request, tmp_path_factory):
    """A model with rows of logits to spare, by either engine."""
    return vl.load_model(roomy_folder(tmp_path_factory), vl.Loading(engine=request.param))


def roomy_folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("roomy")
    return tiny.folder(where, "llama", lambda n, **given: tiny.llama(n + 64, max_position_embeddings=512))


def prompt(name="p", **changes):
    return vl.Prompt(
        **{**dict(id=name, system="", user="the river?", value="care", aspect="+", language="en", cluster="q"), **changes}
    )


def tokens_before_and_in(view, shown, whole, answer):
    """The tokens of what a model was shown and said, split where its answer begins: by the letters each token ends with."""
    found = view.tokenizer(shown + whole, add_special_tokens=False, return_offsets_mapping=True)
    boundary = len(shown) + len(whole) - len(answer)
    split = sum(1 for _, end in found["offset_mapping"] if end <= boundary)
    return found["input_ids"][:split], found["input_ids"][split:]


@pytest.mark.parametrize(
    ("opening", "closing", "kept_as"),
    [*((*marks, "special") for marks in (*MARKS, WORDS)), (*MARKS[0], "ordinary"), (*MARKS[0], "letters")],
)
def test_what_stands_before_a_closed_thought_is_not_counted(roomy, monkeypatch, opening, closing, kept_as):
    """Whether the marks are special tokens, tokens, or spelt."""
    added = {} if kept_as == "letters" else {kept_as: (opening, closing)}
    about = f"{{# {WORDS[0]} {WORDS[1]} #}}" if (opening, closing) == WORDS else ""
    tokenizer = tokenizer_with(roomy.tokenizer, template=about + PLAIN, **added)
    answer = "the others help 桥"
    whole = f"{opening}\nwait\n{closing}\n\n{answer}"
    say(monkeypatch, tokenizer, {"p": whole})
    (made,) = vl.respond(vl.ValueLens(roomy, tokenizer), [prompt()], max_new_tokens=300)
    assert made.text == answer and made.prompt == "[user] the river?\n[you]" + whole.removesuffix(answer)
    view = LensModel(roomy, tokenizer)
    encoded = encode(view, made.text, prompt=made.prompt)
    before, counted = tokens_before_and_in(view, "[user] the river?\n[you]", whole, answer)
    assert list(encoded.ids[encoded.counted :]) == counted == ids(tokenizer, whole)[-len(counted) :]
    assert list(encoded.ids[: encoded.counted]) == [0, *before]
    stats = vl.ValueLens(roomy, tokenizer).collect([made])
    assert int(stats.n_tokens.sum()) == len(counted)


def test_a_token_that_spans_the_thoughts_end_belongs_to_the_answer(roomy, monkeypatch):
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN, ordinary=["nk>\n the"])
    say(monkeypatch, tokenizer, {"p": "<think>wait</think>\n the river"})
    (made,) = vl.respond(vl.ValueLens(roomy, tokenizer), [prompt()], max_new_tokens=60)
    assert (made.text, made.prompt[-10:]) == ("the river", "</think>\n ")
    view = LensModel(roomy, tokenizer)
    encoded = encode(view, made.text, prompt=made.prompt)
    assert tokenizer.decode(list(encoded.ids[encoded.counted :])) == "nk>\n the river"


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize(
    ("text", "answer"), [("wait</think>\nhelp", "help"), ("wait", None), ("</think>help", "help"), ("wait</think> ", None)]
)
def test_a_thought_that_the_template_opens_ends_before_the_answer(roomy, monkeypatch, opened, text, answer):
    """As for DeepSeek-R1; where it opens none, a text without marks is the answer."""
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN + ("<think>\n" if opened else ""))
    say(monkeypatch, tokenizer, {"p": text, "other": "</think>no"})
    answers = None
    if answer is None and not (text == "wait" and not opened):
        with pytest.warns(UserWarning, match="1 of 2 prompts got no answer"):
            answers = vl.respond(vl.ValueLens(roomy, tokenizer), [prompt(), prompt("other")], max_new_tokens=60)
        assert list(answers.unanswered) == ["p"]
        reason = "nothing follows its thought" if "</think>" in text else "its thought was not closed"
        assert answers.unanswered["p"].startswith(reason)
    else:
        answers = vl.respond(vl.ValueLens(roomy, tokenizer), [prompt(), prompt("other")], max_new_tokens=60)
        assert answers[0].text == (answer or text) and not answers.unanswered
    assert answers[-1].text == "no"


def contrast(n_questions):
    return [
        prompt(f"q{k}/{aspect}", cluster=f"q{k}", aspect=aspect, system=f"be {aspect}{k}", value=("care", "duty")[k % 2])
        for k in range(n_questions)
        for aspect in "+-"
    ]


def test_good_answers_are_kept_in_order_and_the_rest_is_told(roomy, monkeypatch):
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN)
    prompts = contrast(6)
    said = {p.id: f"the river {p.id}" for p in prompts}
    said |= {"q1/-": "  \n", "q3/+": "<think>the river", "q4/+": "<think>", "q4/-": " "}
    say(monkeypatch, tokenizer, said)
    with pytest.warns(UserWarning) as caught:
        answers = vl.respond(vl.ValueLens(roomy, tokenizer), prompts, max_new_tokens=40, batching=vl.Batching(max_tokens=200))
    kept = [p for p in prompts if p.id not in ("q1/-", "q3/+", "q4/+", "q4/-")]
    assert [(a.id, a.text, a.value, a.aspect, a.cluster) for a in answers] == [
        (p.id, said[p.id], p.value, p.aspect, p.cluster) for p in kept
    ]
    assert answers.unanswered.keys() == {"q1/-", "q3/+", "q4/+", "q4/-"} and answers.unpaired == ("q1/+", "q3/-")
    assert answers.unanswered["q1/-"] == "it said nothing" and "thought was not closed" in answers.unanswered["q3/+"]
    (warning,) = caught
    assert (
        "4 of 12 prompts got no answer and are left out, see .unanswered ('q1/-', 'q4/-': it said nothing; 'q3/+', 'q4/+'"
        in str(warning.message)
    )
    assert "2 answers have lost the answer of the other pole ('q1/+', 'q3/-'): see .unpaired" in str(warning.message)


def test_prompts_that_belong_to_no_contrast_are_not_called_unpaired(roomy, monkeypatch):
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN)
    prompts = [prompt("a", cluster=""), prompt("b", cluster=""), prompt("c", aspect="-", system="!"), prompt("d", value="duty")]
    say(monkeypatch, tokenizer, {"a": "yes", "b": " ", "c": "no", "d": "no"})
    with pytest.warns(
        UserWarning, match=r"1 of 4 prompts got no answer and are left out, see .unanswered \('b': it said nothing\)$"
    ):
        answers = vl.respond(vl.ValueLens(roomy, tokenizer), prompts, max_new_tokens=40)
    assert answers.unpaired == ()


def test_no_answer_at_all_is_an_error(roomy, monkeypatch):
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN)
    say(monkeypatch, tokenizer, {"a": " ", "b": "<think>yes"})
    with pytest.raises(
        DataError, match="answered none of the 2 prompts, e.g. 'a' .1 times it said nothing; 1 times its thought"
    ):
        vl.respond(vl.ValueLens(roomy, tokenizer), [prompt("a"), prompt("b")], max_new_tokens=40)


def test_a_piece_of_ordinary_text_with_a_role_is_said(roomy, monkeypatch):
    """A padding token that is a word of the vocabulary stays in an answer."""
    word = ids(roomy.tokenizer, "river")[0]
    tokenizer = tokenizer_with(roomy.tokenizer, template=PLAIN, pad_token=roomy.tokenizer.convert_ids_to_tokens(word))
    say(monkeypatch, tokenizer, {"p": "river the river"})
    assert vl.respond(vl.ValueLens(roomy, tokenizer), [prompt()], max_new_tokens=40)[0].text == "river the river"
