"""What do we count on and test on? Records, the packaged bilingual bank, published data sets, and loading."""

from .layouts import LAYOUTS, Layout
from .load import layout_of, load_dilemmas, load_items, load_questions, load_texts, stream
from .reading import BadRowsError, read_jsonl
from .records import ASPECTS, AnyRecord, Dilemma, Group, LabelledText, QuestionnaireItem, SituationalQuestion
from .tables import to_dataset, to_frame, write_jsonl
from .whole import bad_rows_beside, load_corpus

__all__ = [
    "ASPECTS",
    "AnyRecord",
    "BadRowsError",
    "Dilemma",
    "Group",
    "LAYOUTS",
    "LabelledText",
    "Layout",
    "QuestionnaireItem",
    "SituationalQuestion",
    "bad_rows_beside",
    "layout_of",
    "load_corpus",
    "load_dilemmas",
    "load_items",
    "load_questions",
    "load_texts",
    "read_jsonl",
    "stream",
    "to_dataset",
    "to_frame",
    "write_jsonl",
]
