"""What does a hostile world hand to a reader? Good inputs of every kind, and mutations of their content and of their bytes."""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from copy import deepcopy

import openpyxl
import pyarrow
import pyarrow.parquet
import torch
import yaml
from safetensors.torch import save as to_bytes

from value_lens.core import _store as store

GOOD = [
    {
        "id": f"t{k}", "text": f'text {k}, "quoted" and 中文', "value": ("care", "duty")[k % 2], "aspect": "+-"[k // 2 % 2],
        "language": ("en", "zh")[k // 3], "prompt": "Why? ", "source": "test",
    }
    for k in range(6)
]  # fmt: skip
SYSTEM = {
    "name": "mine",
    "values": [
        {
            "name": "care",
            "labels": {"en": "Care", "zh": "关怀"},
            "definition": "looking after others",
            "stems": {"en": ["car"]},
        },
        {"name": "duty", "labels": {"en": "Duty"}, "definition": "doing one's part", "level": "first"},
    ],
    "circle": True,
    "higher_order": {"all": ["care", "duty"], "one": ["duty"]},
    "opposites": [["all", "one"]],
    "relations": {"care": {"benevolence": "they are near"}},
}
SCALARS = [
    None, True, False, 0, 1, -1, 7.5, 1e308, 2**31, 2**63, 10**400, "", " ", "+", "-", "en", "x" * 5000, "\0", "\ud83d", "é" * 300,
    "2020-99-99", "!!int abc", "*a", "&a", '"', '"open', "a\tb", "a\nb", "a\r\nb", "\ufeffa", "null", "{}", "../x", "=1+1", "NaN",
]  # fmt: skip
DEEPEST = 300  # levels of what is changed further: copying takes Python two calls a level, and it has a thousand


def nested(depth: int) -> object:
    found: object = 1
    for _ in range(depth):
        found = [found]
    return found


def depth(content: object) -> int:
    """Levels of lists and objects. Without recursion."""
    found, level = 0, [content]
    while level := [inner for outer in level if isinstance(outer, list | dict) for inner in _within(outer)]:
        found += 1
    return found


def _within(container: list | dict) -> list:
    return [None, *(container.values() if isinstance(container, dict) else container)]  # an empty one is a level, too


def hostile(rng: random.Random) -> object:
    """Something that has no business where it is put."""
    draw = rng.random()
    if draw < 0.7:
        return rng.choice(SCALARS)
    if draw < 0.8:
        return nested(rng.choice([1, 5, 90, 120, 300]))
    return rng.choice([[], {}, [[]], {"a": {}}, [1, "a", None], {"": ""}, ["care"] * 50])


def places_in(content: object) -> list[tuple[object, object]]:
    """(container, key) of everything in lists and objects."""
    found: list[tuple[object, object]] = []
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        found.append((content, key))
        found += places_in(content[key])  # type: ignore[index]
    return found


def change(content: object, rng: random.Random) -> object:
    """A copy in which one thing is replaced, gone, doubled, renamed or added."""
    copy = deepcopy(content)
    places = places_in(copy)
    if not places:
        return hostile(rng)
    container, key = rng.choice(places)
    how = rng.choice(["replace", "replace", "remove", "rename", "swap"])
    if how == "replace":
        container[key] = hostile(rng)  # type: ignore[index]
    elif how == "remove":
        del container[key]  # type: ignore[attr-defined]
    elif how == "rename" and isinstance(container, dict):
        container[rng.choice(["extra", "Id", "", "text ", "\ud83d", "x" * 3000])] = container.pop(key)
    elif isinstance(container, list):
        container.insert(rng.randrange(len(container) + 1), deepcopy(container[key]))  # type: ignore[call-overload]
    else:
        other, place = rng.choice(places)
        container[key] = deepcopy(other[place])  # type: ignore[index]
    return copy


def damage(content: bytes, rng: random.Random) -> bytes:
    """The bytes flipped, cut, doubled, in another encoding, or with something strewn in."""
    if not content:
        return b"\0"
    at, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    how = rng.randrange(9)
    if how == 0:
        flipped = bytearray(content)
        for _ in range(rng.choice([1, 1, 3, 30])):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    if how == 1:
        return content[:at]
    if how == 2:
        return content[:at] + content[min(end, at + 40) :]
    if how == 3:
        return content[:end] + content[at:]
    if how == 4:
        strewn = rng.choice(
            [b"\0", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"\t", b"\r", b"\n", b"[" * 2000, b"9" * 5000, b"{", b",", b"'"]
        )
        return content[:at] + strewn + content[at:]
    if how == 5:
        return content.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\n", b"\0\n"]))
    if how == 6:
        return rng.randbytes(rng.choice([0, 1, 8, 200]))
    if how == 7:
        try:
            return content.decode().encode(rng.choice(["utf-16", "utf-8-sig", "latin-1", "utf-32", "utf-16-le"]), "replace")
        except UnicodeDecodeError:
            return content[::-1]
    return content.replace(b":", rng.choice([b"", b"::", b"=", b": &a "]), rng.choice([1, -1]))


def mutate(content: object, write: Callable[[object], bytes], rng: random.Random) -> tuple[bytes, object | None]:
    """(bytes, changed content or None where it is not known what they hold)."""
    changed, known = content, True
    while rng.random() < 0.7 and depth(changed) <= DEEPEST:
        changed = change(changed, rng)
    written = write(changed)
    while rng.random() < 0.35:
        written, known = damage(written, rng), False
    return written, changed if known else None


# Writers of every format


def json_bytes(content: object) -> bytes:
    return json.dumps(content).encode()


def jsonl_bytes(rows: object) -> bytes:
    return b"".join(json_bytes(row) + b"\n" for row in rows) if isinstance(rows, list) else json_bytes(rows)


def cells_of(rows: object) -> list[list[str]]:
    """A table of texts of whatever rows were made of."""
    table = [list(GOOD[0])]
    for row in rows if isinstance(rows, list) else [rows]:
        cells = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
        table.append(["" if cell is None else shown(cell).encode("utf-8", "replace").decode() for cell in cells])
    return table


def shown(cell: object) -> str:
    try:
        return str(cell)
    except ValueError:  # more digits than Python writes
        return "9" * 5000


def csv_bytes(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(cells_of(rows))
    return text.getvalue().encode()


def quoting_tsv_bytes(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter="\t").writerows(cells_of(rows))
    return text.getvalue().encode()


def plain_tsv_bytes(rows: object) -> bytes:
    return "".join("\t".join(cells) + "\n" for cells in cells_of(rows)).encode()


def parquet_bytes(rows: object) -> bytes:
    columns = {name: [] for name in GOOD[0]}
    for row in rows if isinstance(rows, list) else []:
        for name, column in columns.items():
            cell = row.get(name) if isinstance(row, dict) else None
            column.append(cell if isinstance(cell, str) and "\ud83d" not in cell else None)
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and isinstance(rows[0].get("text"), (int, float)):
        columns["text"] = list(range(len(rows)))  # a column of another type
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), written)
    return written.getvalue()


def workbook_parts() -> dict[str, bytes]:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(GOOD[0]))
    for row in GOOD:
        sheet.append(list(row.values()))
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return written.getvalue()


