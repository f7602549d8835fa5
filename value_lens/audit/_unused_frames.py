"""Frames of the bank without a record in the corpus."""

from collections.abc import Sequence

from ..core import Dilemma, LabelledText
from ..data import BANKS, frames
from ._origins import frame_of, is_of_bank


def unused_frames(records: Sequence[LabelledText | Dilemma]) -> tuple[str, ...]:
    """Ids of the bank's frames without a record, of the values and splits that occur among the records."""
    unused: list[str] = []
    for source in BANKS:
        used = {frame_of(record) for record in records if record.source == source and is_of_bank(record)}
        value_splits = {(frame.value, frame.split) for frame in frames(source) if frame.id in used}
        unused += [f.id for f in frames(source) if (f.value, f.split) in value_splits and f.id not in used]
    return tuple(unused)
