"""Does memory grow with the corpus? Peak of a whole process, model load included, at 400 and at 4,000 texts."""

import subprocess
import sys
from pathlib import Path

import pytest

FEW, MANY, MOST = 400, 4_000, 1.05
SCRIPT = Path(__file__).with_name("collect_once.py")

# A child's ru_maxrss starts at the peak of the process that spawned it, here a pytest with models loaded. So a small process
# in between spawns it and reads the peak of its children.
RELAY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_mib(command: list[str]) -> float:
    """Peak resident memory of a command's process, in MiB. Raises `AssertionError` with its last words when it fails."""
    done = subprocess.run([sys.executable, "-c", RELAY, *command], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes on macOS, KiB on Linux
    return int(done.stdout.split()[-1]) / unit


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is not on Windows")
def test_peak_does_not_grow(folder, table):
    # The allocator's luck only ever adds, some tens of MiB: the least of three processes is compared.
    peaks = [[peak_mib([sys.executable, str(SCRIPT), str(folder), str(n)]) for _ in range(3)] for n in (FEW, MANY)]
    few, many = map(min, peaks)
    table.append(
        f"peak memory: {few:,.0f} MiB at {FEW} texts, {many:,.0f} MiB at {MANY:,}; ratio {many / few:.3f}, bar <= {MOST:.2f}"
    )
    assert many <= MOST * few, (
        f"{MANY:,} texts took {many:,.0f} MiB at the peak, {many / few:.2f} times the {few:,.0f} MiB of {FEW} texts; "
        f"the bar is {MOST:.2f}"
    )
