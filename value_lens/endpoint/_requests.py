"""Requests to a writer that may be busy, slow or wrong: rate limit, retries with back-off, checked answers."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..errors import DataError, ValueLensError
from ._client import Message, RefusedError, Reply, TransientError, Writer
from ._cost import Usage

N_QUOTED = 600  # letters of a bad answer that are shown with the request to answer again
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class RequestPolicy:
    """Workers, rate limit and retries of requests to a writer.

    Args:
        workers: Conversations at one time.
        per_minute: Requests a minute, of all workers together; None for no limit.
        attempts: Requests for one answer before it is given up.
        first_wait: Seconds before the second attempt; they double with each further one, times a random factor from 0.5 to 1.
        longest_wait: The most seconds of that back-off; a writer that asks for a longer wait gets it.

    Raises:
        DataError: Fewer than one worker or attempt, a rate that is not above 0, or waits out of order.
    """

    workers: int = 4
    per_minute: float | None = None
    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def __post_init__(self) -> None:
        if self.workers < 1 or self.attempts < 1 or (self.per_minute is not None and self.per_minute <= 0):
            raise DataError(f"workers and attempts must be at least 1 and per_minute above 0, got {self}")
        if not 0 <= self.first_wait <= self.longest_wait:
            raise DataError(f"first_wait must lie between 0 and longest_wait, got {self.first_wait} and {self.longest_wait}")

    def back_off(self, attempt: int) -> float:
        """Seconds to wait after a failed attempt (from 0 on)."""
        return min(self.longest_wait, self.first_wait * 2**attempt) * random.uniform(0.5, 1.0)


class GivenUpError(Exception):
    """Every attempt at one answer failed; the message is the last problem."""


class Requester:
    """Asks a writer by a policy; several threads may share one, and keep its rate together."""

    def __init__(self, writer: Writer, policy: RequestPolicy) -> None:
        self.writer, self.policy = writer, policy
        self._stopped, self._lock, self._next = threading.Event(), threading.Lock(), 0.0

    @property
    def writer_name(self) -> str:
        """The model's name where the writer has one, else the name of the callable."""
        writer = self.writer
        names = (getattr(writer, "model", ""), getattr(writer, "__name__", ""), type(writer).__name__)
        return next(name for name in names if isinstance(name, str) and name)

    def stop(self) -> None:
        """End all waiting; every later request raises `GivenUpError`."""
        self._stopped.set()

    def ask(self, messages: Sequence[Message], check: Callable[[str], Result], usage: Usage) -> Result:
        """The checked answer to a conversation.

        Args:
            messages: The conversation.
            check: What makes a result of the answer's text; it raises `DataError` for a bad one, which the writer is told.
            usage: Where requests and tokens are counted.

        Returns:
            What `check` returns.

        Raises:
            GivenUpError: The conversation was refused, or every attempt failed.
            Exception: Whatever else the writer raises, which no retry can mend.
        """
        problem, conversation = "", list(messages)
        for attempt in range(self.policy.attempts):
            self._wait_for_turn()
            usage.n_requests += 1
            try:
                answer = self.writer(conversation)
                reply = Reply(answer) if isinstance(answer, str) else answer
                usage.add(reply)
            except RefusedError as error:
                raise GivenUpError(str(error)) from None
            except Exception as error:
                if not _is_transient(error):
                    raise
                problem = str(error) or type(error).__name__
                if attempt + 1 < self.policy.attempts:
                    self._sleep(max(getattr(error, "wait", 0.0), self.policy.back_off(attempt)))
                continue
            try:
                return check(reply.answer)
            except DataError as error:
                problem = str(error)
                correction = f"That answer cannot be used: {problem}. Answer again, as asked."
                conversation = [
                    *messages,
                    {"role": "assistant", "content": _excerpt(reply)},
                    {"role": "user", "content": correction},
                ]
        raise GivenUpError(problem)

    def _wait_for_turn(self) -> None:
        """Requests of all workers together keep the rate."""
        if self.policy.per_minute is not None:
            with self._lock:
                turn = max(time.monotonic(), self._next)
                self._next = turn + 60 / self.policy.per_minute
            self._sleep(turn - time.monotonic())
        if self._stopped.is_set():
            raise GivenUpError("stopped")

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._stopped.wait(seconds)


def _excerpt(reply: Reply) -> str:
    """A bad answer as it is shown to its writer again: its beginning, without the thought before it."""
    try:
        return reply.answer[:N_QUOTED].strip() or "(no answer)"
    except DataError:
        return "(no answer)"


def _is_transient(error: Exception) -> bool:
    """Whether to ask again: what a writer calls transient, and failures of the network under any other callable."""
    return isinstance(error, TransientError) or (isinstance(error, OSError) and not isinstance(error, ValueLensError))
