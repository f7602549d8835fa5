"""Parquet files."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ._registry import Header, file_format
from ._rows import Row, Where, require_names_once


@file_format(".parquet")
def parquet_rows(path: Path, header: Header) -> Iterator[Row]:
    """The rows of a Parquet file. Raises `DataError` for a file that is no Parquet, also where the damage begins after good rows."""
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            require_names_once(file.schema_arrow.names, path)
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield Where(str(path), "row", number), row
    except DataError:
        raise
    except Exception as error:  # pyarrow raises errors of many types for a damaged file
        raise DataError(f"{path} cannot be read as Parquet: {type(error).__name__}: {error}") from None
