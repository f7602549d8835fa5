"""Does every message of a conversation stand in what the model is shown, whatever its chat template does, and is thinking off?"""

import copy
import html
import json

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from value_lens.errors import DataError
from value_lens.model import ChatTemplate
from value_lens.model._template_arguments import THINKING_OFF

EACH = "{% for m in messages %}"
REFUSES = "{{ raise_exception('no such role') }}"
GENERATION = "{% if add_generation_prompt %}[bot]{% endif %}"
WRITES = {  # how a template writes the roles it knows
    "plain": "[{{ m['role'] }}] {{ m['content'] }}\n",
    "stripped": "[{{ m['role'] }}]{{ m['content'] | trim }}",
    "with single spaces": "[{{ m['role'] }}]{{ m['content'].split() | join(' ') }}",
    "as JSON": "{{ m | tojson }}",
    "as HTML": "<{{ m['role'] }}>{{ m['content'] | e }}</{{ m['role'] }}>",
}
SYSTEM = {  # what it does with an instruction
    "writes it": "{body}",
    "passes over it": "{{% if m['role'] != 'system' %}}{body}{{% endif %}}",
    "refuses it": "{{% if m['role'] == 'system' %}}" + REFUSES + "{{% endif %}}{body}",
}


@pytest.fixture(scope="module")
def plain():
    return tiny.byte_tokenizer()


def with_template(tokenizer, template, **changes):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = template
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    return tokenizer


def rendered(tokenizer, template, messages, arguments=None):
    return ChatTemplate(with_template(tokenizer, template), arguments).render(messages)


def conversation(*contents, roles=("system", "user", "assistant", "user")):
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def stands(content, text):
    """As plain as it can be: without any white space, as it is or escaped."""
    texts = ["".join(given.split()) for given in (text, html.unescape(text))]
    ways = (content, json.dumps(content)[1:-1], json.dumps(content, ensure_ascii=False)[1:-1])
    return any("".join(way.split()) in given for way in ways for given in texts)


@pytest.mark.parametrize("system", SYSTEM)
@pytest.mark.parametrize("writes", WRITES)
@pytest.mark.parametrize("n_messages", [2, 4])
def test_every_message_is_shown_whatever_the_template_does_with_instructions(plain, writes, system, n_messages):
    template = EACH + SYSTEM[system].format(body=WRITES[writes]) + "{% endfor %}" + GENERATION
    contents = ("  Give freely.\n\nBe  'brief' & kind. 给予。", "Who <asks>?\n", '{"answer": "me"}', " Again. ")
    messages = conversation(*contents[:n_messages])
    text, opened = rendered(plain, template, messages)
    assert all(stands(content, text) for content in contents[:n_messages]) and text.endswith("[bot]") and not opened


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1), min_size=2, max_size=2))
def test_no_text_hides_that_an_instruction_was_passed_over(contents):
    """Not one that is a part of the request, or of what the template writes of its own."""
    template = EACH + "{% if m['role'] == 'user' %}[user] {{ m['content'] }}{% endif %}{% endfor %}"
    tokenizer = with_template(TOKENIZER, template)
    system, user = contents
    assert ChatTemplate(tokenizer).render(conversation(system, user))[0] == f"[user] {system}\n\n{user}"


TOKENIZER = tiny.byte_tokenizer()


@pytest.mark.parametrize("system", ["user", "ask", "Who asks?", "[user] Who"])
def test_an_instruction_that_stands_in_the_request_is_missed_all_the_same(plain, system):
    template = EACH + "{% if m['role'] == 'user' %}[user] {{ m['content'] }}{% endif %}{% endfor %}"
    assert rendered(plain, template, conversation(system, "Who asks?"))[0] == f"[user] {system}\n\nWho asks?"


