"""Rows to records: mappings read strictly, with the field names of other projects."""

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral
from typing import Any

from ..errors import DataError, quoted
from ._names import fold_name, standard
from ._records import Dilemma, LabelledText, QuestionnaireItem, Record, require_str

_POLARITY = {"1": "+", "+1": "+", "1.0": "+", "-1": "-", "-1.0": "-", "+": "+", "-": "-"}
_SYNONYMS = {"LabelledText": ("polarity", "response"), "QuestionnaireItem": ("agreement",)}
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def id_of(content: object, name: str = "id") -> str:
    """An id as it was written: a text, or the digits of a whole number (numpy's, too).

    Raises `DataError` for anything else: what was read as true, 7.0 or a date may have been written in several ways.
    """
    if isinstance(content, Integral) and not isinstance(content, bool):
        return str(int(content))
    if not isinstance(content, str):
        require_str(name, content)
    return str(content)


def record_from(row: object, kind: type[Record], where: object) -> Record:
    """One record from one mapping; unknown keys are ignored.

    `polarity` +1/-1 is read as the aspect, `response` as the text, and `agreement` +1/-1 of a questionnaire as its key. An id may be
    a whole number; every other field but `reverse_keyed` is text and stays as it is written. Raises `DataError` that names `where`
    (file and line) and the field, for a field whose name differs from one of ours in case or width only, too.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: expected an object with fields, got {type(row).__name__}")
    try:
        _require_own_names(row, kind)
        row = _mend_cluster(_read_synonyms(dict(row), kind), kind)
        chosen: dict[str, Any] = {}
        for field in fields(kind):
            if row.get(field.name) is not None:
                chosen[field.name] = row[field.name]
                if field.type is str and field.name != "id":
                    require_str(field.name, row[field.name])
            elif field.default not in ("", False):
                hint = " (or 'polarity', +1 or -1)" if field.name == "aspect" else ""
                lacks = "empty (null)" if field.name in row else "missing"
                raise DataError(f"field {field.name!r}{hint} is {lacks}; found {sorted(map(str, row))}")
        return kind(**{**chosen, "id": id_of(chosen["id"])})
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _require_own_names(row: Mapping[Any, Any], kind: type) -> None:
    """Refuse a field whose name differs from one of ours in case or width only, which would be passed over in silence."""
    own = {field.name for field in fields(kind)} | set(_SYNONYMS.get(kind.__name__, ()))
    for name in row:
        if name not in own and isinstance(name, str) and fold_name(name) in own:
            raise DataError(
                f"field {name!r} differs from {fold_name(name)!r} only in case, width or outer white space; rename it, or map it with "
                f"columns={{{fold_name(name)!r}: {name!r}}}"
            )


def _mend_cluster(row: dict[str, Any], kind: type) -> dict[str, Any]:
    """Move a source out of the field of the cluster, where generated dilemmas were once written with it."""
    if kind is Dilemma and not row.get("source") and str(row.get("cluster") or "").startswith("generated:"):
        row["source"], row["cluster"] = row["cluster"], ""
    return row


def _read_synonyms(row: dict[str, Any], kind: type) -> dict[str, Any]:
    if kind is LabelledText:
        if row.get("aspect") is None and "polarity" in row:
            row["aspect"] = _polarity(row["polarity"], "polarity")
        elif isinstance(row.get("aspect"), str):
            row["aspect"] = standard(row["aspect"])
        if row.get("text") is None and row.get("response") is not None:
            row["text"] = row["response"]
    if kind is QuestionnaireItem:
        key = row.get("reverse_keyed")
        if key is None and row.get("agreement") is not None:
            row["reverse_keyed"] = _polarity(row["agreement"], "agreement") == "-"
        elif not isinstance(key, bool) and str(key).lower() in _YES:
            row["reverse_keyed"] = _YES[str(key).lower()]
    return row


def _polarity(content: object, field: str) -> str:
    if standard(str(content)) not in _POLARITY:
        raise DataError(f"field {field!r}: {quoted(content)} is neither +1 nor -1")
    return _POLARITY[standard(str(content))]
