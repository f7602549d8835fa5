"""Does the terminal's entry end without a traceback whenever it is interrupted, and start without what it does not need?"""

import json
import os
import signal
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


def _heed_interrupts():
    """Processes in the background of a shell are started deaf to them, and so are their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env=HERE, preexec_fn=_heed_interrupts
    )
    assert done.returncode == 130
    assert "interrupted" in done.stderr and "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


LOADED = """
import contextlib, io, json, runpy, sys
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    runpy.run_module("value_lens", run_name="__main__")
print(json.dumps([name for name in ("typer", "torch", "transformers", "matplotlib", "pandas", "scipy") if name in sys.modules]))
"""


@pytest.mark.parametrize("arguments", [[], ["--help"], ["demo", "--help"], ["generate", "--help"]])
def test_help_loads_no_heavy_library(arguments):
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=HERE)
    assert json.loads(done.stdout) == ["typer"]
