"""Chat templates: every message rendered, thinking off unless the user asks for it."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..endpoint import Message, answer_start, leaves_open, marks_of
from ..errors import DataError
from ._template_arguments import NO_THINKING, own_marks, reads_directive, template_text, turn_thinking_off
from ._tokens import special_ids

_MARKER = "message{}marker"
N_QUOTED = 60  # letters of a message that an error quotes


class ChatTemplate:
    """A tokenizer's chat template, with arguments for it.

    It is tried on a conversation of the same roles before any is put to it: a message that it passes over or refuses is written into
    the request that follows (an instruction), or joined to its neighbour of the same role. Raises `DataError` for arguments without
    a template, or ones that it does not read.
    """

    def __init__(self, tokenizer: Any, arguments: Mapping[str, Any] | None = None) -> None:
        self.tokenizer = tokenizer
        self.text = template_text(tokenizer, (arguments or {}).get("chat_template"))
        self.arguments = turn_thinking_off(self.text, arguments or {})
        self.marks = marks_of(getattr(tokenizer, "get_added_vocab", dict)(), self.text, own_marks(tokenizer))
        self._directive = NO_THINKING if reads_directive(self.text) and self.arguments["enable_thinking"] is False else ""
        self._tails: dict[tuple[str, ...], str | DataError] = {}

    def render(self, messages: Sequence[Message]) -> tuple[str, bool]:
        """A conversation as the model is shown it, and whether a thought is open at its end.

        Raises `DataError` where no way of writing it shows every message.
        """
        problems: list[str] = []
        for arrangement in _arrangements(_with_directive(messages, self._directive)):
            try:
                tail = self._tail(tuple(message["role"] for message in arrangement))
                text = self._apply(arrangement)
                for message in arrangement:
                    _require_rendered(message, text)
                rest = tail if text.endswith(tail) else _text_after(arrangement[-1]["content"], text)
                return text, leaves_open(rest, self.marks)
            except DataError as error:
                problems.append(str(error))
        raise DataError(
            f"the chat template cannot be used: {problems[0]}"
            + (f" (and written into the next message: {problems[1]})" if len(problems) > 1 else "")
            + "; set a template that writes every message (tokenizer.chat_template, or template_arguments={'chat_template': ...})"
        )

    def turn_ends(self) -> list[int]:
        """The special token that the template puts right behind an answer, which so ends one; none where it puts other text there."""
        roles = ("user", "assistant")
        try:
            text = self._apply(_marker_messages(roles), add_generation_prompt=False) if self.text else ""
        except DataError:
            return []
        _, _, rest = text.rpartition(_MARKER.format(1))
        special = special_ids(self.tokenizer)
        for token in self.tokenizer(rest, add_special_tokens=False)["input_ids"]:
            if token in special:
                return [token]
            if self.tokenizer.decode([token]).strip():
                break
        return []

    def banned_first_tokens(self, tokens: Iterable[int]) -> list[int]:
        """Of tokens that may not begin an answer, those that begin no mark of a thought: a thought may come first."""
        special, mark_starts = special_ids(self.tokenizer), set[int]()
        for mark in (mark for marks in self.marks for mark in marks):
            first = self.tokenizer(mark, add_special_tokens=False)["input_ids"][:1]
            if special.intersection(first) and mark.startswith(self.tokenizer.convert_ids_to_tokens(first[0])):
                mark_starts.update(first)
        return [token for token in tokens if token not in mark_starts]

    def _tail(self, roles: tuple[str, ...]) -> str:
        """What the template writes behind a conversation of these roles; raises `DataError` where it does not write them all."""
        if roles not in self._tails:
            messages = _marker_messages(roles)
            try:
                text = self._apply(messages)
                for message in messages:
                    _require_rendered(message, text, quote=False)
                self._tails[roles] = text.rpartition(messages[-1]["content"])[2]
            except DataError as error:
                self._tails[roles] = error
        tail = self._tails[roles]
        if isinstance(tail, DataError):
            raise tail
        return tail

    def _apply(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        try:
            return self.tokenizer.apply_chat_template(
                [dict(message) for message in messages],
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **self.arguments,
            )
        except Exception as error:  # templates raise errors of their own for roles they do not know
            roles = ", ".join(message["role"] for message in messages)
            raise DataError(f"it refuses the roles {roles} ({type(error).__name__}: {error})") from error


def _marker_messages(roles: Sequence[str]) -> list[Message]:
    """A conversation in which each message has a text that stands nowhere else."""
    return [{"role": role, "content": _MARKER.format(index)} for index, role in enumerate(roles)]


def _arrangements(messages: Sequence[Message]) -> list[list[Message]]:
    """Ways of writing a conversation: as it is, with its instruction in the first request, with neighbours of one role as one."""
    arrangements: list[list[Message]] = []
    for arrange in (
        list,
        _merge_instruction,
        _merge_neighbours,
        lambda unmerged: _merge_neighbours(_merge_instruction(unmerged)),
    ):
        arrangement = arrange(messages)
        if arrangement not in arrangements:
            arrangements.append(arrangement)
    return arrangements


def _with_directive(messages: Sequence[Message], directive: str) -> list[Message]:
    """A conversation with a directive to the template in its instruction, unless it has one of its own."""
    if not directive or any("/think" in message["content"] or directive in message["content"] for message in messages):
        return list(messages)
    if messages[0]["role"] != "system":
        return [{"role": "system", "content": directive}, *messages]
    return [{"role": "system", "content": f"{messages[0]['content']}\n{directive}"}, *messages[1:]]


def _without_directives(content: str) -> str:
    return content.replace(NO_THINKING, "").replace("/think", "")


def _text_after(content: str, text: str) -> str:
    """What stands behind a message in a rendered conversation; the end of it where the message is not to be told from the rest."""
    content_in_text = next(
        (candidate for candidate in (content.strip(), _without_directives(content).strip()) if candidate and candidate in text),
        "",
    )
    return text.rpartition(content_in_text)[2] if content_in_text else text[-N_QUOTED:]


def _merge_instruction(messages: Sequence[Message]) -> list[Message]:
    roles = [message["role"] for message in messages[:2]]
    if roles != ["system", "user"]:
        return list(messages)
    return [_merge_messages(messages[0], messages[1]), *messages[2:]]


def _merge_neighbours(messages: Sequence[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1] = _merge_messages(merged[-1], message)
        else:
            merged.append(message)
    return merged


def _merge_messages(first: Message, second: Message) -> Message:
    return {"role": second["role"], "content": f"{first['content']}\n\n{second['content']}"}


def _require_rendered(message: Message, text: str, *, quote: bool = True) -> None:
    """Raise `DataError` unless a message's text stands in a rendered conversation, whatever was done to its white space.

    Templates may escape it, take a directive about thinking out of it, and drop the thought of an earlier answer.
    """
    content = message["content"]
    if message["role"] == "assistant":
        content = content[answer_start(content) or 0 :]
    candidates = [
        content,
        *(json.dumps(content, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)),
        _without_directives(content),
    ]
    if not any(
        _single_spaced(candidate) in _single_spaced(rendered)
        for candidate in candidates
        for rendered in (text, html.unescape(text))
    ):
        quoted = f" {content[:N_QUOTED]!r}" if quote else ""
        raise DataError(f"it does not write all of the {message['role']} message{quoted}")


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
