"""What a source's name refers to: a published data set, a file, a table, a Hub name."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core import Record
from ..errors import DataError, UnknownNameError, quoted
from ._reading import Convert, column_converter, records_of
from ._selection import Selection
from .formats import Row, file_suffixes, hub_rows, read_rows, rows_of
from .published import LAYOUTS, Layout

Source = Any  # see `load_texts`


def open_records(
    kind: type[Record], source: Source, split: str | None, columns: Mapping[str, str] | None, skip_bad: str | Path | None
) -> Iterator[Record]:
    """The records of a source that is not the bank."""
    layout, path = layout_of(source)
    if skip_bad is not None and isinstance(source, (str, Path)) and Path(skip_bad).resolve() == Path(path or source).resolve():
        raise DataError(f"skip_bad is the source itself ({skip_bad}); bad rows need a file of their own")
    convert: Convert | None = column_converter(columns) if columns else None
    if layout is not None:
        if kind not in layout.converters:
            kinds = ", ".join(record_kind.__name__ for record_kind in layout.converters)
            raise DataError(f"{layout.name} holds no {kind.__name__}; it holds {kinds}")
        convert = _with_source(layout.name, layout.converters[kind])
        rows = layout.rows(kind, path, split)
    else:
        rows = rows_from(source, split)
    return records_of(rows, kind, convert=convert, skip_bad=skip_bad)


def _with_source(name: str, converter: Convert) -> Convert:
    """A conversion whose records name the data set they come from."""
    return lambda row, where: [{"source": name, **fields} for fields in converter(row, where)]


def layout_of(source: Source) -> tuple[Layout | None, str | None]:
    """(layout, local path) of a published data set by its name, "NAME" or "NAME:PATH"; (None, None) for any other source."""
    if not isinstance(source, str):
        return None, None
    name, colon, path = source.partition(":")
    return (LAYOUTS[name], path if colon else None) if name in LAYOUTS else (None, None)


def rows_from(source: Source, split: str | None) -> Iterator[Row]:
    """The rows of a source that is neither the bank nor a published data set."""
    if isinstance(source, Path) or (
        isinstance(source, str) and (source.lower().endswith(file_suffixes()) or os.path.isfile(source))
    ):
        if os.path.isdir(source):
            return hub_rows(str(source), split or "train")
        if split is not None:
            raise DataError(f"{source} is one file without splits; give the file that holds {split!r}")
        return read_rows(source)
    if isinstance(source, str):
        return hub_rows(source, split or "train")
    if isinstance(source, Mapping):  # a `datasets.DatasetDict` is one
        return rows_of(_part_of(source, split))
    if split is not None:
        raise DataError(f"a {name_of(source)} has no splits; choose its part {split!r} before loading")
    return rows_of(source)


def _part_of(source: Mapping[Any, Any], split: str | None) -> Any:
    """One split of several. Raises `DataError` when none is named, `UnknownNameError` when there is none of that name."""
    splits = sorted(map(str, source))
    if not splits or not all(isinstance(part, Iterable) and not isinstance(part, (str, bytes)) for part in source.values()):
        raise DataError(
            f"a {name_of(source)} with {quoted(splits)} is not a valid source of rows; give a list of such mappings"
        )
    if split is None:
        raise DataError(
            f"a {name_of(source)} holds splits ({', '.join(splits)}); choose one, such as Selection(split={splits[0]!r})"
        )
    if split not in source:
        raise UnknownNameError(f"split of the {name_of(source)}", split, splits)
    return source[split]


def select(records: Iterable[Record], selection: Selection, name: str) -> Iterator[Record]:
    """The records of the selection's values and languages. Raises when one of these is not there."""
    names = {"value": selection.values, "language": selection.languages}
    present: dict[str, set[str]] = {field: set() for field in names}
    n_selected = 0
    for record in records:
        for field, names_present in present.items():
            names_present.add(getattr(record, field))
        if all(selected is None or getattr(record, field) in selected for field, selected in names.items()):
            n_selected += 1
            yield record
    if not present["value"]:
        raise DataError(f"{name} holds no records")
    for field, selected in names.items():
        for missing in [wanted for wanted in selected or () if wanted not in present[field]]:
            raise UnknownNameError(field, missing, sorted(present[field]))
    if not n_selected:
        values, languages = (list(selected) if selected else None for selected in names.values())
        raise DataError(f"{name} holds nothing of value {values} in language {languages} together")


def name_of(source: Source) -> str:
    return str(source) if isinstance(source, (str, Path)) else type(source).__name__
