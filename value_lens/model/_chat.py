"""Chat templates: every message rendered, thinking off unless asked for."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..endpoint import Message, answer_start, leaves_open, marks_of
from ..errors import DataError
from ._template_arguments import NO_THINKING, own_marks, reads_directive, template_text, with_thinking_off
from ._tokens import special_ids

_MARKER = "message{}marker"
SHOWN = 60  # letters of a message that an error quotes


class ChatTemplate:
    """A tokenizer's chat template, with arguments for it.

    It is tried on a conversation of the same roles before any is put to it: a message that it passes over or refuses is written into
    the request that follows (an instruction), or joined to its neighbour of the same role. Raises `DataError` for arguments without
    a template, or ones that it does not read.
    """

    def __init__(self, tokenizer: Any, arguments: Mapping[str, Any] | None = None) -> None:
        self.tokenizer = tokenizer
        self.text = template_text(tokenizer, (arguments or {}).get("chat_template"))
        self.arguments = with_thinking_off(self.text, arguments or {})
        self.marks = marks_of(getattr(tokenizer, "get_added_vocab", dict)(), self.text, own_marks(tokenizer))
        self._directive = NO_THINKING if reads_directive(self.text) and self.arguments["enable_thinking"] is False else ""
        self._tails: dict[tuple[str, ...], str | DataError] = {}

    def render(self, messages: Sequence[Message]) -> tuple[str, bool]:
        """A conversation as the model is shown it, and whether a thought is open at its end.

        Raises `DataError` where no way of writing it shows every message.
        """
        problems: list[str] = []
        for arranged in _arrangements(_directed(messages, self._directive)):
            try:
                tail = self._tail(tuple(message["role"] for message in arranged))
                text = self._apply(arranged)
                for message in arranged:
                    _require_shown(message, text)
                behind = tail if text.endswith(tail) else _behind(arranged[-1]["content"], text)
                return text, leaves_open(behind, self.marks)
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
            text = self._apply(_marked(roles), add_generation_prompt=False) if self.text else ""
        except DataError:
            return []
        _, _, behind = text.rpartition(_MARKER.format(1))
        special = special_ids(self.tokenizer)
        for token in self.tokenizer(behind, add_special_tokens=False)["input_ids"]:
            if token in special:
                return [token]
            if self.tokenizer.decode([token]).strip():
                break
        return []

    def not_first(self, tokens: Iterable[int]) -> list[int]:
        """Of tokens that may not begin an answer, those that begin no mark of a thought: a thought may come first."""
        special, beginning = special_ids(self.tokenizer), set[int]()
        for mark in (mark for marks in self.marks for mark in marks):
            first = self.tokenizer(mark, add_special_tokens=False)["input_ids"][:1]
            if special.intersection(first) and mark.startswith(self.tokenizer.convert_ids_to_tokens(first[0])):
                beginning.update(first)
        return [token for token in tokens if token not in beginning]

    def _tail(self, roles: tuple[str, ...]) -> str:
        """What the template writes behind a conversation of these roles; raises `DataError` where it does not write them all."""
        if roles not in self._tails:
            messages = _marked(roles)
            try:
                text = self._apply(messages)
                for message in messages:
                    _require_shown(message, text, quote=False)
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


def _marked(roles: Sequence[str]) -> list[Message]:
    """A conversation in which each message has a text that stands nowhere else."""
    return [{"role": role, "content": _MARKER.format(place)} for place, role in enumerate(roles)]


def _arrangements(messages: Sequence[Message]) -> list[list[Message]]:
    """Ways of writing a conversation: as it is, with its instruction in the first request, with neighbours of one role as one."""
    ways: list[list[Message]] = []
    for arrange in (
        list,
        _instruction_joined,
        _neighbours_joined,
        lambda given: _neighbours_joined(_instruction_joined(given)),
    ):
        arranged = arrange(messages)
        if arranged not in ways:
            ways.append(arranged)
    return ways


def _directed(messages: Sequence[Message], directive: str) -> list[Message]:
    """A conversation with a directive to the template in its instruction, unless it has one of its own."""
    if not directive or any("/think" in message["content"] or directive in message["content"] for message in messages):
        return list(messages)
    if messages[0]["role"] != "system":
        return [{"role": "system", "content": directive}, *messages]
    return [{"role": "system", "content": f"{messages[0]['content']}\n{directive}"}, *messages[1:]]


def _undirected(content: str) -> str:
    return content.replace(NO_THINKING, "").replace("/think", "")


def _behind(content: str, text: str) -> str:
    """What stands behind a message in a rendered conversation; the end of it where the message is not to be told from the rest."""
    found = next((shown for shown in (content.strip(), _undirected(content).strip()) if shown and shown in text), "")
    return text.rpartition(found)[2] if found else text[-SHOWN:]


def _instruction_joined(messages: Sequence[Message]) -> list[Message]:
    roles = [message["role"] for message in messages[:2]]
    if roles != ["system", "user"]:
        return list(messages)
    return [_joined(messages[0], messages[1]), *messages[2:]]


def _neighbours_joined(messages: Sequence[Message]) -> list[Message]:
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = _joined(joined[-1], message)
        else:
            joined.append(message)
    return joined


def _joined(first: Message, second: Message) -> Message:
    return {"role": second["role"], "content": f"{first['content']}\n\n{second['content']}"}


def _require_shown(message: Message, text: str, *, quote: bool = True) -> None:
    """Raise `DataError` unless a message's text stands in a rendered conversation, whatever was done to its white space.

    Templates may escape it, take a directive about thinking out of it, and drop the thought of an earlier answer.
    """
    content = message["content"]
    if message["role"] == "assistant":
        content = content[answer_start(content) or 0 :]
    inside = [
        content,
        *(json.dumps(content, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)),
        _undirected(content),
    ]
    if not any(_spaced(way) in _spaced(given) for way in inside for given in (text, html.unescape(text))):
        quoted = f" {content[:SHOWN]!r}" if quote else ""
        raise DataError(f"it does not write all of the {message['role']} message{quoted}")


def _spaced(text: str) -> str:
    return " ".join(text.split())
