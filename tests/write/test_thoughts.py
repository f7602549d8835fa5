"""Is what stands before a closed thought left out, and an unclosed thought no answer? For every kind of mark."""

import pytest

from value_lens.endpoint import UNCLOSED, Reply, answer_start, leaves_open, marks_of
from value_lens.endpoint._thoughts import MARKS, MARKS_IN_WORDS
from value_lens.errors import DataError

every_mark = pytest.mark.parametrize(("opening", "closing"), MARKS + MARKS_IN_WORDS)


@every_mark
def test_an_answer_begins_behind_its_closed_thought(opening, closing):
    marks = [(opening, closing)]
    for text, opened, answer in [
        ("An answer.\n", False, "An answer.\n"),
        (" An answer", False, " An answer"),
        (f"{opening}two and two{closing}\n\nfour ", False, "four "),
        (f"\n{opening}{closing}four", False, "four"),
        (f"two and two{closing} four", True, "four"),
        (f"two and two{closing} four", False, "four"),
        (f"{opening}a{closing}b{opening}c{closing}d", False, "d"),
        (f"Well. {opening}a{closing} b", False, "b"),
        (f"{opening}a{closing}", False, ""),
        (f"{opening}a{closing} \n", False, ""),
        (f"{opening}a", False, None),
        (f"b {opening}a", False, None),
        (f"{opening}a{closing}b{opening}c", False, None),
        ("a", True, None),
        ("", True, None),
        ("", False, ""),
    ]:
        start = answer_start(text, opened=opened, marks=marks)
        assert (None if start is None else text[start:]) == answer, text
    assert leaves_open(f"[bot]{opening}\n", marks) and not leaves_open(f"{opening}\n{closing}", marks)


def test_words_are_marks_only_where_the_template_speaks_of_them():
    opening, closing = MARKS_IN_WORDS[0]
    assert marks_of([]) == MARKS == marks_of([], f"Begin with {opening!r}.")
    assert marks_of([], f"Begin with {opening!r}, then {closing!r}.") == (*MARKS, (opening, closing))


@pytest.mark.parametrize(
    "pair",
    [("<reason>", "</reason>"), ("[THOUGHTS]", "[/THOUGHTS]"), ("<|reason_start|>", "<|reason_end|>"), ("<|think|>", "<|/think|>"),
     ("<|begin_thinking|>", "<|end_thinking|>"), ("<|OPEN_THOUGHT|>", "<|CLOSE_THOUGHT|>")],
)  # fmt: skip
def test_a_tokenizers_own_marks_are_found_among_its_tokens(pair):
    assert marks_of(["<a>", "</a>", *pair, "<|start|>", "<|end|>"])[len(MARKS) :] == (pair,)
    assert marks_of(["<a>", "</a>", pair[0], "<|start|>", "<|end|>"]) == MARKS
    assert marks_of([], extra_marks=[("{{", "}}")])[len(MARKS) :] == (("{{", "}}"),)


def test_a_reply_without_an_answer_says_why():
    assert Reply('<think>{"a": "b"}</think>{"a": "c"}').answer == '{"a": "c"}'
    with pytest.raises(DataError, match=UNCLOSED):
        _ = Reply('<think>{"a": "b"}').answer
    with pytest.raises(DataError, match="it said nothing"):
        _ = Reply("", problem="it said nothing").answer
