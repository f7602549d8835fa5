"""Loading a user's Python file that registers strategies of its own."""

import importlib.util
import os
import sys
import traceback
from pathlib import Path

from ..errors import StrategyError
from ._registry import Entry, entries_now, forget, put_back

_LOADED: dict[Path, str] = {}  # {file: the name of its module}


def load_strategies(path: str | Path) -> tuple[Entry, ...]:
    """Run a Python file that registers methods, interventions or measures; they are then known by name everywhere.

    A file that is loaded again replaces what it registered before. A file that fails leaves nothing behind.

    Args:
        path: the file, such as "my_method.py".

    Returns:
        The entries that it registered.

    Raises:
        StrategyError: when the file cannot be read or run, or registers nothing; it names the file, the line and the error.
    """
    file = Path(path).resolve()
    if not os.path.isfile(file) or file.suffix != ".py":
        raise StrategyError(f"{path} is not a Python file; give one that registers a method, an intervention or a measure")
    name = _LOADED.get(file, f"{file.stem}_file_{len(_LOADED) + 1}")
    before = entries_now()
    forget(name)
    others = {id(entry) for entries in entries_now() for entry in entries.values()}
    try:
        _run(file, name)
    except (Exception, SystemExit) as error:
        put_back(before)
        raise StrategyError(f"{path}{_line(error, file)} cannot be used: {type(error).__name__}: {error}") from error
    registered = tuple(entry for entries in entries_now() for entry in entries.values() if id(entry) not in others)
    if not registered:
        put_back(before)
        raise StrategyError(f"{path} registers nothing; decorate a function, e.g. with @value_lens.methods.register('name')")
    _LOADED[file] = name
    return registered


def _run(file: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("Python has no loader for it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as `import` does: dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise


def _line(error: BaseException, file: Path) -> str:
    """Where in the file the error arose: ", line 3"; "" where Python does not say."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.lineno else ""
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f", line {frames[-1]}" if frames else ""
