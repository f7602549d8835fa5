"""File formats by the suffix of a file's name."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import DataError
from ._rows import Row

Header = tuple[str, ...] | None
Reader = Callable[[Path, Header], Iterator[Row]]  # formats whose files name their own fields take no notice of the header

_READERS: dict[str, Reader] = {}


def file_format(*suffixes: str) -> Callable[[Reader], Reader]:
    """A decorator that registers the reader of files with these suffixes (".csv"). Raises `DataError` for one that is taken."""

    def decorate(reader: Reader) -> Reader:
        for suffix in suffixes:
            if suffix in _READERS:
                raise DataError(f"two formats have the suffix {suffix!r}")
            _READERS[suffix] = reader
        return reader

    return decorate


def file_suffixes() -> tuple[str, ...]:
    """The suffixes of files that can be read, in alphabetical order."""
    return tuple(sorted(_READERS))


def read_rows(path: str | Path, header: Header = None) -> Iterator[Row]:
    """The rows of a file, one at a time, read by the format of its suffix.

    Args:
        path: The file.
        header: The field names of a CSV or TSV file that has none.

    Returns:
        An iterator of (place, content); a row that cannot be read comes as `MalformedRow`.

    Raises:
        DataError: A file that is missing, of another kind, or broken.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"no file {path}")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise DataError(
            f"{path} ends in {path.suffix or 'nothing'!r}; files that can be read end in {', '.join(file_suffixes())}"
        )
    return _READERS[suffix](path, header)
