"""What does a corpus hold, texts, dilemmas, or both? Everything of a source that can be audited."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError
from .bank import is_bank
from .load import layout_of, load_dilemmas, load_texts, rows_from
from .reading import BadRowsError
from .records import Dilemma, LabelledText, SituationalQuestion

FILES: dict[type, str] = {
    LabelledText: "texts.jsonl",
    Dilemma: "dilemmas.jsonl",
    SituationalQuestion: "questions.jsonl",
}  # a corpus in a folder
_AUDITED = {FILES[LabelledText], FILES[Dilemma]}


def bad_rows_beside(source: str, fallback: str | Path, what: str) -> Path:
    """The file for a source's bad rows, `what` being "texts" or "dilemmas": beside a local file, else in the folder `fallback`."""
    layout, local = layout_of(source)
    path = Path(source if layout is None else local or "")
    if os.path.isfile(path):
        return path.with_name(f"{path.stem}.bad-{what}.jsonl")
    return Path(fallback) / f"bad-{what}.jsonl"


def load_corpus(
    source: str, *, per_group: int | None = 200, seed: int = 0, skip_bad: bool = False
) -> tuple[list[LabelledText], list[Dilemma]]:
    """(texts, dilemmas) of a source: both from the bank, from a published data set that has both, and from a folder with
    texts.jsonl and dilemmas.jsonl; else what its first good row looks like. Raises as `load_texts` does.
    """
    folder = Path(source)
    if os.path.isdir(folder) and (files := sorted(_AUDITED & {path.name for path in folder.iterdir()})):
        found = [load_corpus(str(folder / name), per_group=per_group, seed=seed, skip_bad=skip_bad) for name in files]
        return [text for texts, _ in found for text in texts], [d for _, dilemmas in found for d in dilemmas]
    kinds = _kinds(source)
    options: dict[str, Any] = {"per_group": per_group, "seed": seed}
    texts, dilemmas, problems = [], [], []
    for kind, what, load, kept in ((LabelledText, "texts", load_texts, texts), (Dilemma, "dilemmas", load_dilemmas, dilemmas)):
        if kind in kinds:
            try:
                kept += load(source, skip_bad=bad_rows_beside(source, ".", what) if skip_bad else None, **options)
            except DataError as error:  # of two kinds, a part of a data set may hold one only
                problems.append(error)
    partly = any(isinstance(error, BadRowsError) and error.n_good for error in problems)
    if problems and (partly or not (texts or dilemmas)):
        raise problems[0]
    return texts, dilemmas


def _kinds(source: str) -> set[type]:
    if is_bank(source):
        return {LabelledText} if source.endswith("poles") else {LabelledText, Dilemma}
    layout, _ = layout_of(source)
    if layout is not None:
        return set(layout.makes) & {LabelledText, Dilemma}
    first = next((row for _, row in rows_from(source, None) if isinstance(row, Mapping)), {})
    return {Dilemma} if {"aligned", "violating"} & set(first) else {LabelledText}
