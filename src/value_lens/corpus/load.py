"""Where do texts and dilemmas come from? The packaged bank, a JSONL file, a `datasets` object or hub name, or a list of records."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, UnknownNameError
from ..values import chinese_social
from . import bank
from .records import Dilemma, LabelledText, Record, read_rows, record_from, unique

Source = Any  # "bank", a path, a hub name, a datasets.Dataset, or an iterable of records or mappings


def load_texts(
    source: Source = "bank",
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str = "activation",
    fillings: str = "all",
    per_group: int | None = 200,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
) -> list[LabelledText]:
    """Labelled texts from any source.

    source: "bank"; a `.jsonl` path; a `datasets.Dataset`; a hub name; or records or mappings. For the bank, `split` is
    "activation" or "evaluation", `fillings` "all", "training" or "held_out", and `per_group` distinct texts are composed for
    each (value, aspect, language) (None: all there are). For a hub name, `split` is its split. Other sources are read whole,
    then at most `per_group` a group are kept in order. `columns` maps our field names to the source's.

    Raises `DataError` (file, line, field) and `UnknownNameError` (value, language, split).
    """
    return _load(LabelledText, source, values, languages, split, fillings, per_group, seed, columns)


def load_dilemmas(
    source: Source = "bank",
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    split: str = "evaluation",
    fillings: str = "all",
    per_group: int | None = 200,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
) -> list[Dilemma]:
    """Dilemmas from any source; as `load_texts`, a group being (value, language)."""
    return _load(Dilemma, source, values, languages, split, fillings, per_group, seed, columns)


def _load(
    kind: type[Record],
    source: Source,
    values: Sequence[str] | None,
    languages: Sequence[str] | None,
    split: str,
    fillings: str,
    per_group: int | None,
    seed: int,
    columns: Mapping[str, str] | None,
) -> list[Record]:
    if per_group is not None and per_group < 1:
        raise DataError(f"per_group is {per_group}; give a count of at least 1, or None for all")
    if isinstance(source, str) and source == "bank":
        return _from_bank(kind, values, languages, split, fillings, per_group, seed)
    values, languages = (None if x is None else _listed(x) for x in (values, languages))
    records = list(unique(_records(kind, source, split, columns)))
    if not records:
        raise DataError(f"{_name(source)} holds no records")
    for asked, field in ((values, "value"), (languages, "language")):
        known = sorted({getattr(record, field) for record in records})
        for name in asked or ():
            if name not in known:
                raise UnknownNameError(field, name, known)
        if asked is not None:
            records = [record for record in records if getattr(record, field) in asked]
    return _first_of_each(records, per_group)


def _from_bank(
    kind: type[Record],
    values: Sequence[str] | None,
    languages: Sequence[str] | None,
    split: str,
    fillings: str,
    per_group: int | None,
    seed: int,
) -> list[Record]:
    values = _known("value", values, chinese_social.names)
    languages = _known("language", languages, bank.LANGUAGES)
    _known("split", [split], bank.SPLITS)
    _known("fillings", [fillings], bank.FILLINGS)
    compose: Any = bank.compose_texts if kind is LabelledText else bank.compose_dilemmas
    return list(compose(values, languages, split=split, fillings=fillings, per_group=per_group, seed=seed))


def _known(kind: str, asked: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if asked is None:
        return known
    asked = _listed(asked)
    for name in asked:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return tuple(name for name in known if name in asked)


def _listed(asked: Sequence[str]) -> list[str]:
    """Names as a list, one name alone included; raises `DataError` for an empty choice."""
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names:
        raise DataError("an empty list of values or languages chooses nothing; give some, or None for all")
    return names


def _records(kind: type[Record], source: Source, split: str, columns: Mapping[str, str] | None) -> Iterable[tuple[str, Record]]:
    """(where, record) of every record of a source."""
    if isinstance(source, Path) or (isinstance(source, str) and (source.endswith(".jsonl") or Path(source).is_file())):
        rows: Iterable[tuple[str, Any]] = read_rows(source)
    else:
        items = _from_hub(source, split) if isinstance(source, str) else source
        rows = ((f"{_name(source)}, row {number}", row) for number, row in enumerate(items, start=1))
    for where, row in rows:
        if isinstance(row, (LabelledText, Dilemma)):
            if not isinstance(row, kind):
                raise DataError(f"{where} is a {type(row).__name__}, not a {kind.__name__}")
            yield where, row
            continue
        if columns and isinstance(row, Mapping):
            missing = [theirs for theirs in columns.values() if theirs not in row]
            if missing:
                raise DataError(f"{where}: no column {missing[0]!r}; found {sorted(map(str, row))}")
            row = {**row, **{ours: row[theirs] for ours, theirs in columns.items()}}
        yield where, record_from(row, kind, where)


def _from_hub(name: str, split: str) -> Iterable[Any]:
    import datasets

    try:
        return datasets.load_dataset(name, split=split)
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(
            f"cannot load {name!r} (split {split!r}) as a data set: {type(error).__name__}: {error}. "
            "Offline, download it where there is a network, save it as JSONL, and give that path (it must end in .jsonl)"
        ) from error


def _name(source: Source) -> str:
    return str(source) if isinstance(source, (str, Path)) else type(source).__name__


def _first_of_each(records: list[Record], per_group: int | None) -> list[Record]:
    taken: dict[tuple[str, ...], int] = {}
    kept: list[Record] = []
    for record in records:
        key = record.group if isinstance(record, LabelledText) else (record.value, record.language)
        taken[key] = taken.get(key, 0) + 1
        if per_group is None or taken[key] <= per_group:
            kept.append(record)
    return kept
