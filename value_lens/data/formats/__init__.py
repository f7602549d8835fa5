"""Rows of files, tables and data sets, each with its place; one file a format."""

from ...core import import_all
from ._hub import hub_folder, hub_rows
from ._memory import rows_of
from ._registry import file_suffixes, read_rows
from ._rows import MalformedRow, Row, Where

import_all(__name__)

__all__ = ["MalformedRow", "Row", "Where", "file_suffixes", "hub_folder", "hub_rows", "read_rows", "rows_of"]
