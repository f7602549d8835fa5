"""Where do texts, dilemmas and questions come from? The packaged bank, published data sets, any file or table, a hub name."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

from ..errors import DataError, UnknownNameError
from . import bank, compose, poles
from .compose import Selection
from .layout import Layout
from .layouts import LAYOUTS
from .reading import Convert, records_of, renamed
from .records import AnyRecord, Dilemma, LabelledText, QuestionnaireItem, Record, SituationalQuestion
from .tables import SUFFIXES, Row, hub_rows, read_rows, rows_of

Source = Any  # see `load_texts`


def load_texts(
    source: Source = bank.BANK,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    fillings: str = "all",
    per_group: int | None = 200,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> list[LabelledText]:
    """Labelled texts from any source.

    source: "bank" (the twelve Chinese social values), "bank:schwartz" (the ten basic values), "bank:poles" (descriptions of
    people who hold a pole of a higher-order value); a published data set of `LAYOUTS` by name, from the hub ("moral_stories") or
    from local files ("moral_stories:PATH"); a path (.jsonl, .json, .csv, .tsv, .xlsx, .parquet, a saved `datasets` folder); a hub
    name; a pandas table, a `datasets` object, or any iterable of records or mappings.

    For the bank, `split` is "activation" (default) or "evaluation", `fillings` "all", "training" or "held_out", and up to `per_group`
    distinct texts are composed for each (value, aspect, language): 4,000 is all there are (None). For a hub name `split` is its split
    ("train"). Other sources keep at most `per_group` a group, in order. `columns` maps our field names to the source's.
    skip_bad: a file for bad rows; without it they are an error, all at once.

    Raises `DataError` (`BadRowsError` lists file, line and field of every bad row) and `UnknownNameError` (value, language, split).
    """
    given = locals()
    return list(stream(LabelledText, **given))


def load_dilemmas(
    source: Source = bank.BANK,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    fillings: str = "all",
    per_group: int | None = 200,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> list[Dilemma]:
    """Dilemmas from any source; as `load_texts`, a group being (value, language) and the bank's default split "evaluation"."""
    given = locals()
    return list(stream(Dilemma, **given))