def yaml_bytes(content: object) -> bytes:
    try:
        return yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode(errors="surrogatepass")
    except (ValueError, RecursionError, yaml.YAMLError):
        return b"name: " + repr(content).encode(errors="backslashreplace")


# Artefacts, changed and sealed again


def resealed(kind: str, schema: object, meta: object, tensors: dict[str, torch.Tensor]) -> bytes:
    """An artefact with a right checksum, whatever it holds; with a wrong one where no checksum can be taken."""
    try:
        sealed = store.checksum(kind, schema, meta, tensors)  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        sealed = "0" * 64
    envelope = {"kind": kind, "schema": schema, "library": "0", "checksum": sealed, "meta": meta}
    if not tensors:
        return json.dumps(envelope).encode()
    return to_bytes(tensors, metadata={"value_lens": json.dumps(envelope)})


def change_tensors(tensors: dict[str, torch.Tensor], rng: random.Random) -> dict[str, torch.Tensor]:
    """One tensor of another type, shape or content, gone, renamed, or one more."""
    changed = dict(tensors)
    name = rng.choice(sorted(changed))
    tensor = changed[name]
    how = rng.randrange(9)
    if how == 0:
        changed[name] = tensor.to(
            rng.choice([torch.float64, torch.float32, torch.int64, torch.int32, torch.bool, torch.bfloat16])
        )
    elif how == 1:
        changed[name] = tensor[: rng.randrange(len(tensor) + 1)].clone() if tensor.ndim else tensor
    elif how == 2:
        changed[name] = tensor[None].clone()
    elif how == 3:
        changed[name] = torch.cat([tensor, tensor])
    elif how == 4:
        del changed[name]
    elif how == 5:
        changed[rng.choice(["extra", "part.more", "block_fired", "total"])] = changed.pop(name)
    elif how == 6:
        changed[rng.choice(["extra", "part.more", "total_sq"])] = tensor.clone()
    elif tensor.numel():
        flat = tensor.clone().flatten()
        given = [-1, 10**9, 2**30, 0] if not flat.is_floating_point() else [-1.0, float("nan"), float("inf"), 1e30]
        flat[rng.randrange(len(flat))] = rng.choice(given)
        changed[name] = flat.reshape(tensor.shape)
    return changed
