"""What has been written already? An append-only file with one line a finished item, whole even after a kill."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from ...errors import DataError, OutputError
from ...store import canonical_json


class Journal:
    """Finished items by id. `add` returns when the line is on disk; a torn last line (from a kill) is cut off on opening.

    Open it with `Journal.opened(path, header)`, which locks it against a second process and checks that `header` (what is being
    generated) is the one it was begun with.
    """

    def __init__(self, path: Path, file: Any, entries: dict[str, dict[str, Any]]) -> None:
        self.path, self._file, self.entries, self._lock = path, file, entries, Lock()

    @staticmethod
    @contextmanager
    def opened(path: str | Path, header: Mapping[str, Any]) -> Iterator["Journal"]:
        """Raises `OutputError` when it cannot be written or is in use, `DataError` when it belongs to another job or is damaged."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}; choose a folder you can write to") from error
        with file:
            _lock(file, path)
            lines = _whole_lines(file)
            if not lines:
                _append(file, {"journal": dict(header)})
            elif (begun := _parsed(lines[0], path, 1).get("journal")) != json.loads(canonical_json(dict(header))):
                raise DataError(f"{path} was begun for another job: {begun}; now asked: {dict(header)}. Choose another folder")
            entries: dict[str, dict[str, Any]] = {}
            for number, line in enumerate(lines[1:], start=2):
                entry = _parsed(line, path, number)
                entries.setdefault(entry["id"], entry)
            yield Journal(path, file, entries)

    def add(self, entry: dict[str, Any]) -> None:
        """Keep one finished item. An id that is there already is not written twice."""
        with self._lock:
            if entry["id"] not in self.entries:
                _append(self._file, entry)
                self.entries[entry["id"]] = entry


def _append(file: Any, entry: Mapping[str, Any]) -> None:
    file.write((canonical_json(entry) + "\n").encode())
    file.flush()
    os.fsync(file.fileno())


def _whole_lines(file: Any) -> list[bytes]:
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.truncate(len(whole))
    return whole.splitlines()


def _parsed(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not ("id" in found or "journal" in found):
        mend = "remove the line to have its item written again" if number > 1 else "it is the header; begin in another folder"
        raise DataError(f"{path}, line {number}: damaged; {mend}")
    return found


def _lock(file: Any, path: Path) -> None:
    with suppress(ImportError):  # only where the system has it
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"{path} is in use by another run; wait for it, or choose another folder") from None