def load_items(
    source: Source,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    per_group: int | None = None,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> list[QuestionnaireItem]:
    """Questionnaire items from any source but the bank, which holds none; as `load_texts`."""
    given = locals()
    return list(stream(QuestionnaireItem, **given))


def load_questions(
    source: Source = bank.BANK,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    per_group: int | None = 200,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> list[SituationalQuestion]:
    """Situational questions for the higher-order values, from the bank or any other source; as `load_texts`."""
    given = locals()
    return list(stream(SituationalQuestion, **given))


def stream(
    kind: type[Record],
    source: Source,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    fillings: str = "all",
    per_group: int | None = None,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> "Stream[Record]":
    """The records of a source one at a time, for sets larger than memory; arguments and errors as in `load_texts`.

    It may be gone through again and again, by `ValueLens.collect` too, unless its source is itself an iterator. Of what has passed,
    only a hash of each id and its place are kept. Errors that need the whole source come at its end.
    """
    if per_group is not None and per_group < 1:
        raise DataError(f"per_group is {per_group}; give a count of at least 1, or None for all")
    asked = {"value": _listed(values), "language": _listed(languages)}
    if bank.is_bank(source):
        rest = Selection(source, (), (), split or "", fillings, per_group, seed)
        return Stream(lambda: _from_bank(kind, rest, asked))
    return Stream(lambda: _chosen(_opened(kind, source, split, columns, skip_bad), asked, per_group, _name(source)))


@dataclass(frozen=True)
class Stream(Generic[Record]):
    """Records that are read anew each time they are gone through."""

    opened: Callable[[], Iterator[Record]]

    def __iter__(self) -> Iterator[Record]:
        return self.opened()


def _from_bank(kind: type[Record], rest: Selection, asked: Mapping[str, list[str] | None]) -> Iterator[Any]:
    source, languages = rest.source, _known("language", asked["language"], bank.LANGUAGES)
    if source not in (*bank.BANKS, poles.POLES):
        raise UnknownNameError("source of the bank", source, [*bank.BANKS, poles.POLES])
    if kind is SituationalQuestion or source == poles.POLES:
        if rest.split or rest.fillings != "all":
            raise DataError("pole descriptions and questions have no splits and no held-out fillings")
        if kind not in (SituationalQuestion, LabelledText):
            raise DataError(f"{source!r} holds pole descriptions and questions, no {kind.__name__}")
        values = _known("value", asked["value"], poles.VALUES)
        if kind is LabelledText:
            return poles.descriptions(values, languages, rest.per_group)
        return poles.questions(values, languages, rest.per_group, rest.seed)
    if kind not in (LabelledText, Dilemma):
        raise DataError(f"the bank holds no {kind.__name__}; give a file, a table or a published data set")
    split = rest.split or ("activation" if kind is LabelledText else "evaluation")
    _known("split", [split], bank.SPLITS)
    _known("fillings", [rest.fillings], bank.FILLINGS)
    values = _known("value", asked["value"], bank.BANKS[source].names)
    selection = replace(rest, values=values, languages=languages, split=split)
    return compose.compose_texts(selection) if kind is LabelledText else compose.compose_dilemmas(selection)


def _known(kind: str, asked: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    for name in asked or ():
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return known if asked is None else tuple(name for name in known if name in asked)


def _listed(asked: Sequence[str] | None) -> list[str] | None:
    """Names as a list, one name alone included; raises `DataError` for an empty choice."""
    if asked is None:
        return None
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names:
        raise DataError("an empty list of values or languages chooses nothing; give some, or None for all")
    return names


def _opened(
    kind: type[Record], source: Source, split: str | None, columns: Mapping[str, str] | None, skip_bad: str | Path | None
) -> Iterator[Record]:
    """The records of a source that is not the bank."""
    layout, path = layout_of(source)
    if skip_bad is not None and isinstance(source, (str, Path)) and Path(skip_bad).resolve() == Path(path or source).resolve():
        raise DataError(f"skip_bad is the source itself ({skip_bad}); bad rows need a file of their own")
    convert: Convert | None = renamed(columns) if columns else None
    if layout is not None:
        if kind not in layout.makes:
            held = ", ".join(made.__name__ for made in layout.makes)
            raise DataError(f"{layout.name} holds no {kind.__name__}; it holds {held}")
        make = layout.makes[kind]
        convert = lambda row, where: [{"source": layout.name, **made} for made in make(row, where)]  # noqa: E731
        rows = layout.rows(kind, path, split)
    else:
        rows = rows_from(source, split)
    return records_of(rows, kind, convert=convert, skip_bad=skip_bad)


def layout_of(source: Source) -> tuple[Layout | None, str | None]:
    """(layout, local path) of a published data set by its name, "NAME" or "NAME:PATH"; (None, None) for any other source."""
    if not isinstance(source, str):
        return None, None
    name, colon, path = source.partition(":")
    return (LAYOUTS[name], path if colon else None) if name in LAYOUTS else (None, None)


def rows_from(source: Source, split: str | None) -> Iterator[Row]:
    """The rows of a source that is neither the bank nor a published data set."""
    if isinstance(source, Path) or (isinstance(source, str) and (source.lower().endswith(SUFFIXES) or os.path.isfile(source))):
        if os.path.isdir(source):
            return hub_rows(str(source), split or "train")
        if split is not None:
            raise DataError(f"{source} is one file without splits; give the file that holds {split!r}")
        return read_rows(source)
    if isinstance(source, str):
        return hub_rows(source, split or "train")
    if split is not None:
        raise DataError(f"a {_name(source)} has no splits; choose its part {split!r} before loading")
    return rows_of(source)


def _chosen(
    records: Iterable[Record], asked: Mapping[str, list[str] | None], per_group: int | None, name: str
) -> Iterator[Record]:
    """The records of the values and languages asked for, at most so many a group. Raises when one of them is not there."""
    known: dict[str, set[str]] = {"value": set(), "language": set()}
    taken: dict[Any, int] = {}
    for record in records:
        for field, found in known.items():
            found.add(getattr(record, field))
        if all(names is None or getattr(record, field) in names for field, names in asked.items()):
            group = group_of(record)
            taken[group] = taken.get(group, 0) + 1
            if per_group is None or taken[group] <= per_group:
                yield record
    if not known["value"]:
        raise DataError(f"{name} holds no records")
    for field, names in asked.items():
        for missing in [given for given in names or () if given not in known[field]]:
            raise UnknownNameError(field, missing, sorted(known[field]))
    if not taken:
        raise DataError(f"{name} holds nothing of value {asked['value']} in language {asked['language']} together")


def _name(source: Source) -> str:
    return str(source) if isinstance(source, (str, Path)) else type(source).__name__


def group_of(record: AnyRecord) -> tuple[str, ...]:
    return record.group if isinstance(record, LabelledText) else (record.value, record.language)
