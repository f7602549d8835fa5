"""Sources of records: the packaged bank, files, the Hub, published data sets."""

from ._bad_rows import remove_earlier
from ._bank import BANKS, LANGUAGES, frames, is_bank
from ._corpora import FILES, bad_rows_beside, load_corpus, sample_corpus
from ._draw import Sample, draw_records
from ._from_bank import COMPOSED
from ._loading import load_dilemmas, load_items, load_questions, load_texts, sample, stream
from ._poles import POLES
from ._reading import BadRowsError, read_jsonl
from ._selection import DEFAULT, FILLINGS, PerGroup, Selection, require_count
from ._sources import layout_of
from ._spelling import require_one_spelling
from ._writing import to_dataset, to_frame, write_jsonl
from .published import LAYOUTS, Layout

__all__ = [
    "BANKS",
    "BadRowsError",
    "COMPOSED",
    "DEFAULT",
    "FILES",
    "FILLINGS",
    "LANGUAGES",
    "LAYOUTS",
    "Layout",
    "POLES",
    "PerGroup",
    "Sample",
    "Selection",
    "bad_rows_beside",
    "draw_records",
    "frames",
    "is_bank",
    "layout_of",
    "load_corpus",
    "load_dilemmas",
    "load_items",
    "load_questions",
    "load_texts",
    "read_jsonl",
    "remove_earlier",
    "require_count",
    "require_one_spelling",
    "sample",
    "sample_corpus",
    "stream",
    "to_dataset",
    "to_frame",
    "write_jsonl",
]
