"""What stands in the folder of a run? The names of its files, what is in their way, and how those of an earlier run go."""

import hashlib
import re
from pathlib import Path

from . import store
from .errors import OutputError

SUMMARY, STATS, MATRIX, LAYERS = "summary.json", "stats.safetensors", "matrix.csv", "layers.png"
NEURONS = "neurons"
WRITTEN = (SUMMARY, MATRIX, STATS, LAYERS, "effects_*.png", f"{NEURONS}/*.json")  # the summary first: it speaks for the others


def require_free(folder: str | Path) -> None:
    """Make the folder of a run. Raises `OutputError` when it cannot be written, or when something has a name that the run needs."""
    folder = store.require_writable(folder)
    for path in _earlier(folder):
        if path.is_dir():
            raise OutputError(f"{path} is a folder, but a run writes a file of that name; move it, or choose another folder")
    neurons = folder / NEURONS
    if neurons.is_dir():
        store.require_writable(neurons)
    elif neurons.exists():
        raise OutputError(f"{neurons} is a file, but a run writes a folder of that name; move it, or choose another folder")


def clear(folder: str | Path) -> None:
    """Take away what an earlier run wrote, so that a folder never holds files of two. Other files stay."""
    for path in _earlier(Path(folder)):
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"cannot replace {path}: {error.strerror or error}; choose another folder") from error


def _earlier(folder: Path) -> list[Path]:
    return [path for name in WRITTEN for path in sorted(folder.glob(name))]


def picture_of(language: str) -> str:
    return f"effects_{file_name(language)}.png"


def neurons_of(value: str) -> str:
    return f"{NEURONS}/{file_name(value)}.json"


def file_name(name: str) -> str:
    """A value's name as a file name: letters, digits, dot, dash, underscore; anything else is replaced, marked by a short hash.

    >>> file_name("rule_of_law"), file_name("Do not kill").startswith("Do_not_kill-")
    ('rule_of_law', True)
    """
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).strip(".") or "_"
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
