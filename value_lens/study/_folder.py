"""The files of a run's folder: their names, checks before a run, and removal of an earlier run's files."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from ..core import _store as store
from ..core import parse_json
from ..errors import OutputError

SUMMARY, STATS, MATRIX, LAYERS = "summary.json", "stats.safetensors", "matrix.csv", "layers.png"
NEURONS = "neurons"
WRITTEN = (SUMMARY, MATRIX, STATS, LAYERS, "effects_*.png", f"{NEURONS}/*.json")  # the summary first: it speaks for the others
LONGEST = 80  # letters of a name that become a file's


def require_free(folder: str | Path) -> None:
    """Make the folder of a run. Raises `OutputError` when it cannot be written, or when something has a name that the run needs: a
    folder, or a file that no run wrote, which would be lost."""
    folder = store.require_writable(folder)
    neurons = folder / NEURONS
    if os.path.isdir(neurons):
        store.require_writable(neurons)
    elif os.path.lexists(neurons):
        raise OutputError(f"{neurons} is a file, but a run writes a folder of that name; move it, or choose another folder")
    earlier_files = _files_of_earlier_run(folder)
    for path in earlier_files:
        if os.path.isdir(path):
            raise OutputError(f"{path} is a folder, but a run writes a file of that name; move it, or choose another folder")
    for path in earlier_files:
        if not _is_of_a_run(path, earlier_files):
            raise OutputError(f"{path} is there already, and no run wrote it; move it, or choose another folder")


def clear(folder: str | Path) -> None:
    """Take away what an earlier run wrote, so that a folder never holds files of two. Other files stay."""
    for path in _files_of_earlier_run(Path(folder)):
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"cannot replace {path}: {error.strerror or error}; choose another folder") from error


def _files_of_earlier_run(folder: Path) -> list[Path]:
    return [path for name in WRITTEN for path in sorted(folder.glob(name))]


def _is_of_a_run(path: Path, siblings: Sequence[Path]) -> bool:
    """Whether a file reads as a run writes it; a picture is a run's where one of its other files stands beside it."""
    if path.suffix == ".png":
        return any(other.suffix != ".png" and _is_of_a_run(other, ()) for other in siblings)
    if path.name not in (SUMMARY, MATRIX):
        return store.is_artefact(path)
    try:
        content = path.read_bytes().decode()
        if path.name == MATRIX:
            return content.startswith("language,ablated,evaluated,")
        summary = parse_json(content)
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and {"model", "corpus", "ablation"} <= summary.keys()


def picture_of(language: str) -> str:
    return f"effects_{file_name(language)}.png"


def neurons_of(value: str) -> str:
    return f"{NEURONS}/{file_name(value)}.json"


def file_name(name: str) -> str:
    """A value's name as a file name: letters, digits, dot, dash, underscore; a longer name is cut, anything else replaced, marked by a
    short hash.

    >>> file_name("rule_of_law"), file_name("Do not kill").startswith("Do_not_kill-")
    ('rule_of_law', True)
    """
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).strip(".")[:LONGEST] or "_"
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]
    return safe if safe == name else f"{safe}-{mark}"
