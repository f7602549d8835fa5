"""What do we count on and test on? Records, the packaged bilingual bank, published data sets, and loading."""

from .bank import is_bank
from .draw import DEFAULT, PerGroup, Sample, drawn, require_count
from .layouts import LAYOUTS, Layout
from .load import load_dilemmas, load_items, load_questions, load_texts, sample, stream
from .reading import BadRowsError, read_jsonl
from .records import ASPECTS, AnyRecord, Dilemma, Group, LabelledText, QuestionnaireItem, SituationalQuestion
from .source import layout_of
from .spelling import require_one_spelling
from .tables import to_dataset, to_frame, write_jsonl
from .whole import bad_rows_beside, load_corpus, sample_corpus

__all__ = [
    "AnyRecord",
    "ASPECTS",
    "bad_rows_beside",
    "BadRowsError",
    "DEFAULT",
    "Dilemma",
    "drawn",
    "is_bank",
    "Group",
    "LabelledText",
    "Layout",
    "layout_of",
    "LAYOUTS",
    "load_corpus",
    "load_dilemmas",
    "load_items",
    "load_questions",
    "load_texts",
    "PerGroup",
    "QuestionnaireItem",
    "read_jsonl",
    "require_count",
    "require_one_spelling",
    "sample",
    "Sample",
    "sample_corpus",
    "SituationalQuestion",
    "stream",
    "to_dataset",
    "to_frame",
    "write_jsonl",
]
