"""Configuration files of a study: YAML or JSON, read strictly, written with the help of each field."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..core import parse_json, require_sound, write_atomically
from ..errors import DataError, ValueLensError, quoted
from ._config import Study, study_options
from ._options import Option
from ._use import load_used

USE = next(one for one in study_options() if one.name == "use")
MOST_PARTS = 10_000  # lists, objects and settings of a file, with all aliases written out


class _Loader(yaml.SafeLoader):
    """YAML in which no field stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode))
        if twice := [name for name, count in names.items() if count > 1]:
            raise DataError(f"line {node.start_mark.line + 1}: field {twice[0]!r} stands twice")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(  # "1e-3", which YAML 1.1 reads as a text
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"), list("-+.0123456789")
)


def load_study(path: str | Path) -> Study:
    """The study that a configuration file describes.

    Args:
        path: A `.yaml`, `.yml` or `.json` file, as `value-lens config` prints it. Fields that it lacks have their defaults.

    Returns:
        The study.

    Raises:
        DataError: The file is not there, cannot be read, or has unknown fields or settings that cannot be used; all are named.
    """
    options = options_in(path)
    try:
        return Study.from_options(options)
    except ValueLensError as error:
        raise DataError(f"{path}: {error}") from None


def options_in(path: str | Path) -> dict[str, Any]:
    """{the terminal's name: setting} of what a configuration file sets; errors as in `load_study`."""
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"no file {path}")
    content = _content(path)
    settings: dict[str, Any] = {}
    if isinstance(content, Mapping) and not USE.problem(paths := USE.normal(content.get(USE.field, ()))):
        load_used(paths)  # first: their strategies may be chosen
    problems = list(_read(content, (), settings))
    if problems:
        raise DataError(f"{path} is not a valid configuration:\n" + "\n".join(f"  {problem}" for problem in problems))
    return settings


def save_study(study: Study, path: str | Path) -> Path:
    """Write a study as a configuration file that `load_study` reads back to an equal one.

    Args:
        study: The study.
        path: The file; `.json` is written as JSON, any other ending as YAML.

    Returns:
        The path.

    Raises:
        OutputError: The file cannot be written.
    """
    if Path(path).suffix.lower() == ".json":
        return write_atomically(path, (json.dumps(_nested(study), ensure_ascii=False, indent=1) + "\n").encode())
    return write_atomically(path, study_yaml(study).encode())


def study_yaml(study: Study) -> str:
    """A study as YAML, with the help of each field as a comment."""
    lines: list[str] = []
    settings, part = study.to_options(), ""
    for one in study_options():
        *parents, name = one.path
        if parents and parents[0] != part:
            lines.append(f"{parents[0]}:")
        part = parents[0] if parents else ""
        indent = "  " * len(parents)
        setting = json.dumps(settings[one.name], ensure_ascii=False)
        if isinstance(settings[one.name], str):
            yaml_text = yaml.safe_dump({name: settings[one.name]}, allow_unicode=True, width=10**6).strip()
        else:
            yaml_text = f"{name}: {setting}"
        lines += [f"{indent}# {one.help_with_choices}", *(f"{indent}{line}" for line in yaml_text.splitlines())]
    return "\n".join(lines) + "\n"


def _nested(study: Study) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for one in study_options():
        subtree = nested
        for part in one.path[:-1]:
            subtree = subtree.setdefault(part, {})
        subtree[one.path[-1]] = study.to_options()[one.name]
    return nested


def _content(path: Path) -> Any:
    """What the file says, not yet checked."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if path.suffix.lower() == ".json":
            return parse_json(text)
        content = yaml.load(text, _Loader)
        require_sound(content, most=MOST_PARTS)
        return {} if content is None else content
    except DataError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    except RecursionError:
        raise DataError(f"{path} cannot be read: nested too deeply") from None
    except Exception as error:  # PyYAML raises errors of many types for tags and tokens that it cannot build
        raise DataError(f"{path} cannot be read: {type(error).__name__}: {error}") from None


def _read(content: Any, path: tuple[str, ...], settings: dict[str, Any]) -> Iterator[str]:
    """Put the settings of a file, or of a part of it, into `settings`; yields the problems of the others."""
    prefix = f"field {'.'.join(path)!r}: " if path else ""
    if not isinstance(content, Mapping):
        yield f"{prefix}expected an object with fields, got {quoted(content)}"
        return
    options = {one.path[len(path)]: one for one in study_options() if one.path[: len(path)] == path}
    for name, value in content.items():
        field_path = (*path, name)
        if name not in options:
            yield f"unknown field {'.'.join(map(str, field_path))!r}; known: {', '.join(options)}"
        elif options[name].path == field_path:
            yield from _read_option(options[name], value, settings)
        else:
            yield from _read(value, field_path, settings)


def _read_option(one: Option, value: Any, settings: dict[str, Any]) -> Iterator[str]:
    normal = one.normal(value)
    if problem := one.problem(normal):
        yield f"field {one.field!r}: {problem.removeprefix(f'{one.name}: ')}"
    else:
        settings[one.name] = normal