@pytest.mark.parametrize(
    ("template", "messages", "problem"),
    [
        (EACH + "{{ m['content'][:20] }}{% endfor %}", ("x" * 30, "y"), "does not write all of the system message 'xxx"),
        (EACH + "{{ m['content'][:20] }}{% endfor %}", ("x", "y" * 30), "does not write all of the user message 'yyy"),
        ("{{ messages[0]['content'] }}", ("a", "b", "c", "d"), "does not write all of the user message"),
        ("{{ messages[-1]['content'] }}", ("a", "b", "c", "d"), "does not write all of the system message"),
        ("Hello!", ("a", "b"), "does not write all of the system message.*written into the next message: .* the user message"),
        (EACH + REFUSES + "{% endfor %}", ("a", "b"), r"refuses the roles system, user \(TemplateError: no such role\)"),
        (EACH + "{{ m['content'] | upper }}{% endfor %}", ("a", "b"), "does not write all of the system message"),
        (
            EACH + "{% if m['role'] != 'assistant' %}{{ m['content'] }}{% endif %}{% endfor %}",
            tuple("abcd"),
            "assistant message",
        ),
    ],
)
def test_a_template_that_cannot_show_a_message_is_refused_with_its_fault(plain, template, messages, problem):
    with pytest.raises(
        DataError, match=f"(?s)the chat template cannot be used: it .*{problem}.*set a template that writes every"
    ):
        rendered(plain, template, conversation(*messages))


def test_the_last_message_alone_is_enough_where_the_instruction_can_join_it(plain):
    assert rendered(plain, "<{{ messages[-1]['content'] }}>", conversation("a", "b"))[0] == "<a\n\nb>"


def test_neighbours_of_one_role_are_joined_where_the_template_wants_turns(plain):
    strict = (
        EACH
        + "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        + REFUSES
        + "{% endif %}{{ m['content'] }}|{% endfor %}"
    )
    roles = ("system", "user", "user", "assistant", "user")
    text, _ = rendered(plain, strict, conversation(*"abcde", roles=roles))
    assert text == "a\n\nb\n\nc|d|e|"


def test_of_an_earlier_answer_only_the_thought_may_be_dropped(plain):
    """As reasoning templates do."""
    template = EACH + "{{ m['content'].split('</think>')[-1] }}|{% endfor %}"
    messages = conversation("a", "b", "<think>of c</think>c", "d")
    assert rendered(plain, template, messages)[0] == "a|b|c|d|"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in THINKING_OFF.items() for value in values])
def test_thinking_is_off_where_the_template_knows_how(plain, name, value):
    """The template writes what it was given, as the switch's own; what was given by hand stands, and leaves other switches alone."""
    compared = f"{{% if {name} == {value!r} or other == 'on' %}}off{{% endif %}}"
    template = f"{EACH}{{{{ m['content'] }}}}{{% endfor %}}{{{{ {name} is defined }}}}{compared}{{{{ other }}}}"
    assert rendered(plain, template, conversation("a", "b"))[0] == "abTrueoff"
    assert rendered(plain, template, conversation("a", "b"), {name: "on"})[0] == "abTrue"
    assert rendered(plain, template, conversation("a", "b"), {"other": "!"})[0] == "abTrueoff!"
    another = next(switch for switch in THINKING_OFF if switch != name)
    both = template + f"{{{{ {another} }}}}"
    assert rendered(plain, both, conversation("a", "b"), {another: "on"})[0] == "abFalseon"


def test_a_word_the_template_does_not_know_is_not_given_to_it(plain):
    """gpt-oss writes whatever effort it is given into its instruction."""
    template = (
        EACH + "{{ m['content'] }}{% endfor %}{{ reasoning_effort | default('medium') }}{% if tools == 'none' %}{% endif %}"
    )
    assert rendered(plain, template, conversation("a", "b"))[0] == "abmedium"


@pytest.mark.parametrize(
    "prelude",
    [
        "{%- if not enable_thinking is defined -%}{%- set enable_thinking = true -%}{%- endif -%}",
        "{%- set enable_thinking = enable_thinking | default(true) -%}",
        "{% macro mode() %}{{ enable_thinking }}{% endmacro %}{{ mode() }}",
        "{% for x in [1] %}{% break %}{% endfor %}{% generation %}{% endgeneration %}",
    ],
)
def test_switches_are_seen_in_templates_of_every_make(plain, prelude):
    template = prelude + "{% if enable_thinking %}on{% else %}off{% endif %}" + EACH + "{{ m['content'] }}{% endfor %}"
    assert rendered(plain, template, conversation("a", "b"))[0].replace("False", "") == "offab"


