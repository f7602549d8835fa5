"""Value systems from YAML or JSON files, read strictly."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ..core import Value, ValueSystem, holds_half_pair, parse_json, require_sound, write_atomically
from ..errors import DataError, quoted

_SYSTEM = {"name", "values", "circle", "higher_order", "opposites", "relations", "group_labels"}
_VALUE = {"name", "labels", "definition", "level", "stems"}
LARGEST, MOST_PARTS = 2**20, 200_000  # bytes of a file, and lists, objects and texts in it with all aliases written out
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class _Loader(yaml.SafeLoader):
    """YAML in which every scalar is the text that was written, but for true, false and null; no field stands twice."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode))
        if twice := [name for name, count in names.items() if count > 1]:
            raise DataError(f"line {node.start_mark.line + 1}: field {twice[0]!r} stands twice")
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if any(name.tag.endswith(":merge") for name, _ in node.value):
            raise DataError(f"line {node.start_mark.line + 1}: '<<' is not read; write the fields out")


for _tag, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", "<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def load_system(path: str | Path) -> ValueSystem:
    """A value system of one's own from a file.

    `name` and `values` are needed; each value has a `name`, `labels` by language and a `definition`, and may have a `level` and
    `stems`. `circle`, `higher_order`, `opposites`, `group_labels` and `relations` are as in `ValueSystem`. The system is read, not
    made known: see `register_system`.

    Args:
        path: A `.yaml`, `.yml` or `.json` file.

    Returns:
        The value system, its values in the order of the file.

    Raises:
        DataError: A file that is not a valid value system, with every problem at once, each with its place in the file.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"no file {path}")
    content = _content(path)
    problems = list(_problems(content))
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise DataError(f"{path} is not a valid value system:\n{lines}")
    try:
        return _system(content)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _content(path: Path) -> Any:
    """What the file says, not yet checked; raises `DataError` for what is no YAML or JSON, or too large to be a value system."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"is larger than {LARGEST:,} bytes, so it is not a value system")
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix.lower() == ".json":
            return parse_json(text)
        content = yaml.load(text, _Loader)
        require_sound(content, most=MOST_PARTS)
        return content
    except DataError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    except RecursionError:
        raise DataError(f"{path} cannot be read: nested too deeply") from None
    except Exception as error:  # PyYAML raises errors of many types for tags and tokens that it cannot build
        raise DataError(f"{path} cannot be read: {type(error).__name__}: {error}") from None


def save_system(system: ValueSystem, path: str | Path) -> Path:
    """Write a value system to a file, so that `load_system` gives it back unchanged.

    Args:
        system: The value system.
        path: The file; JSON where its name ends in ".json", else YAML.

    Returns:
        The path.

    Raises:
        OutputError: A place that cannot be written to.
    """
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
        yield f"field 'name': expected a text, got {quoted(content.get('name'))}"
    if _switch(content.get("circle")) is None:
        yield f"field 'circle': expected true or false, got {quoted(content['circle'])}"
    values = content.get("values")
    if not isinstance(values, list) or not values:
        yield f"field 'values': expected a list of values, got {quoted(values)}"
        values = []
    for number, value in enumerate(values, start=1):
        yield from _value_problems(value, f"value {number}")
    groups = content.get("higher_order") or {}
    if not (isinstance(groups, Mapping) and all(_are_texts(members) for members in groups.values())):
        yield f"field 'higher_order': expected lists of value names by group, got {quoted(groups)}"
    pairs = content.get("opposites") or []
    if not (isinstance(pairs, list) and all(_are_texts(pair) and len(pair) == 2 for pair in pairs)):
        yield f"field 'opposites': expected pairs of groups, got {quoted(pairs)}"
    labels = content.get("group_labels") or {}
    if not (isinstance(labels, Mapping) and all(_is_texts_by_name(entry) for entry in labels.values())):
        yield f"field 'group_labels': expected display names by language, by group, got {quoted(labels)}"
    relations = content.get("relations") or {}
    if not (isinstance(relations, Mapping) and all(_is_texts_by_name(entry) for entry in relations.values())):
        yield f"field 'relations': expected reasons by value of Schwartz, by value, got {quoted(relations)}"


def _value_problems(value: Any, position: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{position}: expected an object, got {quoted(value)}"
        return
    yield from (f"{position}: unknown field {key!r}; known: {', '.join(sorted(_VALUE))}" for key in value if key not in _VALUE)
    for field in ("name", "definition"):
        if not _is_text(value.get(field)):
            yield f"{position}: field {field!r}: expected a text, got {quoted(value.get(field))}"
    if not (_is_texts_by_name(value.get("labels")) and value["labels"]):
        yield f"{position}: field 'labels': expected display names by language, got {quoted(value.get('labels'))}"
    if not isinstance(value.get("level") or "", str) or holds_half_pair(value.get("level") or ""):
        yield f"{position}: field 'level': expected a text, got {quoted(value['level'])}"
    stems = value.get("stems") or {}
    if not (isinstance(stems, Mapping) and all(_are_texts(entry) for entry in stems.values())):
        yield f"{position}: field 'stems': expected lists of word beginnings by language, got {quoted(stems)}"


def _switch(content: Any) -> bool | None:
    """True or false, however written; false where nothing is; None for anything else."""
    if content is None or isinstance(content, bool):
        return bool(content)
    return _SWITCH.get(content.lower()) if isinstance(content, str) else None


def _is_text(content: Any) -> bool:
    return isinstance(content, str) and bool(content.strip()) and not holds_half_pair(content)


def _are_texts(content: Any) -> bool:
    return isinstance(content, (list, tuple)) and all(_is_text(item) for item in content)


def _is_texts_by_name(content: Any) -> bool:
    return isinstance(content, Mapping) and all(_is_text(key) and _is_text(text) for key, text in content.items())


def _system(content: Mapping[str, Any]) -> ValueSystem:
    values = tuple(
        Value(
            name=value["name"],
            labels=dict(value["labels"]),
            definition=value["definition"],
            level=value.get("level") or "",
            stems={language: tuple(stems) for language, stems in (value.get("stems") or {}).items()},
        )
        for value in content["values"]
    )
    return ValueSystem(
        name=content["name"],
        values=values,
        circle=bool(_switch(content.get("circle"))),
        higher_order={group: tuple(members) for group, members in (content.get("higher_order") or {}).items()},
        opposites=tuple((first, second) for first, second in content.get("opposites") or ()),
        group_labels={group: dict(entry) for group, entry in (content.get("group_labels") or {}).items()},
        relations={value: dict(entry) for value, entry in (content.get("relations") or {}).items()},
    )
