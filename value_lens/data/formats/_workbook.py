"""Excel workbooks."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from ...errors import DataError
from ._registry import Header, file_format
from ._rows import Row, Where, fields_of, require_names_once

LARGEST, RATIO = 2**28, 200  # bytes that a workbook may unpack to whatever its size, and times its size beyond that


@file_format(".xlsx")
def workbook_rows(path: Path, header: Header) -> Iterator[Row]:
    """Every sheet's rows under its header, with the sheet's name under "sheet". Raises `DataError` for a file that is no workbook."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise DataError(f"reading {path} needs openpyxl: pip install openpyxl (or save the sheets as .csv)") from None
    try:
        with path.open("rb") as file:
            _require_sound(path, file)
            with closing(load_workbook(file, read_only=True, data_only=True)) as book:
                for sheet in book.worksheets:
                    sheet.reset_dimensions()  # the size that a file states of itself may be wrong
                    yield from _sheet_rows(path, sheet)
    except DataError:
        raise
    except Exception as error:  # a damaged workbook raises whatever the zip or XML reader does
        raise DataError(f"{path} is not an Excel workbook, or damaged: {type(error).__name__}: {error}") from error


def _sheet_rows(path: Path, sheet: Any) -> Iterator[Row]:
    header: list[str] = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [_displayed_value(cell) for cell in row]
        where = Where(str(path), "row", number, sheet.title)
        if not any(cell is not None for cell in cells):
            continue
        if not header:
            header = [str(name).strip() if name is not None else "" for name in cells]
            require_names_once(header, where)
            continue
        fields = fields_of(header, cells)
        yield where, {"sheet": where.part, **fields} if isinstance(fields, dict) else fields


def _displayed_value(cell: Any) -> Any:
    """A cell's value; a whole number in a format of zeros as text with those in front, as it is read on the sheet (007)."""
    if type(cell.value) is int and re.fullmatch("0{2,}", cell.number_format or ""):
        return f"{cell.value:0{len(cell.number_format)}d}"
    return cell.value


def _require_sound(path: Path, file: IO[bytes]) -> None:
    """A small file that unpacks to gigabytes would fill the memory before its first row comes."""
    with zipfile.ZipFile(file) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > max(LARGEST, RATIO * path.stat().st_size):
        raise DataError(f"{path} unpacks to {size:,} bytes, which no table of its size does; save its sheets as .csv")
