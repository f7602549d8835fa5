"""The arguments a chat template reads, and what turns thinking off in it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..endpoint import Marks
from ..errors import DataError

# What templates read, and what turns thinking off there. A word counts only where the template compares the variable with it.
THINKING_OFF: Mapping[str, tuple[Any, ...]] = {
    "enable_thinking": (False,),  # Qwen 3, GLM 4.5, SmolLM 3, Nemotron 3, Hunyuan, Gemma 4
    "thinking": (False,),  # DeepSeek V3.1, Granite 3.2
    "thinking_budget": (0,),  # Seed-OSS
    "reasoning": (False,),  # Command A
    "reasoning_effort": ("none", "no_think"),  # Mistral, Hy3; not gpt-oss, which always thinks
    "thinking_mode": ("disabled", "off"),  # MiniMax
}
NO_THINKING = "/no_think"  # some templates read it from a message, and leave it out of what they write: Nemotron
_RESERVED = (
    "conversation", "add_generation_prompt", "continue_final_message", "tokenize", "return_dict", "return_tensors",
    "return_assistant_tokens_mask", "padding", "truncation", "max_length", "tokenizer_kwargs", "messages",
)  # fmt: skip
_NEVER_READ = ("chat_template", "tools", "documents", "sanitize_control_tokens")  # arguments that no template needs to read


def template_text(tokenizer: Any, chosen: str | None) -> str:
    """The template itself, "" where a tokenizer has none."""
    if not (chosen or getattr(tokenizer, "chat_template", None)):
        return ""
    try:
        return tokenizer.get_chat_template(chosen)
    except ValueError as error:  # several templates, and none of them the default
        raise DataError(f"{error} (template_arguments={{'chat_template': NAME}})") from None


def turn_thinking_off(template: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for a template: what is given, and, where that says nothing of thinking, what turns it off there.

    Raises `DataError` for arguments without a template, ones that are set elsewhere, and ones that the template does not read.
    """
    variables, comparisons = _template_reads(template)
    if reads_directive(template):
        variables |= {"enable_thinking"}
    _require_known(arguments, template, variables)
    if THINKING_OFF.keys() & arguments:
        return dict(arguments)
    defaults: dict[str, Any] = {}
    for name, values in THINKING_OFF.items():
        off_values = [value for value in values if not isinstance(value, str) or (name, value) in comparisons]
        if name in variables and off_values:
            defaults[name] = off_values[0]
    return {**defaults, **arguments}


def reads_directive(template: str) -> bool:
    """Whether thinking is turned off by a word in a message, and no argument does so; `enable_thinking` then stands for the word."""
    return NO_THINKING in template and not _template_reads(template)[0].intersection(THINKING_OFF)


@lru_cache(maxsize=8)
def _template_reads(template: str) -> tuple[frozenset[str], frozenset[tuple[str, Any]]]:
    """The variables that a template reads, and the words it compares each with."""
    from jinja2 import Environment, TemplateSyntaxError, meta, nodes

    if not template:
        return frozenset(), frozenset()
    plain = re.sub(r"\{%[-+]?\s*(end)?generation\s*[-+]?%\}", "", template)  # Hugging Face's own mark around answers
    try:
        tree = Environment(extensions=["jinja2.ext.loopcontrols"]).parse(plain)
    except TemplateSyntaxError as error:
        raise DataError(f"the chat template cannot be read: {error}") from None
    variables = frozenset(meta.find_undeclared_variables(tree))
    comparisons = {
        (name.name, word.value)
        for comparison in tree.find_all(nodes.Compare)
        for name in comparison.find_all(nodes.Name)
        for word in comparison.find_all(nodes.Const)
        if isinstance(word.value, str)
    }
    return variables, frozenset(comparisons)


def _require_known(arguments: Mapping[str, Any], template: str, variables: frozenset[str]) -> None:
    if arguments and not template:
        raise DataError(f"template_arguments {sorted(arguments)} were given, but the tokenizer has no chat template")
    if reserved := sorted(set(arguments).intersection(_RESERVED)):
        raise DataError(f"template_arguments may not hold {', '.join(reserved)}, which are set here")
    if unread := sorted(set(arguments).difference(variables, _NEVER_READ)):
        readable = ", ".join(
            sorted(variables.difference(("messages", "add_generation_prompt", "raise_exception", "strftime_now")))
        )
        raise DataError(
            f"the chat template does not read {', '.join(unread)}; it reads: {readable or 'nothing but the messages'}"
        )


def own_marks(tokenizer: Any) -> tuple[Marks, ...]:
    """What the tokenizer itself says of thoughts in its model's answers (Hugging Face's `response_template`)."""
    parts = getattr(tokenizer, "response_template", None)
    thought = parts.get("fields", {}).get("thinking", {}) if isinstance(parts, Mapping) else {}
    opening, closing = thought.get("open"), thought.get("close")
    return ((opening, closing),) if isinstance(opening, str) and isinstance(closing, str) else ()
