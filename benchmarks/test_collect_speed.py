"""Does collecting cost little more than the bare model, and several times less than caching? Ratios of times in one run."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import pytest
import torch
import workload
from contenders import BARE, BATCHED, BATCHED_FILTERED, COLLECT, ONE, ONE_FILTERED, contenders

from value_lens.model import transformer_lens_version

N_TEXTS = 400
# The tight bar is against the bare model: those two get more rounds. The slow ones take most of the time.
ROUNDS = {BARE: 9, COLLECT: 9, ONE: 2, BATCHED: 2, ONE_FILTERED: 2, BATCHED_FILTERED: 2}
SCHEDULE = [(number, name) for number in range(max(ROUNDS.values())) for name in ROUNDS if number < ROUNDS[name]]


@dataclass(frozen=True)
class Bar:
    """Collecting must take at most `most` times as long as `other`."""

    other: str
    most: float


BARS = (Bar(BARE, 1.25), Bar(ONE, 1 / 4), Bar(BATCHED, 1 / 4))


@pytest.fixture(scope="module")
def runs(folder):
    return contenders(folder, workload.texts(N_TEXTS))


@pytest.fixture(scope="module")
def seconds(table):
    """{name: seconds of each round}; what it holds at the end goes into the table."""
    found = defaultdict(list)
    yield found
    table.extend(describe(found))


@pytest.mark.benchmark(group=f"{N_TEXTS} texts, rounds in turn")
@pytest.mark.parametrize(("number", "contender"), SCHEDULE, ids=[f"{name}, round {number}" for number, name in SCHEDULE])
def test_time(benchmark, runs, seconds, number, contender):
    """One round of one contender. They take turns, so that a busy machine slows all alike."""
    benchmark.pedantic(runs[contender], rounds=1, iterations=1)
    if benchmark.enabled:
        seconds[contender].append(benchmark.stats["min"])


@pytest.mark.parametrize("bar", BARS, ids=lambda bar: bar.other)
def test_bar(seconds, bar):
    """The best round of each is compared: noise only ever adds time."""
    if not {COLLECT, bar.other} <= seconds.keys():
        pytest.skip("no times to compare; run this whole file with --benchmark-enable")
    collect, other = min(seconds[COLLECT]), min(seconds[bar.other])
    assert collect <= bar.most * other, (
        f"collecting took {collect:.2f} s, {collect / other:.2f} times the {other:.2f} s of {bar.other!r}; "
        f"the bar is {bar.most:.2f} times"
    )


def describe(seconds: dict[str, list[float]]) -> list[str]:
    """Seconds, tokens a second and collect's share of each contender's time, with the bars."""
    if COLLECT not in seconds:
        return []
    n_tokens = sum(len(text.text.split()) + 1 for text in workload.texts(N_TEXTS))  # a word is a token, BOS is one more
    most = {bar.other: bar.most for bar in BARS}
    best = min(seconds[COLLECT])
    lines = [
        f"{N_TEXTS} texts, {n_tokens:,} tokens, {len(workload.GROUPS)} groups, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, transformer-lens {transformer_lens_version()}",
        f"{'':28}{'best s':>9}{'median s':>10}{'rounds':>8}{'tokens/s':>10}{'collect / it':>14}{'bar':>8}",
    ]
    for name, found in seconds.items():
        row = f"{name:28}{min(found):9.2f}{median(found):10.2f}{len(found):8}{n_tokens / min(found):10,.0f}"
        lines.append(row + (f"{best / min(found):14.2f}{f'<= {most[name]:.2f}':>8}" if name in most else ""))
    return lines
