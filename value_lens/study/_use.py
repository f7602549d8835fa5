"""Loading the user's files that register strategies, each once."""

import os
from collections.abc import Iterable
from pathlib import Path

from ..core import load_strategies

_CHANGE_TIMES: dict[Path, int] = {}  # {file: the time of its last change}


def load_used(paths: Iterable[str]) -> None:
    """Load files of strategies; one that is loaded already is loaded again only after a change.

    Args:
        paths: Python files that register methods, interventions or measures.

    Raises:
        StrategyError: A file cannot be used; it is named.
    """
    for path in paths:
        file = Path(path).resolve()
        change_time = file.stat().st_mtime_ns if os.path.isfile(file) else None
        if change_time is None or _CHANGE_TIMES.get(file) != change_time:
            load_strategies(path)
            _CHANGE_TIMES[file] = change_time or 0
