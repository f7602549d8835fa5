"""What do we count on and test on? Records, the packaged bilingual bank, and loading."""

from .load import load_dilemmas, load_texts
from .records import ASPECTS, Dilemma, Group, LabelledText, read_jsonl, write_jsonl

__all__ = [
    "ASPECTS",
    "Dilemma",
    "Group",
    "LabelledText",
    "load_dilemmas",
    "load_texts",
    "read_jsonl",
    "write_jsonl",
]
