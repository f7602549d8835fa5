"""Writing many items without losing or repeating any: tasks, workers, journal, audit."""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, islice, zip_longest
from pathlib import Path
from typing import Any

from ..audit import CorpusAudit, audit_corpus, duplicates, shingles_of
from ..core import AnyRecord, Dilemma, LabelledText, ValueSystem, require_writable, write_json
from ..data import FILES, LANGUAGES, write_jsonl
from ..endpoint import Journal, Writer
from ..errors import DataError, OutputError
from ..systems import chinese_social
from ._desk import Desk, Pace
from ._recipes import Group, Recipe, Task, recipe_named

JOURNAL, SUMMARY = "journal.jsonl", "summary.json"
ROUNDS = 3  # how often duplicates and failures are made up for


@dataclass(frozen=True)
class Cost:
    """Requests and tokens so far, resumed runs included, and their price (per million tokens, in whatever currency).

    What a kill interrupted in the middle of an item is not counted: nothing was written of it.
    """

    n_requests: int = 0
    n_prompt_tokens: int = 0
    n_reply_tokens: int = 0
    prompt_price: float = 0.0
    reply_price: float = 0.0

    @property
    def price(self) -> float:
        return (self.n_prompt_tokens * self.prompt_price + self.n_reply_tokens * self.reply_price) / 1e6


@dataclass(frozen=True)
class Generated:
    """What came of a run: records of each kind, what could not be written and why, duplicates left out, cost, and the audit."""

    records: Sequence[AnyRecord]
    failed: dict[str, str]
    n_duplicates: int
    cost: Cost
    audit: CorpusAudit | None = field(repr=False, default=None)

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]


