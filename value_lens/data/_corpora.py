"""Whole corpora for an audit: texts and dilemmas of one source."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core import Dilemma, LabelledText, Record, SituationalQuestion
from ..errors import DataError
from ._bank import is_bank
from ._draw import Sample
from ._loading import sample
from ._reading import BadRowsError
from ._selection import Selection
from ._sources import layout_of, rows_from

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
    source: str, selection: Selection = Selection(), *, skip_bad: bool = False
) -> tuple[list[LabelledText], list[Dilemma]]:
    """(texts, dilemmas) of a source: both from the bank, from a published data set that has both, and from a folder with
    texts.jsonl and dilemmas.jsonl; else what its first good row looks like. Raises as `load_texts` does.
    """
    texts, dilemmas = sample_corpus(source, selection, skip_bad=skip_bad)
    return texts.records, dilemmas.records


def sample_corpus(
    source: str, selection: Selection = Selection(), *, skip_bad: bool = False
) -> tuple[Sample[LabelledText], Sample[Dilemma]]:
    """The same with the number of records that there were to draw from."""
    folder = Path(source)
    if os.path.isdir(folder) and (files := sorted(_AUDITED & {path.name for path in folder.iterdir()})):
        parts = [sample_corpus(str(folder / name), selection, skip_bad=skip_bad) for name in files]
        return _merge_samples([texts for texts, _ in parts]), _merge_samples([dilemmas for _, dilemmas in parts])
    kinds, problems = _kinds(source), []
    samples: dict[type, Sample[Any]] = {LabelledText: Sample([], 0), Dilemma: Sample([], 0)}
    labels: dict[Any, str] = {LabelledText: "texts", Dilemma: "dilemmas"}
    for kind, what in labels.items():
        if kind in kinds:
            try:
                samples[kind] = sample(
                    kind, source, selection, skip_bad=bad_rows_beside(source, ".", what) if skip_bad else None
                )
            except DataError as error:  # of two kinds, a part of a data set may hold one only
                problems.append(error)
    has_good_rows = any(isinstance(error, BadRowsError) and error.n_good for error in problems)
    if problems and (has_good_rows or not any(part.records for part in samples.values())):
        raise problems[0]
    return samples[LabelledText], samples[Dilemma]


def _merge_samples(samples: Sequence[Sample[Record]]) -> Sample[Record]:
    return Sample([record for part in samples for record in part.records], sum(part.n_available for part in samples))


def _kinds(source: str) -> set[type]:
    if is_bank(source):
        return {LabelledText} if source.endswith("poles") else {LabelledText, Dilemma}
    layout, _ = layout_of(source)
    if layout is not None:
        return set(layout.converters) & {LabelledText, Dilemma}
    first = next((row for _, row in rows_from(source, None) if isinstance(row, Mapping)), {})
    return {Dilemma} if {"aligned", "violating"} & set(first) else {LabelledText}
