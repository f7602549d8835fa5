"""Thoughts of reasoning models: where the answer begins; an unclosed thought holds none."""

import re
from collections.abc import Collection, Iterator, Sequence

Marks = tuple[str, str]  # what opens a thought, and what closes it
MARKS: tuple[Marks, ...] = (
    ("<think>", "</think>"),  # DeepSeek, Qwen, GLM, SmolLM, Nemotron, MiniMax, Hunyuan
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),  # EXAONE Deep
    ("<seed:think>", "</seed:think>"),  # Seed-OSS
    ("[THINK]", "[/THINK]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # OpenThinker, Sky-T1
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<|channel|>analysis", "<|channel|>final<|message|>"),  # gpt-oss
)
# Words that could stand in any text: they are marks only where a model's chat template speaks of them.
MARKS_IN_WORDS: tuple[Marks, ...] = (
    ("Here is my thought process:", "Here is my response:"),  # Granite 3.2
    ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),  # Apriel
)
UNCLOSED = "its thought was not closed, so there is no answer; allow more new tokens, or turn thinking off"

_NAMES = re.compile(r"think|thought|reason", re.IGNORECASE)
_OPPOSITES = (("start", "end"), ("START", "END"), ("begin", "end"), ("BEGIN", "END"), ("open", "close"), ("OPEN", "CLOSE"))


def marks_of(tokens: Collection[str], template: str = "", extra_marks: Sequence[Marks] = ()) -> tuple[Marks, ...]:
    """The marks to look for in a model's text: the usual ones, those its chat template speaks of, those among its added tokens.

    tokens: the tokens added to the vocabulary, as written. A pair among them is one whose name speaks of thought, such as
    "<|reason_start|>" with "<|reason_end|>". extra_marks: further ones that the model's tokenizer states.
    """
    in_words = (marks for marks in MARKS_IN_WORDS if all(mark in template for mark in marks))
    pairs = (
        (token, closing) for token in tokens if _NAMES.search(token) for closing in _closing_marks(token) if closing in tokens
    )
    return tuple(dict.fromkeys((*MARKS, *in_words, *pairs, *extra_marks)))


def _closing_marks(opening: str) -> Iterator[str]:
    yield opening[:1] + "/" + opening[1:]
    yield re.sub(r"^\W+", lambda match: match[0] + "/", opening)
    for begin, end in _OPPOSITES:
        if begin in opening:
            yield opening.replace(begin, end)


def answer_start(text: str, *, opened: bool = False, marks: Sequence[Marks] = MARKS) -> int | None:
    """The place in a text at which its answer begins: 0 where nobody thought, else behind the last closed thought and white space.

    opened: whether a thought was open before the text began. None where a thought is open at its end: there is no answer.

    >>> text = "<think>two and two</think> four"
    >>> text[answer_start(text) :]
    'four'
    >>> answer_start("<think>two and") is None
    True
    """
    end_of_thought = max((text.rfind(closing) + len(closing) for _, closing in marks if closing in text), default=0)
    rest = text[end_of_thought:]
    if (opened and not end_of_thought) or any(opening in rest for opening, _ in marks):
        return None
    return end_of_thought + len(rest) - len(rest.lstrip()) if end_of_thought else 0


def leaves_open(text: str, marks: Sequence[Marks] = MARKS) -> bool:
    """Whether a thought is open at the end of a text."""
    return answer_start(text, marks=marks) is None
