"""Records written out: JSON Lines, pandas tables and `datasets` objects."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core import AnyRecord, write_atomically
from ..errors import DataError


def write_jsonl(path: str | Path, records: Iterable[AnyRecord | Mapping[str, Any]], *, ascii_only: bool = False) -> Path:
    """Write records as JSON Lines: one object a line, every field, in order.

    Args:
        path: The file.
        records: Records or mappings.
        ascii_only: Escape every other letter, so that any text can be written.

    Returns:
        The path.

    Raises:
        DataError: A record that cannot be written as JSON in UTF-8.
        OutputError: A place that cannot be written to.
    """
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
