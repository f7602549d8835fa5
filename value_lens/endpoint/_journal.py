"""An append-only journal, one line per finished item, readable after a kill."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from ..core import canonical_json, holds_half_pair, parse_json
from ..errors import DataError, OutputError


class Journal:
    """Finished items by id. `add` returns when the line is on disk; a torn last line (from a kill) is cut off on opening.

    Open it with `Journal.open(path, header, fields)`, which locks it against a second process and checks that `header` (what is being
    generated) is the one it was begun with, and that every answer has the `fields` that the recipe asks for. A file that is no journal
    is left as it is.
    """

    def __init__(self, path: Path, file: Any, entries: dict[str, dict[str, Any]]) -> None:
        self.path, self._file, self.entries, self._lock = path, file, entries, Lock()

    @staticmethod
    @contextmanager
    def open(path: str | Path, header: Mapping[str, Any], fields: Sequence[str] = ()) -> Iterator["Journal"]:
        """Raises `OutputError` when it cannot be written or is in use, `DataError` when it belongs to another job, is damaged, or is no
        journal at all."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except (OSError, ValueError) as error:  # ValueError: NUL in a name
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"cannot write {path}: {reason}; choose a folder you can write to") from error
        with file:
            _lock(file, path)
            header_entry = {"journal": dict(header)}
            lines = _complete_lines(file, path, (canonical_json(header_entry) + "\n").encode())
            if not lines:
                _append(file, header_entry)
            elif (header_in_file := _parse_line(lines[0], path, 1)["journal"]) != parse_json(canonical_json(dict(header))):
                raise DataError(
                    f"{path} was begun for another job: {header_in_file}; now asked: {dict(header)}. Choose another folder"
                )
            entries: dict[str, dict[str, Any]] = {}
            for number, line in enumerate(lines[1:], start=2):
                entry = _parse_entry(line, path, number, fields)
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


def _complete_lines(file: Any, path: Path, header_line: bytes) -> list[bytes]:
    """The lines that were written to their end. What a kill tore is cut off, but only where the file is known for a journal."""
    file.seek(0)
    content = file.read()
    complete = content[: content.rfind(b"\n") + 1]
    if len(complete) < len(content):
        if complete:
            _parse_line(complete.partition(b"\n")[0], path, 1)
        elif not header_line.startswith(content):
            raise DataError(f"{path} is not the journal of a corpus; it is left as it is: choose another folder")
        file.truncate(len(complete))
    return complete.split(b"\n")[:-1]


def _parse_line(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        content = parse_json(line.decode())
    except ValueError:
        content = None
    if not isinstance(content, dict) or (number == 1 and not isinstance(content.get("journal"), dict)):
        advice = "remove the line to have its item written again"
        if number == 1:
            advice = "it is not the header of a journal, so the file is left as it is; choose another folder"
        raise DataError(f"{path}, line {number}: damaged; {advice}")
    return content


def _parse_entry(line: bytes, path: Path, number: int, fields: Sequence[str]) -> dict[str, Any]:
    """An item that was finished, or what was spent on one that was given up."""
    entry = _parse_line(line, path, number)
    if not _is_entry(entry, fields):
        raise DataError(f"{path}, line {number}: damaged; remove the line to have its item written again")
    return entry


def _is_entry(entry: Mapping[str, Any], fields: Sequence[str]) -> bool:
    usage, answer = entry.get("usage"), entry.get("answer")
    has_usage = isinstance(usage, list) and len(usage) == 3 and all(type(count) is int and count >= 0 for count in usage)
    if not (_is_text(entry.get("id")) and has_usage):
        return False
    if answer is None:
        return isinstance(entry.get("problem"), str)
    has_answer = isinstance(answer, dict) and all(map(_is_text, answer.values())) and all(name in answer for name in fields)
    return has_answer and _is_text(entry.get("by"))


def _is_text(content: object) -> bool:
    return isinstance(content, str) and bool(content.strip()) and not holds_half_pair(content)


def _lock(file: Any, path: Path) -> None:
    with suppress(ImportError):  # only where the system has it
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"{path} is in use by another run; wait for it, or choose another folder") from None
