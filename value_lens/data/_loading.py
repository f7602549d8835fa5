"""Loading texts, dilemmas, items and questions from the bank, published data sets, files, tables or the Hub."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

from ..core import Dilemma, LabelledText, QuestionnaireItem, Record, SituationalQuestion
from ._bank import BANK, is_bank
from ._draw import Draw, Sample, draw_records
from ._from_bank import compose_records, composition_of, n_composable
from ._selection import Selection
from ._sources import Source, name_of, open_records, select

Columns = Mapping[str, str]


def load_texts(
    source: Source = BANK,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> list[LabelledText]:
    """Labelled texts from any source.

    Args:
        source: "bank" (the twelve Chinese social values), "bank:schwartz" (the ten basic values), "bank:poles" (descriptions of
            people who hold a pole of a higher-order value); a published data set by name, from the hub ("moral_stories") or from
            local files ("moral_stories:PATH"); a path (.jsonl, .json, .csv, .tsv, .xlsx, .parquet, a saved `datasets` folder); a
            hub name; a pandas table, a `datasets` object, or any iterable of records or mappings.
        selection: Which values, languages and split, and how many of each group. The bank's default split is "activation".
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        The texts in the order of the source.

    Raises:
        DataError: A source that cannot be read; its subclass `BadRowsError` lists file, line and field of every bad row.
        UnknownNameError: A value, language or split that the source does not have.
    """
    return list(stream(LabelledText, source, selection, columns=columns, skip_bad=skip_bad))


def load_dilemmas(
    source: Source = BANK,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> list[Dilemma]:
    """Dilemmas from any source.

    Args:
        source: As in `load_texts`; "bank:poles" holds no dilemmas.
        selection: As in `load_texts`, a group being (value, language). The bank's default split is "evaluation".
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        The dilemmas in the order of the source.

    Raises:
        DataError: As in `load_texts`.
        UnknownNameError: A value, language or split that the source does not have.
    """
    return list(stream(Dilemma, source, selection, columns=columns, skip_bad=skip_bad))


def load_items(
    source: Source,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> list[QuestionnaireItem]:
    """Questionnaire items from any source but the bank, which holds none.

    Args:
        source: As in `load_texts`, but not the bank.
        selection: As in `load_texts`, a group being (value, language).
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        The items in the order of the source.

    Raises:
        DataError: As in `load_texts`, and for the bank.
        UnknownNameError: A value, language or split that the source does not have.
    """
    return list(stream(QuestionnaireItem, source, selection, columns=columns, skip_bad=skip_bad))


def load_questions(
    source: Source = BANK,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> list[SituationalQuestion]:
    """Situational questions from any source; the bank's ask for the higher-order values.

    Args:
        source: As in `load_texts`.
        selection: As in `load_texts`, a group being (value, language). The bank's questions have no splits and no held-out fillings.
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        The questions in the order of the source.

    Raises:
        DataError: As in `load_texts`, and for a split or fillings of the bank's questions.
        UnknownNameError: A value, language or split that the source does not have.
    """
    return list(stream(SituationalQuestion, source, selection, columns=columns, skip_bad=skip_bad))


@dataclass(frozen=True)
class Stream(Generic[Record]):
    """Records that are read anew each time they are gone through."""

    open_records: Callable[[], Iterator[Record]]

    def __iter__(self) -> Iterator[Record]:
        return self.open_records()


def stream(
    kind: type[Record],
    source: Source,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> Stream[Record]:
    """The records of a source one at a time, for sets larger than memory.

    It may be gone through again and again, by `ValueLens.collect` too, unless its source is itself an iterator. Of what has passed,
    only a hash of each id and its place are kept. Errors that need the whole source come at its end. A draw of `per_group` from
    anything but the bank reads it twice and keeps each record's id, pair, cluster and group meanwhile; an iterator it holds whole.

    Args:
        kind: The class of the records.
        source: As in `load_texts`.
        selection: As in `load_texts`.
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        An iterable of the records.

    Raises:
        DataError: As in `load_texts`, while the records are gone through.
        UnknownNameError: A value, language or split that the source does not have.
    """
    if is_bank(source):
        return Stream(lambda: compose_records(kind, composition_of(kind, source, selection)))
    records = Stream(lambda: select(open_records(kind, source, selection.split, columns, skip_bad), selection, name_of(source)))
    per_group = selection.per_group
    if not isinstance(per_group, int):
        return records
    return Stream(lambda: draw_records(iter(records) if isinstance(source, Iterator) else records, per_group, selection.seed))


def sample(
    kind: type[Record],
    source: Source,
    selection: Selection = Selection(),
    *,
    columns: Columns | None = None,
    skip_bad: str | Path | None = None,
) -> Sample[Record]:
    """The records that `stream` gives, and how many there are to draw from.

    Args:
        kind: The class of the records.
        source: As in `load_texts`.
        selection: As in `load_texts`.
        columns: Our field names mapped to the source's.
        skip_bad: A file that bad rows are written to; without it they are an error, all at once.

    Returns:
        The records, and the number of those of the selected values and languages.

    Raises:
        DataError: As in `load_texts`.
        UnknownNameError: A value, language or split that the source does not have.
    """
    everything = replace(selection, per_group="all")
    if is_bank(source):
        records = list(stream(kind, source, selection))
        return Sample(records, n_composable(kind, composition_of(kind, source, everything)))
    records_of_all = stream(kind, source, everything, columns=columns, skip_bad=skip_bad)
    per_group = selection.per_group
    if not isinstance(per_group, int):
        records = list(records_of_all)
        return Sample(records, len(records))
    repeatable = list(records_of_all) if isinstance(source, Iterator) else records_of_all
    draw = Draw.choose(repeatable, per_group, selection.seed)
    return Sample(list(draw.take(repeatable)), draw.n_available)
