"""The worker pool: works through tasks with a writer, and puts each finished one into the journal."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from ..endpoint import GivenUpError, Journal, Requester, Usage
from ..errors import DataError
from .recipes import Answer, Recipe, Task, check_answer, messages

HOPELESS = 10  # items that fail before any succeeds, after which the rest is not tried
Progress = Callable[[int, int], None]


class WorkerPool:
    """Writes tasks of one recipe; what is finished stands in the journal."""

    def __init__(self, recipe: Recipe, requester: Requester, journal: Journal) -> None:
        self.recipe, self.requester, self.journal = recipe, requester, journal
        self._any_written = False

    def write(self, tasks: Sequence[Task], progress: Progress | None = None) -> dict[str, str]:
        """Write the tasks that the journal lacks; what was given up comes back as {task id: last problem}.

        A problem that no retry can mend, and a beginning in which nothing succeeds, stops the others and is raised; what is finished
        stays in the journal.
        """
        due = [task for task in tasks if task.id not in self.journal.entries]
        failures: dict[str, str] = {}
        n_done = len(tasks) - len(due)
        with ThreadPoolExecutor(self.requester.policy.workers) as pool:
            try:
                running = {pool.submit(self._write_one, task): task for task in due}
                for finished in as_completed(running):
                    try:
                        finished.result()
                        self._any_written = True
                    except GivenUpError as error:
                        failures[running[finished].id] = str(error)
                        if not self._any_written and len(failures) >= HOPELESS:
                            raise DataError(f"the first {len(failures)} items all failed, the last because: {error}") from None
                    n_done += 1
                    if progress is not None:
                        progress(n_done, len(tasks))
            except BaseException:  # an interrupt, too: nobody is to wait for the rest
                self.requester.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return failures

    def _write_one(self, task: Task) -> None:
        usage, answer = Usage(), Answer()
        try:
            for step in self.recipe.steps:
                conversation = messages(task, step, answer)
                answer |= self.requester.ask(conversation, lambda text, step=step: check_answer(text, step, task), usage)
        except BaseException as error:
            if not isinstance(error, GivenUpError):
                self.requester.stop()
            if usage.n_requests:  # what was spent on it counts
                mark = f"{task.id}/given-up/{time.time_ns()}"
                problem = f"{type(error).__name__}: {error}"
                self.journal.add({"id": mark, "problem": problem, "usage": usage.counts})
            raise
        self.journal.add({"id": task.id, "answer": answer, "usage": usage.counts, "by": self.requester.writer_name})
