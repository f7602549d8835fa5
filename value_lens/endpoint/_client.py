"""A writer is a callable from a conversation to a reply; here, a client of OpenAI-compatible endpoints."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError, ValueLensError
from ._thoughts import UNCLOSED, answer_start


class TransientError(ValueLensError, RuntimeError):
    """A failure that may pass (busy, slow, unreachable); `wait` is how many seconds the other side asked for."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(message)


class RefusedError(ValueLensError, RuntimeError):
    """A conversation that cannot be asked (too long, say), though others can: its item is given up, the run goes on."""


@dataclass(frozen=True)
class Reply:
    """What a writer answered, with the tokens it counted (0 where it does not say), and why there is no answer ("" where there is)."""

    text: str
    n_prompt_tokens: int = 0
    n_reply_tokens: int = 0
    problem: str = ""

    @property
    def answer(self) -> str:
        """What stands behind a thought, or all of it. Raises `DataError` where there is no answer."""
        start = answer_start(self.text)
        if self.problem or start is None:
            raise DataError(self.problem or UNCLOSED)
        return self.text[start:]


Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": text}
Writer = Callable[[Sequence[Message]], "Reply | str"]


class EndpointWriter:
    """A chat model behind any OpenAI-compatible endpoint, through the `openai` client.

    Called with a conversation, it returns a `Reply`; it raises `DataError` for what no retry can mend (a key that is refused or used
    up, an unknown model), `RefusedError` for one conversation that is not accepted, and `TransientError` for the rest.

    Args:
        model: The model's name there.
        base_url: The endpoint's address; None for the client's own default.
        key_variable: The environment variable that holds the key. It is read each time a client is made, is kept nowhere else, and is
            taken out of every error message. Some local servers need none.
        temperature: Sampling temperature.
        max_tokens: The most tokens of a reply, thought and answer together.
        timeout: Seconds until a request without an answer fails.
        template_arguments: Sent as `chat_template_kwargs`, which servers of open models hand to the chat template, such as
            {"enable_thinking": False}.

    Raises:
        DataError: No key for the default endpoint, a key with letters that no key has, or an address that is not one.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_variable: str = "OPENAI_API_KEY",
        temperature: float = 1.0,
        max_tokens: int = 700,
        timeout: float = 60.0,
        template_arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.base_url, self.key_variable = model, base_url, key_variable
        self.temperature, self.max_tokens, self.timeout = temperature, max_tokens, timeout
        self.template_arguments = dict(template_arguments or {})
        if base_url is None and not self._key():
            raise DataError(
                f"the environment variable {key_variable} holds no key; set it, or give base_url for a local server"
            )
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise DataError(f"base_url must begin with http:// or https://, got {base_url!r}")
        if not (self._key().isascii() and self._key().isprintable()):
            raise DataError(f"the environment variable {key_variable} holds letters that no key has")

    def __call__(self, messages: Sequence[Message]) -> Reply:
        openai = _client_library()
        try:
            with self._client(openai) as client:
                completion = client.chat.completions.create(
                    model=self.model,
                    messages=[dict(message) for message in messages],
                    temperature=self.temperature,
                    max_tokens=self.max_tokens,
                    **self._extra(),
                )
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except openai.APIError as error:  # no connection, a timeout, an answer that is no answer
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            raise TransientError(
                self._without_key(f"no answer from the endpoint: {type(error).__name__}: {error}{cause}")
            ) from None
        except ValueError as error:  # the body is not JSON, or not of the protocol
            raise TransientError(self._without_key(f"the endpoint's answer cannot be read: {error}")) from None
        return self._reply(completion)

    def _refusal(self, error: Any) -> Exception:
        """What an HTTP status means: it may pass, it is about this conversation, or nothing will help."""
        problem = self._without_key(f"the endpoint answered {error.status_code}: {error.message}")
        if error.status_code == 429 and getattr(error, "code", None) == "insufficient_quota":
            return DataError(problem)
        if error.status_code in (408, 409, 429) or error.status_code >= 500:
            return TransientError(problem, _seconds(error.response.headers.get("retry-after")))
        return DataError(problem) if error.status_code in (401, 403, 404) else RefusedError(problem)

    def _extra(self) -> dict[str, Any]:
        return {"extra_body": {"chat_template_kwargs": self.template_arguments}} if self.template_arguments else {}

    def _key(self) -> str:
        return os.environ.get(self.key_variable, "").strip()

    def _client(self, openai: Any) -> Any:
        return openai.OpenAI(api_key=self._key() or "none", base_url=self.base_url, timeout=self.timeout, max_retries=0)

    def _reply(self, completion: Any) -> Reply:
        choices = getattr(completion, "choices", None)
        if not choices or not getattr(choices[0], "message", None):
            raise TransientError("the endpoint's answer holds no choices")
        usage = getattr(completion, "usage", None)  # an answer without text, such as a refusal, costs too
        text = choices[0].message.content or ""
        cut_off = (
            not text.strip() and getattr(choices[0], "finish_reason", "") == "length"
        )  # the server keeps the thought to itself
        return Reply(
            text,
            getattr(usage, "prompt_tokens", 0) or 0,
            getattr(usage, "completion_tokens", 0) or 0,
            f"the {self.max_tokens} tokens allowed were used before an answer began (max_tokens); {UNCLOSED}"
            if cut_off
            else "",
        )

    def _without_key(self, text: str) -> str:
        return text.replace(self._key(), "***") if self._key() else text

    def __repr__(self) -> str:
        return f"EndpointWriter(model={self.model!r}, base_url={self.base_url!r}, key_variable={self.key_variable!r})"


def _client_library() -> Any:
    try:
        import openai
    except ImportError:
        raise DataError("writing through an endpoint needs the openai client: pip install 'value-lens[generate]'") from None
    return openai


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or 0))
    except ValueError:  # a date; our own back-off will do
        return 0.0
