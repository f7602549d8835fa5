"""Schemas of artefact kinds: fields, tensors, schema versions, upgrades."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor

from ..errors import ArtefactError, quoted

Content = tuple[dict[str, Any], dict[str, Tensor]]  # metadata and tensors
Upgrade = Callable[[dict[str, Any], dict[str, Tensor]], Content]  # from a schema to the next
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Expected:
    """What stands in a field of the metadata: in words, and how it is told. `axis`: the axis of tensors that it lists."""

    words: str
    holds: Callable[[Any], bool]
    axis: str = ""


TEXT = Expected("a text", lambda content: isinstance(content, str))
COUNT = Expected("a whole number of at least 0", lambda content: _is_whole(content) and content >= 0)
SIZE = Expected("a whole number from 1 to 2**31", lambda content: _is_whole(content) and 1 <= content <= 2**31)
SHARE = Expected("a number above 0 and below 1", lambda content: isinstance(content, float) and 0 < content < 1)
SEED = Expected("a whole number from 0 to 2**63 - 1", lambda content: _is_whole(content) and 0 <= content < 2**63)
OBJECT = Expected("an object", lambda content: isinstance(content, dict))


def _is_whole(content: object) -> bool:
    return isinstance(content, int) and not isinstance(content, bool)


def list_of(item: Expected, axis: str = "", *, distinct: bool = False) -> Expected:
    """A list of such items, in the order of an axis."""

    def holds(content: Any) -> bool:
        if not (isinstance(content, list) and all(map(item.holds, content))):
            return False
        return not distinct or len(set(content)) == len(content)

    return Expected(f"a list, each item {item.words}{', none twice' if distinct else ''}", holds, axis)


def tuple_of(*items: Expected) -> Expected:
    """A list of just these."""

    def holds(content: Any) -> bool:
        return (
            isinstance(content, list)
            and len(content) == len(items)
            and all(i.holds(g) for i, g in zip(items, content, strict=True))
        )

    return Expected(f"a list of {len(items)}: {', '.join(item.words for item in items)}", holds)


def object_of(**fields: Expected) -> Expected:
    """An object with just these fields."""

    def holds(content: Any) -> bool:
        return (
            isinstance(content, dict)
            and content.keys() == fields.keys()
            and all(fields[name].holds(content[name]) for name in content)
        )

    return Expected(f"an object with {', '.join(f'{name} ({inner.words})' for name, inner in fields.items())}", holds)


@dataclass(frozen=True)
class Numbers:
    """A tensor: its axes ("..." for any before the last), its dtypes, and whether it may be missing, negative or not finite."""

    axes: str
    dtypes: tuple[torch.dtype, ...]
    optional: bool = False
    negative: bool = False
    finite: bool = True


def unchanged(meta: dict[str, Any], tensors: dict[str, Tensor]) -> Content:
    """The upgrade to a schema that only adds something optional."""
    return meta, tensors


@dataclass(frozen=True)
class Kind:
    """One kind of artefact. `schema` is its current version; `upgrades[n]` makes content of version n into that of n + 1.

    tensors: by name, or by a pattern ("part.*"). A change of what is saved raises `schema` and adds an upgrade, so that every file
    written so far is read. The versions of the kinds are independent of each other. former: names that the kind had before.
    """

    name: str
    fields: Mapping[str, Expected]
    tensors: Mapping[str, Numbers] = field(default_factory=dict)
    schema: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    former: tuple[str, ...] = ()

    def require_known(self, schema: object) -> None:
        """Raise `ArtefactError`, which does not say the place, for a schema that is not read."""
        if not (_is_whole(schema) and schema in range(1, self.schema + 1)):
            known = "schema 1" if self.schema == 1 else f"schemas 1 to {self.schema}"
            raise ArtefactError(f"has schema {quoted(schema)}; this version of value_lens reads {known} of a {self.name}")

    def read(self, schema: int, meta: Any, tensors: dict[str, Tensor]) -> Content:
        """Content of any known version as that of the current one, checked.

        Raises `ArtefactError` with every problem; it does not say the place.
        """
        if not isinstance(meta, dict):
            raise ArtefactError(f"holds {quoted(meta)} where its fields should stand")
        for version in range(schema, self.schema):
            try:
                meta, tensors = self.upgrades[version](dict(meta), dict(tensors))
            except ArtefactError:
                raise
            except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
                raise ArtefactError(
                    f"is unusable as {self.name} of schema {version}: {type(error).__name__}: {error}"
                ) from error
        if problems := list(self._problems(meta, tensors)):
            raise ArtefactError(f"is unusable as {self.name}:\n" + "\n".join(f"  {problem}" for problem in problems))
        return meta, tensors

    def _problems(self, meta: dict[str, Any], tensors: dict[str, Tensor]) -> Iterator[str]:
        yield from (f"field {name!r} is missing" for name in self.fields if name not in meta)
        yield from (f"field {name!r} is not known; known: {', '.join(self.fields)}" for name in meta if name not in self.fields)
        sizes: dict[str, tuple[int, str]] = {}
        for name, expected in self.fields.items():
            if name in meta and not expected.holds(meta[name]):
                yield f"field {name!r}: expected {expected.words}, got {quoted(meta[name])}"
            elif name in meta and expected.axis:
                yield from _same_size(sizes, expected.axis, len(meta[name]), f"field {name!r}")
        required = [name for name, numbers in self.tensors.items() if not numbers.optional]
        yield from (f"tensor {name!r} is missing" for name in required if name not in tensors)
        for name, tensor in tensors.items():
            numbers = next((candidate for pattern, candidate in self.tensors.items() if fnmatchcase(name, pattern)), None)
            if numbers is None:
                yield f"tensor {name!r} is not known; known: {', '.join(self.tensors) or 'none'}"
            else:
                yield from _tensor_problems(name, tensor, numbers, sizes)


def _same_size(sizes: dict[str, tuple[int, str]], axis: str, size: int, where: str) -> Iterator[str]:
    """Every axis has one size; the first that states it is believed."""
    stated_size, stated_in = sizes.setdefault(axis, (size, where))
    if stated_size != size:
        yield f"{where}: axis {axis!r} has {size} entries, but {stated_size} in {stated_in}"


def _tensor_problems(name: str, tensor: Tensor, numbers: Numbers, sizes: dict[str, tuple[int, str]]) -> Iterator[str]:
    where = f"tensor {name!r}"
    if tensor.dtype not in numbers.dtypes:
        known = " or ".join(str(dtype).removeprefix("torch.") for dtype in numbers.dtypes)
        yield f"{where}: expected {known}, got {str(tensor.dtype).removeprefix('torch.')}"
        return
    axes = numbers.axes.removeprefix("...").split()
    if tensor.ndim < len(axes) or (tensor.ndim > len(axes) and not numbers.axes.startswith("...")):
        yield f"{where}: expected axes [{numbers.axes}], got shape {tuple(tensor.shape)}"
        return
    for axis, size in zip(reversed(axes), reversed(tensor.shape), strict=False):
        yield from _same_size(sizes, axis, size, where)
    if numbers.finite and not bool(torch.isfinite(tensor).all()):
        yield f"{where}: holds NaN or infinity"
    if not numbers.negative and bool((tensor < 0).any()):
        yield f"{where}: holds a negative number"