def generate(
    recipe: "str | Recipe",
    writer: Writer,
    out: str | Path,
    *,
    n_items: int,
    values: Sequence[str] | None = None,
    languages: Sequence[str] = LANGUAGES,
    system: ValueSystem = chinese_social,
    pace: Pace | None = None,
    prices: tuple[float, float] = (0.0, 0.0),
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Have a model write `n_items` items of each (value, aspect, language), checked, without duplicates, and audit them.

    recipe: "dilemma", "pole", "question", or one of your own. writer: takes a conversation, gives a text or a `Reply`. out: a folder;
    its journal lets a killed run go on where it stopped, with no item lost or doubled. Items that fail or repeat earlier ones are made up
    for by further items, up to three times. prices: per million prompt and reply tokens.

    Writes texts.jsonl, dilemmas.jsonl or questions.jsonl, and summary.json. Raises `UnknownNameError`, `OutputError`, and
    `DataError` for what no retry can mend.
    """
    recipe = recipe_named(recipe) if isinstance(recipe, str) else recipe
    if n_items < 1:
        raise DataError(f"n_items is {n_items}; give at least 1")
    values = tuple(values if values is not None else system.names)
    groups = recipe.groups(system, values, languages)
    out = require_writable(out)
    header: dict[str, Any] = {
        "recipe": recipe.name,
        "values": list(values),
        "languages": list(languages),
        "system": system.name,
    }
    fields = [field for step in recipe.steps for field in step.fields]
    _require_own(out)
    with Journal.opened(out / JOURNAL, header, fields) as journal:
        desk = Desk(recipe, writer, journal, pace or Pace())
        tasks = {group: _begun(recipe, system, journal, group) for group in groups}
        unique = {group: _unique(journal, tasks[group]) for group in groups}
        failed: dict[str, str] = {}
        for _ in range(1 + ROUNDS):
            further = [_further(recipe, system, group, tasks[group], n_items - len(unique[group])) for group in groups]
            due = [task for turn in zip_longest(*further) for task in turn if task is not None]
            if not due:
                break
            for task in due:
                tasks[task.group].append(task)
            failed |= desk.write(due, progress)
            unique = {group: _unique(journal, tasks[group]) for group in groups}
        written = sum(task.id in journal.entries for found in tasks.values() for task in found)
        n_duplicates = written - sum(map(len, unique.values()))
        kept = {group: found[:n_items] for group, found in unique.items()}
        records = [record for found in kept.values() for task in found for record in _records(recipe, journal, task)]
        cost = _cost(journal, prices)
        header["written_by"] = dict(Counter(journal.entries[task.id]["by"] for found in kept.values() for task in found))
    return _finished(out, header, records, failed, n_duplicates, cost, n_items * len(groups))


def _require_own(out: Path) -> None:
    """Raise `OutputError` for a folder that has files of the names to be written, but no journal of the run that wrote them."""
    if not os.path.lexists(out / JOURNAL):
        for name in (*FILES.values(), SUMMARY):
            if os.path.lexists(out / name):
                raise OutputError(
                    f"{out / name} is there already, and no journal of a run that wrote it; choose another folder"
                )


def _begun(recipe: Recipe, system: ValueSystem, journal: Journal, group: Group) -> list[Task]:
    """The tasks of a group that an earlier run has finished, by number."""
    start = recipe.task(system, group, 0).id.removesuffix("00000")
    numbers = sorted(int(key.removeprefix(start)) for key in journal.entries if re.fullmatch(re.escape(start) + r"\d+", key))
    return [recipe.task(system, group, number) for number in numbers]


def _further(recipe: Recipe, system: ValueSystem, group: Group, tasks: Sequence[Task], n_tasks: int) -> list[Task]:
    """The next tasks of a group: the lowest numbers that are neither finished nor tried."""
    taken = {task.number for task in tasks}
    numbers = islice((number for number in count() if number not in taken), max(0, n_tasks))
    return [recipe.task(system, group, number) for number in numbers]


def _records(recipe: Recipe, journal: Journal, task: Task) -> list[AnyRecord]:
    return list(recipe.records(task, journal.entries[task.id]["answer"]))


def _unique(journal: Journal, tasks: Sequence[Task]) -> list[Task]:
    """The written tasks of one group that repeat none before them, by number."""
    written = sorted((task for task in tasks if task.id in journal.entries), key=lambda task: task.number)
    whole = [(task.id, " ".join(journal.entries[task.id]["answer"].values())) for task in written]
    if not whole:
        return []
    repeated = {twin for _, twin in duplicates(whole, shingles_of(written[0].language), most_pairs=len(whole)).pairs}
    return [task for task in written if task.id not in repeated]


def _cost(journal: Journal, prices: tuple[float, float]) -> Cost:
    counted = [entry["usage"] for entry in journal.entries.values()]
    n_requests, n_prompt, n_reply = (sum(usage[place] for usage in counted) for place in range(3))
    return Cost(n_requests, n_prompt, n_reply, *prices)


def _finished(
    out: Path,
    header: Mapping[str, Any],
    records: list[AnyRecord],
    failed: dict[str, str],
    n_duplicates: int,
    cost: Cost,
    n_wanted: int,
) -> Generated:
    by_kind: dict[type, list[Any]] = {kind: [record for record in records if isinstance(record, kind)] for kind in FILES}
    for kind, found in by_kind.items():
        if found:
            write_jsonl(out / FILES[kind], found)
    texts, dilemmas = by_kind[LabelledText], by_kind[Dilemma]
    audited = audit_corpus(texts, dilemmas, source=str(header["recipe"])) if texts or dilemmas else None
    summary = {
        **header,
        "n_wanted": n_wanted,
        "n_records": {FILES[kind]: len(found) for kind, found in by_kind.items() if found},
        "n_duplicates_left_out": n_duplicates,
        "failed": failed,
        "cost": {**asdict(cost), "price": cost.price},
        "audit_failures": audited.failures() if audited else [],
    }
    write_json(out / SUMMARY, summary)
    return Generated(records, failed, n_duplicates, cost, audited)
