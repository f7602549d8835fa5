"""A published data set's layout: where it is, its licence, and how its rows become records."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import DataError
from ..formats import Row, Where, file_suffixes, hub_folder, hub_rows, read_rows

Fields = Mapping[str, Any]
Converter = Callable[[Fields, Where], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Layout:
    """One published data set. `converters` maps a kind of record to the conversion of one row; `hub` is "" when it is on no hub.

    pattern: which files of a folder hold it. leaves_out: parts of file names in a folder that do not hold a kind. headers: field names of
    files without a header, by a part of their name. hub_files: which files of the hub's copy, where it is read file by file; else it
    is loaded as a data set. join: (part of the name of the texts' file, its counterpart for labels,
    key) when the labels stand in a second table. continuation: {language: (prompt, answer)}, the wording before the options of its
    dilemmas where these are whole clauses, as in `ChoiceFormat`.
    A row knows the file it stands in, under "file": its folder and name, without ending.
    """

    name: str
    title: str
    licence: str
    url: str
    converters: Mapping[type, Converter]
    hub: str = ""
    pattern: str = "*"
    leaves_out: Mapping[type, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hub_files: str = ""
    join: tuple[str, str, str] | None = None
    continuation: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def rows(self, kind: type, path: str | None, split: str | None) -> Iterator[Row]:
        """Rows of local files (a file, or a folder of them), or from the hub. Raises `DataError` when there are none."""
        if path is not None:
            root = Path(path)
            yield from self._file_rows(root, sorted(root.rglob(self.pattern)) if os.path.isdir(root) else [root], kind)
        elif not self.hub:
            raise DataError(f"{self.name} is on no hub; get it from {self.url} and give {self.name}:PATH")
        elif self.hub_files:
            root = hub_folder(self.hub, self.hub_files)
            yield from self._file_rows(root, sorted(root.glob(self.hub_files)), kind)
        else:
            yield from hub_rows(self.hub, split or "train")

    def _file_rows(self, root: Path, files: list[Path], kind: type) -> Iterator[Row]:
        if os.path.isdir(root):
            excluded = self.leaves_out.get(kind, ())
            files = [
                f for f in files if f.suffix.lower() in file_suffixes() and not any(p in _name_in_corpus(f) for p in excluded)
            ]
            files = [file for file in files if self.join is None or self.join[0] in file.name]
        if not files:
            raise DataError(f"no files {self.pattern!r} of {self.name} under {root}; get them from {self.url}")
        for file in files:
            labels = self._labels(file)
            header = next((names for part, names in self.headers.items() if part in _name_in_corpus(file)), None)
            for where, row in read_rows(file, header):
                if isinstance(row, dict):
                    extra = labels.get(str(row.get(self.join[2])), {}) if self.join else {}
                    row = {**extra, **row, "file": _name_in_corpus(file)}
                yield where, row

    def _labels(self, file: Path) -> dict[str, dict[str, Any]]:
        if self.join is None or self.join[0] not in file.name:
            return {}
        labels_file = file.with_name(file.name.replace(self.join[0], self.join[1]))
        if not os.path.isfile(labels_file):
            raise DataError(f"{file} needs its labels beside it, in {labels_file.name}")
        rows = [row for _, row in read_rows(labels_file) if isinstance(row, dict)]
        if rows and self.join[2] not in rows[0]:
            raise DataError(f"{labels_file} has no column {self.join[2]!r}; found {sorted(rows[0])}")
        return {str(row.get(self.join[2])): row for row in rows}


def _name_in_corpus(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


LAYOUTS: dict[str, Layout] = {}


def register(layout: Layout) -> None:
    """Make a data set known by its name. Raises `DataError` for a name that another has."""
    if layout.name in LAYOUTS:
        raise DataError(f"two published data sets have the name {layout.name!r}")
    LAYOUTS[layout.name] = layout