def test_arguments_that_the_template_does_not_read_are_refused(plain):
    template = EACH + "{{ m['content'] }}{% endfor %}{{ enable_thinking }}{{ style }}"
    with pytest.raises(DataError, match="does not read enable_thinkng; it reads: enable_thinking, style"):
        ChatTemplate(with_template(plain, template), {"enable_thinkng": True})
    with pytest.raises(DataError, match="may not hold add_generation_prompt, tokenize, which are set here"):
        ChatTemplate(with_template(plain, template), {"tokenize": True, "add_generation_prompt": False})
    with pytest.raises(DataError, match=r"\['style'\] were given, but the tokenizer has no chat template"):
        ChatTemplate(plain, {"style": "short"})
    with pytest.raises(DataError, match="the chat template cannot be read: "):
        ChatTemplate(with_template(plain, "{% for %}"))


def test_one_of_several_templates_can_be_chosen(plain):
    templates = {"short": EACH + "{{ m['content'] }}{% endfor %}", "long": EACH + "<{{ m['content'] }}>{% endfor %}"}
    tokenizer = with_template(plain, templates)
    assert ChatTemplate(tokenizer, {"chat_template": "long"}).render(conversation("a", "b"))[0] == "<a><b>"
    with pytest.raises(DataError, match=r"(?s)no default.*template_arguments=\{'chat_template': NAME\}"):
        ChatTemplate(tokenizer)


@pytest.mark.parametrize(
    ("tail", "opened"),
    [
        ("[bot]", False),
        ("<think>\n", True),
        ("<think>\n\n</think>\n\n", False),
        ("</think>", False),
        ("<|channel|>analysis", True),
    ],
)
def test_a_thought_that_the_template_opens_is_noticed(plain, tail, opened):
    """In what it writes behind the conversation, whatever stands within."""
    template = EACH + "{{ m['content'] }}{% endfor %}" + tail
    assert rendered(plain, template, conversation("What is <think>?", "And </think>?"))[1] == opened


NEMOTRON = (
    "{% set ns = namespace(on=true) %}" + EACH + "{% if '/no_think' in m['content'] %}{% set ns.on = false %}{% endif %}"
    "{{ m['content'].replace('/think', '').replace('/no_think', '') | trim }}|{% endfor %}"
    "{% if ns.on %}<think>{% else %}<think></think>{% endif %}"
)


@pytest.mark.parametrize(
    ("messages", "arguments", "text"),
    [
        ("ab", None, "a|b|<think></think>"),
        ("ab", {"enable_thinking": False}, "a|b|<think></think>"),
        ("ab", {"enable_thinking": True}, "a|b|<think>"),
        (("a /no_think", "b"), {"enable_thinking": True}, "a|b|<think></think>"),
        (("a", "/think b"), None, "a|b|<think>"),
    ],
)
def test_a_template_that_reads_a_word_for_no_thinking_is_given_it(plain, messages, arguments, text):
    """What the conversation itself says goes before, and it is seen whether a thought is open then."""
    assert rendered(plain, NEMOTRON, conversation(*messages), arguments) == (text, text.endswith("|<think>"))


def test_the_word_for_no_thinking_needs_no_instruction_to_stand_in(plain):
    text, opened = rendered(plain, NEMOTRON, [{"role": "user", "content": "b"}])
    assert text == "|b|<think></think>" and not opened
    without_system = NEMOTRON.replace("{% for m in messages %}", "{% for m in messages if m['role'] == 'user' %}")
    assert rendered(plain, without_system, [{"role": "user", "content": "b"}])[0] == "b|<think></think>"


@pytest.mark.parametrize(
    ("behind", "expected"),
    [("<turn>", ["<turn>"]), ("\n <turn></s>", ["<turn>"]), ("</s>", ["</s>"]), ("\n[user]", []), (" so<turn>", []), ("", [])],
)
def test_the_end_of_a_turn_is_read_off_the_template(plain, behind, expected):
    tokenizer = with_template(plain, EACH + "[{{ m['role'] }}]{{ m['content'] }}" + behind + "{% endfor %}" + GENERATION)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<turn>"]})
    assert tokenizer.convert_ids_to_tokens(ChatTemplate(tokenizer).turn_ends()) == expected
    assert ChatTemplate(plain).turn_ends() == []
