"""Does composing the bank at the scale of the papers stay quick and small? 144,000 texts, one at a time."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import value_lens as vl
from value_lens.data import stream

N_TEXTS = 144_000  # twelve values, two languages, 6,000 texts each
MOST_SECONDS, MOST_BYTES, MOST_MIB = 60.0, 5_000_000, 20.0

_PEAK = """
import resource, sys
import value_lens as vl
from value_lens.data import stream
n_texts = sum(1 for _ in stream(vl.LabelledText, "bank", vl.Selection(per_group=int(sys.argv[1]))))
print(n_texts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(per_group):
    """(texts, peak memory in MiB) of a process of its own."""
    made = subprocess.run(
        [sys.executable, "-c", _PEAK, str(per_group)], capture_output=True, text=True, check=True, env={**os.environ}
    )
    n_texts, mebibytes = made.stdout.split()
    return int(n_texts), float(mebibytes)


@pytest.mark.benchmark(group="the bank")
def test_composing(benchmark):
    n_texts = benchmark.pedantic(
        lambda: sum(1 for _ in stream(vl.LabelledText, "bank", vl.Selection(per_group=3000))), rounds=1
    )
    assert n_texts == N_TEXTS
    if benchmark.enabled:
        assert benchmark.stats["min"] < MOST_SECONDS


@pytest.mark.benchmark(group="the bank")
def test_loading_one_split(benchmark):
    """Frames are read from disk once; here their cache is emptied first."""
    from value_lens.data import _bank as bank

    def load():
        bank.frames.cache_clear()
        return vl.load_dilemmas(selection=vl.Selection(per_group=200))

    benchmark.pedantic(load, rounds=3)
    if benchmark.enabled:
        assert benchmark.stats["min"] < 1.0


def test_memory_does_not_grow():
    if "--benchmark-enable" not in sys.argv:
        pytest.skip("measured with --benchmark-enable")
    few, many = peak(100), peak(3000)
    assert (few[0], many[0]) == (4800, N_TEXTS)
    assert many[1] - few[1] < MOST_MIB, f"{few[1]:.0f} MiB for {few[0]} texts, {many[1]:.0f} MiB for {many[0]}"


def test_the_bank_is_small(tmp_path):
    frames = Path(vl.__file__).parent / "corpus" / "frames"
    with tarfile.open(tmp_path / "bank.tar.gz", "w:gz") as packed:
        packed.add(frames)
    assert (tmp_path / "bank.tar.gz").stat().st_size < MOST_BYTES
