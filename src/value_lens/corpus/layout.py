"""What is a layout? Where a published data set is, its licence, and how its rows become our records."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from .tables import Row, Where, hub_folder, hub_rows, read_rows

Fields = Mapping[str, Any]
Make = Callable[[Fields, Where], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Layout:
    """One published data set. `makes` maps a kind of record to the conversion of one row; `hub` is "" when it is on no hub.

    pattern: which files of a folder hold it. hub_files: which files of the hub's copy, where it is read file by file; else it is
    loaded as a data set, with `config` and `split`. join: (part of the name of the texts' file, its counterpart for labels, key)
    when the labels stand in a second table.
    """

    name: str
    title: str
    licence: str
    url: str
    makes: Mapping[type, Make]
    hub: str = ""
    config: str | None = None
    split: str = "train"
    pattern: str = "*"
    hub_files: str = ""
    join: tuple[str, str, str] | None = None

    def rows(self, path: str | None, split: str | None) -> Iterator[Row]:
        """Rows of local files (a file, or a folder of them), or from the hub. Raises `DataError` when there are none."""
        if path is None:
            if not self.hub:
                raise DataError(f"{self.name} is on no hub; get it from {self.url} and give {self.name}:PATH")
            if not self.hub_files:
                yield from hub_rows(self.hub, split or self.split, self.config)
                return
            path = str(hub_folder(self.hub, self.hub_files))
        files = sorted(Path(path).rglob(self.pattern)) if Path(path).is_dir() else [Path(path)]
        files = [file for file in files if file.is_file() or len(files) == 1]
        if not files:
            raise DataError(f"no files {self.pattern!r} of {self.name} under {path}; get them from {self.url}")
        for file in files:
            labels = self._labels(file)
            if labels is None and self.join and Path(path).is_dir() and self.join[0] not in file.name:
                continue
            for where, row in read_rows(file):
                if isinstance(row, dict):
                    extra = (labels or {}).get(str(row.get(self.join[2])), {}) if self.join else {}
                    row = {**extra, **row, "file": file.stem}
                yield where, row

    def _labels(self, file: Path) -> dict[str, dict[str, str]] | None:
        if self.join is None or self.join[0] not in file.name:
            return None
        beside = file.with_name(file.name.replace(self.join[0], self.join[1]))
        if not beside.is_file():
            raise DataError(f"{file} needs its labels beside it, in {beside.name}")
        with beside.open(encoding="utf-8-sig", newline="") as table:
            return {row[self.join[2]]: row for row in csv.DictReader(table, delimiter="\t")}
