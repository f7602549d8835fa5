"""One answer from a writer that may be busy, slow or wrong: pace, retries, checks."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from ..endpoint import Journal, RefusedError, Reply, TransientError, Writer
from ..errors import DataError, ValueLensError
from ._recipes import Answer, Recipe, Step, Task, checked, messages


@dataclass(frozen=True)
class Pace:
    """How a writer is treated. workers: conversations at one time; per_minute: requests, None for no limit; attempts: requests for
    one answer before it is given up; first_wait, longest_wait: seconds of the back-off, which doubles, with some chance in it."""

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


@dataclass
class _Usage:
    """Requests, prompt tokens and reply tokens of one task."""

    counted: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, reply: Reply) -> None:
        for place, count in enumerate((0, reply.n_prompt_tokens, reply.n_reply_tokens)):
            self.counted[place] += count


HOPELESS = 10  # items that fail before any succeeds, after which the rest is not tried
QUOTED = 600  # letters of a bad answer that are shown with the request to answer again


class GivenUp(Exception):
    """Every attempt at one answer failed; the message is the last problem."""


class Desk:
    """Works through tasks with a writer and puts each finished one into the journal."""

    def __init__(self, recipe: Recipe, writer: Writer, journal: Journal, pace: Pace) -> None:
        self.recipe, self.writer, self.journal, self.pace = recipe, writer, journal, pace
        self._stopped, self._lock, self._next = threading.Event(), threading.Lock(), 0.0
        self._written = False

    def write(self, tasks: Sequence[Task], progress: Callable[[int, int], None] | None = None) -> dict[str, str]:
        """Write the tasks that the journal lacks; what was given up comes back as {task id: last problem}.

        A problem that no retry can mend, and a beginning in which nothing succeeds, stops the others and is raised; what is finished
        stays in the journal.
        """
        due = [task for task in tasks if task.id not in self.journal.entries]
        failed: dict[str, str] = {}
        done = len(tasks) - len(due)
        with ThreadPoolExecutor(self.pace.workers) as pool:
            try:
                running = {pool.submit(self._task, task): task for task in due}
                for finished in as_completed(running):
                    try:
                        finished.result()
                        self._written = True
                    except GivenUp as error:
                        failed[running[finished].id] = str(error)
                        if not self._written and len(failed) >= HOPELESS:
                            raise DataError(f"the first {len(failed)} items all failed, the last because: {error}") from None
                    done += 1
                    if progress is not None:
                        progress(done, len(tasks))
            except BaseException:  # an interrupt, too: nobody is to wait for the rest
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return failed

    def _task(self, task: Task) -> None:
        usage, answer = _Usage(), Answer()
        try:
            for step in self.recipe.steps:
                answer |= self._step(task, step, answer, usage)
        except BaseException as error:
            if not isinstance(error, GivenUp):
                self._stopped.set()
            if usage.counted[0]:  # what was spent on it counts
                mark = f"{task.id}/given-up/{time.time_ns()}"
                self.journal.add({"id": mark, "problem": f"{type(error).__name__}: {error}", "usage": usage.counted})
            raise
        self.journal.add({"id": task.id, "answer": answer, "usage": usage.counted, "by": name_of(self.writer)})

    def _step(self, task: Task, step: Step, earlier: Answer, usage: _Usage) -> Answer:
        asked = messages(task, step, earlier)
        problem, conversation = "", asked
        for attempt in range(self.pace.attempts):
            self._wait_for_turn()
            usage.counted[0] += 1
            pause = 0.0
            try:
                found = self.writer(conversation)
                reply = Reply(found) if isinstance(found, str) else found
                usage.add(reply)
            except RefusedError as error:
                raise GivenUp(str(error)) from None
            except Exception as error:
                if not _may_pass(error):
                    raise
                problem, pause = str(error) or type(error).__name__, getattr(error, "wait", 0.0)
                backed_off = min(self.pace.longest_wait, self.pace.first_wait * 2**attempt) * random.uniform(0.5, 1.0)
                if attempt + 1 < self.pace.attempts:
                    self._rest(max(pause, backed_off))
                continue
            try:
                return checked(reply.answer, step, task)
            except DataError as error:
                problem = str(error)
                again = f"That answer cannot be used: {problem}. Answer again, as asked."
                conversation = [
                    *asked,
                    {"role": "assistant", "content": _quoted(reply)},
                    {"role": "user", "content": again},
                ]
        raise GivenUp(problem)

    def _wait_for_turn(self) -> None:
        """Requests of all workers together keep the pace."""
        if self.pace.per_minute is not None:
            with self._lock:
                turn = max(time.monotonic(), self._next)
                self._next = turn + 60 / self.pace.per_minute
            self._rest(turn - time.monotonic())
        if self._stopped.is_set():
            raise GivenUp("stopped")

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._stopped.wait(seconds)


def name_of(writer: Writer) -> str:
    """The model's name where a writer has one, else the name of the callable."""
    names = (getattr(writer, "model", ""), getattr(writer, "__name__", ""), type(writer).__name__)
    return next(name for name in names if isinstance(name, str) and name)


def _quoted(reply: Reply) -> str:
    """A bad answer as it is shown to its writer again: its beginning, without the thought before it."""
    try:
        return reply.answer[:QUOTED].strip() or "(no answer)"
    except DataError:
        return "(no answer)"


def _may_pass(error: Exception) -> bool:
    """Whether to ask again: what a writer calls transient, and failures of the network under any other callable."""
    return isinstance(error, TransientError) or (isinstance(error, OSError) and not isinstance(error, ValueLensError))
