"""Rows in and out: files, data sets, tables and lists, each row with its place."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core import AnyRecord, RepeatedField, parse_json, require_sound, write_atomically
from ..errors import DataError, UnknownNameError, quoted
from ._delimited import delimited_rows
from ._rows import Malformed, Row, Where, require_names_once
from ._workbooks import parquet_rows, workbook_rows

__all__ = [
    "SUFFIXES",
    "Malformed",
    "Row",
    "Where",
    "hub_folder",
    "hub_rows",
    "read_rows",
    "rows_of",
    "to_dataset",
    "to_frame",
    "write_jsonl",
]

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".parquet")
_OFFLINE = (
    "Offline: download it where there is a network and give the path of the files ({}), "
    "or of a folder made with Dataset.save_to_disk"
).format(", ".join(SUFFIXES))


def read_rows(path: str | Path, header: tuple[str, ...] | None = None) -> Iterator[Row]:
    """The rows of a file, one at a time, by its ending: JSON Lines, JSON, CSV, TSV, Excel workbook or Parquet.

    header: the field names of a CSV or TSV file that has none. A row that cannot be read comes as `Malformed`. Raises `DataError`
    for a file that is missing, of another kind, or broken.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"no file {path}")
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".jsonl": _jsonl_rows,
        ".ndjson": _jsonl_rows,
        ".json": _json_rows,
        ".csv": lambda path: delimited_rows(path, header),
        ".tsv": lambda path: delimited_rows(path, header),
        ".xlsx": workbook_rows,
        ".parquet": parquet_rows,
    }
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} ends in {path.suffix or 'nothing'!r}; files that can be read end in {', '.join(SUFFIXES)}")
    return readers[path.suffix.lower()](path)


def _jsonl_rows(path: Path) -> Iterator[Row]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield (
                        Where(str(path), "line", number),
                        _jsonl_row(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line),
                    )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _jsonl_row(line: bytes) -> Any:
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Malformed("not UTF-8; save the file as UTF-8", repr(line))
    try:
        return parse_json(text)
    except DataError as error:
        return Malformed(str(error), text)


def _json_rows(path: Path) -> Iterator[Row]:
    """Items of a list; of an object of lists, the items with the key under "key"; else the object itself."""
    try:
        content = parse_json(path.read_bytes().decode("utf-8-sig"), deepest=None, repeated=True)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # not UTF-8, or no JSON
        raise DataError(f"{path} is not JSON in UTF-8: {error}; for one object a line, end the name in .jsonl") from None
    if isinstance(content, dict) and content and all(isinstance(found, list) for found in content.values()):
        if isinstance(content, RepeatedField):
            raise DataError(f"{path}: {content.problem}")
        for key, items in content.items():
            for number, item in enumerate(items, start=1):
                row = {"key": key, **item} if isinstance(item, dict) else {"key": key, "text": item}
                yield Where(str(path), "item", number, key), _malformed(item) or row
        return
    for number, item in enumerate(content if isinstance(content, list) else [content], start=1):
        yield Where(str(path), "item", number), _malformed(item) or item


def _malformed(item: Any) -> Malformed | None:
    """Why an item of a JSON file cannot be used: nested without end, or a field twice somewhere in it."""
    try:
        require_sound(item)
    except DataError as error:
        return Malformed(str(error), quoted(item))
    return None


def rows_of(items: Any) -> Iterator[Row]:
    """The rows of a pandas table, a `datasets` object, or any iterable of records or mappings."""
    name = type(items).__name__
    if name == "DataFrame":
        items = _frame_rows(items)
    elif not isinstance(items, Iterable):
        raise DataError(f"a {name} is no source of rows; give a path, a name, a table, or a list of records or mappings")
    for number, row in enumerate(items, start=1):
        yield Where(name, "row", number), row


def _frame_rows(frame: Any) -> Iterator[dict[str, Any] | Malformed]:
    import pandas

    def plain(cell: Any) -> Any:
        return None if pandas.api.types.is_scalar(cell) and pandas.isna(cell) else cell

    columns = ["" if plain(column) is None else str(column) for column in frame.columns]
    require_names_once(columns, "DataFrame")
    nameless = [place for place, name in enumerate(columns) if not name]
    for cells in frame.itertuples(index=False, name=None):
        lost = [place for place in nameless if plain(cells[place]) is not None]
        if lost:
            yield Malformed(f"cell {lost[0] + 1} ({quoted(cells[lost[0]])}) stands in a column without a name", quoted(cells))
        else:
            yield {name: plain(cell) for name, cell in zip(columns, cells, strict=True) if name}


def hub_rows(name: str, split: str) -> Iterator[Row]:
    """The rows of a data set by hub name, or of a folder made with `Dataset.save_to_disk`.

    Raises `DataError` that says how to go on when nothing came, as without a network.
    """
    import datasets

    try:
        found: Any
        if os.path.isdir(name):
            found = datasets.load_from_disk(name)
            if isinstance(found, datasets.DatasetDict):
                if split not in found:
                    raise UnknownNameError(f"split of {name}", split, sorted(map(str, found)))
                found = found[split]
        else:
            found = datasets.load_dataset(name, split=split)
    except UnknownNameError:
        raise
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(
            f"cannot load {name!r} (split {split!r}) as a data set: {_first_line(error)}\n{_advice(error)}"
        ) from error
    number = 0
    try:
        for row in found:
            number += 1
            yield Where(name, "row", number), row
    except Exception as error:  # of a damaged file, whatever its reader raises
        raise DataError(f"{name}, row {number + 1}: cannot be read: {_first_line(error)}") from error


def hub_folder(name: str, pattern: str) -> Path:
    """A local copy of the files of a hub data set that match the pattern. Raises `DataError` as `hub_rows` does."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(name, repo_type="dataset", allow_patterns=pattern))
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(f"cannot get the files of {name!r}: {_first_line(error)}\n{_advice(error)}") from error


def _advice(error: Exception) -> str:
    """How to go on: without a network, or with what the hub's client does not load."""
    return (
        _OFFLINE
        if isinstance(error, OSError)
        else _OFFLINE.replace("Offline: download it where there is a network", "Download it")
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def write_jsonl(path: str | Path, records: Iterable[AnyRecord | Mapping[str, Any]], *, ascii_only: bool = False) -> Path:
    """One JSON object a line, every field, in order. ascii_only: escape every other letter, so that any text can be written."""
    rows = (record if isinstance(record, Mapping) else asdict(record) for record in records)
    try:
        content = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{path}: a record holds half of a character pair and cannot be saved as UTF-8: {error}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: a record cannot be saved as JSON: {type(error).__name__}: {error}") from None
    return write_atomically(path, content)


def to_frame(records: Iterable[AnyRecord]) -> Any:
    """A pandas table with one row a record and every field as a column; `load_texts` and its kin read it back unchanged."""
    import pandas

    return pandas.DataFrame([asdict(record) for record in records])


def to_dataset(records: Iterable[AnyRecord]) -> Any:
    """A `datasets.Dataset` with one row a record and every field as a column; read back unchanged like a table."""
    import datasets

    return datasets.Dataset.from_list([asdict(record) for record in records])
