"""The state of a corpus while it is written: tasks, answers in the journal, duplicates, failures."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import count, islice, zip_longest

from ..audit import duplicates, shingles_of
from ..core import AnyRecord
from ..endpoint import Cost, Journal, Prices
from ._plan import CorpusPlan
from .recipes import Group, Recipe, Task


class Campaign:
    """One corpus by a recipe and a plan; what is finished stands in the journal, so that a killed run can go on."""

    def __init__(self, recipe: Recipe, plan: CorpusPlan, journal: Journal) -> None:
        self.recipe, self.plan, self.journal = recipe, plan, journal
        self.failures: dict[str, str] = {}  # {task id: last problem}
        self._tasks: dict[Group, list[Task]] = {group: self._finished_tasks(group) for group in plan.groups(recipe)}
        self._unique = self._without_duplicates()

    def next_tasks(self) -> list[Task]:
        """Tasks that make up for what is missing, the groups in turn; none when every group is complete."""
        new_tasks = [self._new_tasks(group) for group in self._tasks]
        due = [task for turn in zip_longest(*new_tasks) for task in turn if task is not None]
        for task in due:
            self._tasks[task.group].append(task)
        return due

    def add_results(self, failures: dict[str, str]) -> None:
        """Take notice of what the journal holds now, and of the tasks that failed."""
        self.failures |= failures
        self._unique = self._without_duplicates()

    @property
    def n_wanted(self) -> int:
        """Items that the plan asks for, of all groups together."""
        return self.plan.n_items * len(self._tasks)

    @property
    def n_duplicates(self) -> int:
        """Items that were written and repeat earlier ones of their group."""
        n_written = sum(task.id in self.journal.entries for tasks in self._tasks.values() for task in tasks)
        return n_written - sum(map(len, self._unique.values()))

    @property
    def items(self) -> list[Task]:
        """The tasks whose items make up the corpus, group by group."""
        return [task for tasks in self._unique.values() for task in tasks[: self.plan.n_items]]

    @property
    def records(self) -> list[AnyRecord]:
        """The records of the corpus, group by group."""
        entries = self.journal.entries
        return [record for task in self.items for record in self.recipe.records(task, entries[task.id]["answer"])]

    @property
    def written_by(self) -> dict[str, int]:
        """How many items of the corpus each writer wrote."""
        return dict(Counter(self.journal.entries[task.id]["by"] for task in self.items))

    def cost(self, prices: Prices) -> Cost:
        """What was spent so far, in earlier runs too."""
        return Cost.of_usages((entry["usage"] for entry in self.journal.entries.values()), prices)

    def _finished_tasks(self, group: Group) -> list[Task]:
        """The tasks of a group that an earlier run has finished, by number."""
        start = self._task(group, 0).id.removesuffix("00000")
        pattern = re.compile(re.escape(start) + r"\d+")
        numbers = sorted(int(key.removeprefix(start)) for key in self.journal.entries if pattern.fullmatch(key))
        return [self._task(group, number) for number in numbers]

    def _new_tasks(self, group: Group) -> list[Task]:
        """The next tasks of a group: the lowest numbers that are neither finished nor tried."""
        used_numbers = {task.number for task in self._tasks[group]}
        n_missing = max(0, self.plan.n_items - len(self._unique[group]))
        return [self._task(group, number) for number in islice((n for n in count() if n not in used_numbers), n_missing)]

    def _task(self, group: Group, number: int) -> Task:
        return self.recipe.task(self.plan.system, group, number)

    def _without_duplicates(self) -> dict[Group, list[Task]]:
        return {group: self._unique_tasks(tasks) for group, tasks in self._tasks.items()}

    def _unique_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        """The written tasks of one group that repeat none before them, by number."""
        entries = self.journal.entries
        written = sorted((task for task in tasks if task.id in entries), key=lambda task: task.number)
        texts = [(task.id, " ".join(entries[task.id]["answer"].values())) for task in written]
        if not texts:
            return []
        repeated = {twin for _, twin in duplicates(texts, shingles_of(written[0].language), most_pairs=len(texts)).pairs}
        return [task for task in written if task.id not in repeated]
