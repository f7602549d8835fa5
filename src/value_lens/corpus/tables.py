"""How do rows come in and out? One row at a time from any file, data set, table or list, each with the place it stands at."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError, UnknownNameError
from ..store import write_atomically
from .records import AnyRecord

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".parquet")
_MORE = "\0more"  # under which a CSV row keeps what its header has no name for
_OFFLINE = (
    "Offline: download it where there is a network and give the path of the files ({}), "
    "or of a folder made with Dataset.save_to_disk"
).format(", ".join(SUFFIXES))


class Where(NamedTuple):
    """The place of a row: "answers.jsonl, line 3", or "book.xlsx, 'sheet', row 3" with a part."""

    name: str
    unit: str
    number: int
    part: str = ""

    def __str__(self) -> str:
        part = f"{self.part!r}, " if self.part else ""
        return f"{self.name}, {part}{self.unit} {self.number}"


@dataclass(frozen=True)
class Malformed:
    """What stands in a row's place when it cannot be read; `content` is its text as far as that is known."""

    problem: str
    content: str = ""


Row = tuple[Where, Any]  # the content is a mapping, a record, or Malformed


def read_rows(path: str | Path, header: tuple[str, ...] | None = None) -> Iterator[Row]:
    """The rows of a file, one at a time, by its ending: JSON Lines, JSON, CSV, TSV, Excel workbook or Parquet.

    header: the field names of a CSV or TSV file that has none. A row that cannot be read comes as `Malformed`. Raises `DataError`
    for a file that is missing, of another kind, or broken.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no file {path}")
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".jsonl": _jsonl_rows,
        ".ndjson": _jsonl_rows,
        ".json": _json_rows,
        ".csv": lambda path: _csv_rows(path, header),
        ".tsv": lambda path: _csv_rows(path, header),
        ".xlsx": _workbook_rows,
        ".parquet": _parquet_rows,
    }
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} ends in {path.suffix or 'nothing'!r}; files that can be read end in {', '.join(SUFFIXES)}")
    return readers[path.suffix.lower()](path)


def _jsonl_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = Where(str(path), "line", number)
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield where, Malformed("not UTF-8; save the file as UTF-8", repr(line))
                continue
            if text.strip():
                try:
                    yield where, json.loads(text)
                except json.JSONDecodeError as error:
                    yield where, Malformed(f"not JSON ({error.msg}, column {error.colno})", text.rstrip("\n"))
                except (ValueError, RecursionError) as error:  # a number or a nesting beyond what Python reads
                    yield where, Malformed(f"not readable as JSON ({type(error).__name__})", text[:200])


def _json_rows(path: Path) -> Iterator[Row]:
    """Items of a list; of an object of lists, the items with the key under "key"; else the object itself."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON in UTF-8: {error}; for one object a line, end the name in .jsonl") from None
    if isinstance(content, dict) and content and all(isinstance(found, list) for found in content.values()):
        for key, items in content.items():
            for number, item in enumerate(items, start=1):
                row = {"key": key, **item} if isinstance(item, dict) else {"key": key, "text": item}
                yield Where(str(path), "item", number, key), row
        return
    for number, item in enumerate(content if isinstance(content, list) else [content], start=1):
        yield Where(str(path), "item", number), item


def _csv_rows(path: Path, header: tuple[str, ...] | None) -> Iterator[Row]:
    """Strict about quotes: one that is not closed would swallow the rows after it."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    tab = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, header, delimiter=tab, restkey=_MORE, strict=True)
            for row in reader:
                where = Where(str(path), "line", reader.line_num)
                if _MORE in row:
                    more = [str(found) for found in row.values()]
                    yield where, Malformed(f"more fields than the header's {len(row) - 1}", tab.join(more))
                else:
                    yield where, {key: found or None for key, found in row.items() if key}
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8; save it as UTF-8") from None
    except csv.Error as error:
        number = reader.line_num if reader is not None else 0
        raise DataError(
            f"{path}, line {number}: cannot be read as a table: {error} (is a quotation mark not closed?)"
        ) from None


def _workbook_rows(path: Path) -> Iterator[Row]:
    """Every sheet's rows under its header, with the sheet's name under "sheet"."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise DataError(f"reading {path} needs openpyxl: pip install openpyxl (or save the sheets as .csv)") from None
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the size that a file states of itself may be wrong
            header: list[str] = []
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if not any(cell is not None for cell in cells):
                    continue
                if not header:
                    header = [str(name).strip() if name is not None else "" for name in cells]
                    continue
                found = {name: cell for name, cell in zip(header, cells, strict=False) if name}
                yield Where(str(path), "row", number, sheet.title), {"sheet": sheet.title, **found}
        book.close()
    except Exception as error:  # a damaged workbook raises whatever the zip or XML reader does
        raise DataError(f"{path} is not an Excel workbook: {type(error).__name__}: {error}") from error


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        number = 0
        for batch in file.iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                number += 1
                yield Where(str(path), "row", number), row
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None


def rows_of(items: Iterable[Any]) -> Iterator[Row]:
    """The rows of a pandas table, a `datasets` object, or any iterable of records or mappings."""
    name = type(items).__name__
    if name == "DataFrame":
        items = _frame_rows(items)
    for number, row in enumerate(items, start=1):
        yield Where(name, "row", number), row


def _frame_rows(frame: Any) -> Iterator[dict[str, Any]]:
    import pandas

    def plain(cell: Any) -> Any:
        return None if pandas.api.types.is_scalar(cell) and pandas.isna(cell) else cell

    columns = [str(column) for column in frame.columns]
    for cells in frame.itertuples(index=False, name=None):
        yield {name: plain(cell) for name, cell in zip(columns, cells, strict=True)}


def hub_rows(name: str, split: str) -> Iterator[Row]:
    """The rows of a data set by hub name, or of a folder made with `Dataset.save_to_disk`.

    Raises `DataError` that says how to go on when nothing came, as without a network.
    """
    import datasets

    try:
        found: Any
        if Path(name).is_dir():
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
            f"cannot load {name!r} (split {split!r}) as a data set: {_first_line(error)}. {_advice(error)}"
        ) from error
    for number, row in enumerate(found, start=1):
        yield Where(name, "row", number), row


def hub_folder(name: str, pattern: str) -> Path:
    """A local copy of the files of a hub data set that match the pattern. Raises `DataError` as `hub_rows` does."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(name, repo_type="dataset", allow_patterns=pattern))
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(f"cannot get the files of {name!r}: {_first_line(error)}. {_advice(error)}") from error


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
        raise DataError(f"a record holds half of a character pair and cannot be saved as UTF-8: {error}") from None
    return write_atomically(path, content)


def to_frame(records: Iterable[AnyRecord]) -> Any:
    """A pandas table with one row a record and every field as a column; `load_texts` and its kin read it back unchanged."""
    import pandas

    return pandas.DataFrame([asdict(record) for record in records])


def to_dataset(records: Iterable[AnyRecord]) -> Any:
    """A `datasets.Dataset` with one row a record and every field as a column; read back unchanged like a table."""
    import datasets

    return datasets.Dataset.from_list([asdict(record) for record in records])
