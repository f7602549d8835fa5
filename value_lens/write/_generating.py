"""Writing a corpus with a model, without losing or repeating any item."""

from collections.abc import Callable
from pathlib import Path

from ..core import require_writable
from ..endpoint import Journal, Prices, Requester, RequestPolicy, Writer
from ._campaign import Campaign
from ._generated import JOURNAL, Generated, require_own_folder, write_corpus
from ._plan import CorpusPlan
from ._worker_pool import WorkerPool
from .recipes import Recipe, recipe_named

ROUNDS = 3  # how often duplicates and failures are made up for


def generate(
    recipe: str | Recipe,
    writer: Writer,
    out: str | Path,
    plan: CorpusPlan,
    *,
    policy: RequestPolicy = RequestPolicy(),
    prices: Prices = Prices(),
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Have a model write a corpus by a recipe, checked, without duplicates, and audit it.

    Writes texts.jsonl, dilemmas.jsonl or questions.jsonl, and summary.json. The folder's journal lets a killed run go on where it
    stopped, with no item lost or doubled. Items that fail or repeat earlier ones are made up for by further items, up to three times.

    Args:
        recipe: "dilemma", "pole", "question", or one of your own.
        writer: A callable from a conversation to a text or a `Reply`, such as `EndpointWriter` or `local_writer(model)`.
        out: The folder of the corpus.
        plan: How many items of which values, in which languages.
        policy: Workers, rate limit and retries.
        prices: Prices of a million tokens, for the cost.
        progress: Called with the number of finished items and of all.

    Returns:
        The records, what could not be written, the cost and the audit.

    Raises:
        UnknownNameError: A recipe or a value that does not exist.
        OutputError: A folder that cannot be written to, is in use, or holds a corpus without its journal.
        DataError: Values or languages that are missing or repeated, a journal of another job, and what no retry can mend.

    Source:
        The recipes follow ValueExploration (arXiv 2504.04994) and ValueLocate (arXiv 2505.17712).
    """
    recipe = recipe_named(recipe) if isinstance(recipe, str) else recipe
    plan.groups(recipe)  # raises before anything is written
    out = require_writable(out)
    require_own_folder(out)
    header = plan.header(recipe)
    fields = [field for step in recipe.steps for field in step.fields]
    with Journal.open(out / JOURNAL, header, fields) as journal:
        campaign = Campaign(recipe, plan, journal)
        pool = WorkerPool(recipe, Requester(writer, policy), journal)
        for _ in range(1 + ROUNDS):
            tasks = campaign.next_tasks()
            if not tasks:
                break
            campaign.add_results(pool.write(tasks, progress))
    return write_corpus(out, header, campaign, prices)
