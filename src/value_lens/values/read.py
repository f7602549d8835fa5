"""How does a researcher bring a value system of their own? A small YAML or JSON file, read strictly."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from ..errors import DataError
from ..store import write_atomically
from .system import Value, ValueSystem

_SYSTEM = {"name", "values", "circle", "higher_order", "opposites", "relations"}
_VALUE = {"name", "labels", "definition", "level", "stems"}


def load_system(path: str | Path) -> ValueSystem:
    """A value system from a `.yaml`, `.yml` or `.json` file.

    `name` and `values` are needed; each value has a `name`, `labels` by language and a `definition`, and may have a `level` and
    `stems`. `circle`, `higher_order`, `opposites` and `relations` are as in `ValueSystem`. Raises `DataError` with every problem
    at once, each with its place in the file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no file {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    problems = list(_problems(content))
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DataError(f"{path} is no value system:\n{listed}")
    try:
        return _system(content)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def save_system(system: ValueSystem, path: str | Path) -> Path:
    """Write a system as YAML (or JSON, by the ending), so that `load_system` gives it back unchanged."""
    content = json.loads(json.dumps(asdict(system)))
    if Path(path).suffix.lower() == ".json":
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    else:
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    return write_atomically(path, text.encode())


def _problems(content: Any) -> Iterator[str]:
    if not isinstance(content, Mapping):
        yield f"expected an object with 'name' and 'values', got {type(content).__name__}"
        return
    yield from (f"unknown field {key!r}; known: {', '.join(sorted(_SYSTEM))}" for key in content if key not in _SYSTEM)
    if not _is_text(content.get("name")):
        yield f"field 'name': expected a text, got {content.get('name')!r}"
    if not isinstance(content.get("circle", False), bool):
        yield f"field 'circle': expected true or false, got {content['circle']!r}"
    values = content.get("values")
    if not isinstance(values, list) or not values:
        yield f"field 'values': expected a list of values, got {values!r}"
        values = []
    for number, value in enumerate(values, start=1):
        yield from _value_problems(value, f"value {number}")
    groups = content.get("higher_order") or {}
    if not (isinstance(groups, Mapping) and all(_are_texts(members) for members in groups.values())):
        yield f"field 'higher_order': expected lists of value names by group, got {groups!r}"
    pairs = content.get("opposites") or []
    if not (isinstance(pairs, list) and all(_are_texts(pair) and len(pair) == 2 for pair in pairs)):
        yield f"field 'opposites': expected pairs of groups, got {pairs!r}"
    relations = content.get("relations") or {}
    if not (isinstance(relations, Mapping) and all(_is_texts_by_name(found) for found in relations.values())):
        yield f"field 'relations': expected reasons by value of Schwartz, by value, got {relations!r}"


def _value_problems(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{place}: expected an object, got {value!r}"
        return
    yield from (f"{place}: unknown field {key!r}; known: {', '.join(sorted(_VALUE))}" for key in value if key not in _VALUE)
    for field in ("name", "definition"):
        if not _is_text(value.get(field)):
            yield f"{place}: field {field!r}: expected a text, got {value.get(field)!r}"
    if not (_is_texts_by_name(value.get("labels")) and value["labels"]):
        yield f"{place}: field 'labels': expected display names by language, got {value.get('labels')!r}"
    if not isinstance(value.get("level", ""), str):
        yield f"{place}: field 'level': expected a text, got {value['level']!r}"
    stems = value.get("stems") or {}
    if not (isinstance(stems, Mapping) and all(_are_texts(found) for found in stems.values())):
        yield f"{place}: field 'stems': expected lists of word beginnings by language, got {stems!r}"


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and bool(given.strip())


def _are_texts(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and all(_is_text(item) for item in given)


def _is_texts_by_name(given: Any) -> bool:
    return isinstance(given, Mapping) and all(_is_text(key) and _is_text(text) for key, text in given.items())


def _system(content: Mapping[str, Any]) -> ValueSystem:
    values = tuple(
        Value(
            name=value["name"],
            labels=dict(value["labels"]),
            definition=value["definition"],
            level=value.get("level", ""),
            stems={language: tuple(stems) for language, stems in (value.get("stems") or {}).items()},
        )
        for value in content["values"]
    )
    return ValueSystem(
        name=content["name"],
        values=values,
        circle=content.get("circle", False),
        higher_order={group: tuple(members) for group, members in (content.get("higher_order") or {}).items()},
        opposites=tuple((first, second) for first, second in content.get("opposites") or ()),
        relations={value: dict(found) for value, found in (content.get("relations") or {}).items()},
    )
