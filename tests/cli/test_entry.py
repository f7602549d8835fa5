"""Does the terminal's entry end without a traceback whenever it is interrupted?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import value_lens

HERE = {**os.environ, "PYTHONPATH": str(Path(value_lens.__file__).parents[1])}  # of a process in another folder

INTERRUPTING = """
import os, runpy, signal, sys
name, *sys.argv[1:] = sys.argv[1:]

class Interrupt:
    def find_spec(self, wanted, path=None, target=None):
        if wanted == name:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
runpy.run_module("value_lens", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("imported", "arguments"),
    [
        ("value_lens.cli", ["--help"]),
        ("rich", ["--help"]),
        ("torch", ["values"]),
        ("torch", ["run", "--help"]),
        ("value_lens.study", ["run", "--model", "x", "--out", "y"]),
        ("torch", ["demo", "--out", "y"]),
        ("transformers", ["audit", "bank"]),
    ],
)
def test_an_interrupt_while_a_library_loads_ends_quietly(imported, arguments, tmp_path):
    """The signal comes from inside the import of that module, as Ctrl-C does."""
    command = [sys.executable, "-c", INTERRUPTING, imported, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env=HERE)
    assert done.returncode == 130
    assert "interrupted" in done.stderr and "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
