"""Loading texts, dilemmas and questions from the bank, published data sets, files, tables or the Hub."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

from ..core import ASPECTS, Dilemma, LabelledText, QuestionnaireItem, Record, SituationalQuestion, standard
from ..errors import DataError, UnknownNameError
from . import _bank as bank
from . import _compose as compose
from . import _poles as poles
from ._compose import Selection
from ._draw import DEFAULT, Draw, PerGroup, Sample, drawn, require_count
from ._sources import Source, asked_for, name_of, opened

COMPOSED = 200  # records a group that `load_texts` and its kin compose from the bank unless a number is given


def load_texts(
    source: Source = bank.BANK,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    fillings: str = "all",
    per_group: PerGroup = DEFAULT,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> list[LabelledText]:
    """Labelled texts from any source.

    source: "bank" (the twelve Chinese social values), "bank:schwartz" (the ten basic values), "bank:poles" (descriptions of
    people who hold a pole of a higher-order value); a published data set of `LAYOUTS` by name, from the hub ("moral_stories") or
    from local files ("moral_stories:PATH"); a path (.jsonl, .json, .csv, .tsv, .xlsx, .parquet, a saved `datasets` folder); a hub
    name; a pandas table, a `datasets` object, or any iterable of records or mappings.

    For the bank, `split` is "activation" (default) or "evaluation", and `fillings` "all", "training" or "held_out". For a hub name
    `split` is its split ("train"). `columns` maps our field names to the source's. skip_bad: a file for bad rows; without it they are
    an error, all at once.

    per_group: how many of each (value, aspect, language), None for all: drawn by `seed`, every cluster once before any comes again. Of
    the bank's 4,000 texts a group 200 are composed by default; of any other source all are taken.

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
    per_group: PerGroup = DEFAULT,
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
    per_group: PerGroup = DEFAULT,
    seed: int = 0,
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
    per_group: PerGroup = DEFAULT,
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
    per_group: PerGroup = None,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> "Stream[Record]":
    """The records of a source one at a time, for sets larger than memory; arguments and errors as in `load_texts`, default all.

    It may be gone through again and again, by `ValueLens.collect` too, unless its source is itself an iterator. Of what has passed,
    only a hash of each id and its place are kept. Errors that need the whole source come at its end. A draw of `per_group` from
    anything but the bank reads it twice and keeps each record's id, pair, cluster and group meanwhile; an iterator it holds whole.
    """
    require_count("per_group", per_group)
    asked = {"value": _listed(values), "language": _listed(languages)}
    if bank.is_bank(source):
        n_composed = COMPOSED if per_group == DEFAULT else per_group
        rest = Selection(source, (), (), split or "", fillings, n_composed, seed)
        return Stream(lambda: _composed(kind, _selection(kind, rest, asked)))
    whole = Stream(lambda: asked_for(opened(kind, source, split, columns, skip_bad), asked, name_of(source)))
    if per_group is None or per_group == DEFAULT:
        return whole
    return Stream(lambda: drawn(iter(whole) if isinstance(source, Iterator) else whole, per_group, seed))


def sample(
    kind: type[Record],
    source: Source,
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    fillings: str = "all",
    per_group: PerGroup = DEFAULT,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    skip_bad: str | Path | None = None,
) -> Sample[Record]:
    """The records that `stream` gives, and how many there are to draw from; arguments and errors as in `load_texts`."""
    shared: dict[str, Any] = {"values": values, "languages": languages, "split": split, "fillings": fillings}
    if bank.is_bank(source):
        records = list(stream(kind, source, per_group=per_group, seed=seed, **shared))
        asked = {"value": _listed(values), "language": _listed(languages)}
        chosen = _selection(kind, Selection(source, (), (), split or "", fillings, None, seed), asked)
        return Sample(records, _n_composable(kind, chosen))
    require_count("per_group", per_group)
    whole = stream(kind, source, columns=columns, skip_bad=skip_bad, **shared)
    if per_group is None or per_group == DEFAULT:
        records = list(whole)
        return Sample(records, len(records))
    again = list(whole) if isinstance(source, Iterator) else whole
    draw = Draw.of(again, per_group, seed)
    return Sample(list(draw.taken(again)), draw.n_available)


@dataclass(frozen=True)
class Stream(Generic[Record]):
    """Records that are read anew each time they are gone through."""

    opened: Callable[[], Iterator[Record]]

    def __iter__(self) -> Iterator[Record]:
        return self.opened()


def _selection(kind: type, rest: Selection, asked: Mapping[str, list[str] | None]) -> Selection:
    """What is composed from the bank, its values, languages and split known to be there."""
    source, languages = rest.source, _known("language", asked["language"], bank.LANGUAGES)
    if source not in (*bank.BANKS, poles.POLES):
        raise UnknownNameError("source of the bank", source, [*bank.BANKS, poles.POLES])
    if kind is SituationalQuestion or source == poles.POLES:
        if rest.split or rest.fillings != "all":
            raise DataError("pole descriptions and questions have no splits and no held-out fillings")
        if kind not in (SituationalQuestion, LabelledText):
            raise DataError(f"{source!r} holds pole descriptions and questions, no {kind.__name__}")
        return replace(rest, source=poles.POLES, values=_known("value", asked["value"], poles.VALUES), languages=languages)
    if kind not in (LabelledText, Dilemma):
        raise DataError(f"the bank holds no {kind.__name__}; give a file, a table or a published data set")
    split = rest.split or ("activation" if kind is LabelledText else "evaluation")
    _known("split", [split], bank.SPLITS)
    _known("fillings", [rest.fillings], bank.FILLINGS)
    values = _known("value", asked["value"], bank.BANKS[source].names)
    return replace(rest, values=values, languages=languages, split=split)


def _composed(kind: type[Record], chosen: Selection) -> Iterator[Any]:
    if chosen.source == poles.POLES and kind is LabelledText:
        return poles.descriptions(chosen.values, chosen.languages, chosen.per_group)
    if chosen.source == poles.POLES:
        return poles.questions(chosen.values, chosen.languages, chosen.per_group, chosen.seed)
    return compose.compose_texts(chosen) if kind is LabelledText else compose.compose_dilemmas(chosen)


def _n_composable(kind: type[Record], chosen: Selection) -> int:
    if chosen.source == poles.POLES:
        return sum(1 for _ in _composed(kind, chosen))
    return compose.n_draws(chosen) * len(chosen.languages) * (len(ASPECTS) if kind is LabelledText else 1)


def _known(kind: str, asked: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    for name in asked or ():
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return known if asked is None else tuple(name for name in known if name in asked)


def _listed(asked: Sequence[str] | None) -> list[str] | None:
    """Names as a list, one name alone included; raises `DataError` for an empty choice."""
    if asked is None:
        return None
    names = [standard(name) for name in ([asked] if isinstance(asked, str) else asked)]
    if not names:
        raise DataError("an empty list of values or languages chooses nothing; give some, or None for all")
    return names
