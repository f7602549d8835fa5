"""Artefact files: safetensors or JSON with a checksum, written atomically, no pickle.

A tensor artefact is a safetensors file whose header carries the envelope; an artefact without tensors is a JSON file. The
envelope holds the kind, its schema version, the library version, the metadata and a SHA-256 checksum of kind, schema, metadata and
tensors.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save as _to_bytes

from .._version import __version__
from ..errors import ArtefactError, OutputError, ValueLensError, quoted
from ._json import parse_json
from ._kinds import Kind

_KEY = "value_lens"
Artefact = TypeVar("Artefact")


def canonical_json(content: object) -> str:
    """One text for one content: sorted keys, no spaces, no NaN.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def checksum(kind: str, schema: int, meta: dict[str, Any], tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 over kind, schema, metadata and every tensor's name, dtype, shape and bytes."""
    digest = hashlib.sha256(canonical_json([schema, kind, meta]).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write `content` to a temporary name beside `path`, then rename: a reader sees the old file or the new one, whole.

    Who may read it is as for any new file (the process's umask). Raises `OutputError` when the folder cannot be made or written.
    """
    path, temporary = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{secrets.token_hex(8)}.part"  # short: the name itself may be as long as names may be
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except (OSError, ValueError) as error:  # ValueError: NUL in a name
        raise OutputError(f"cannot write {path}: {_reason(error)}; choose a folder you can write to") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return path


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error


def write_json(path: str | Path, content: object) -> Path:
    """Readable JSON with sorted keys and without NaN: the same content gives the same bytes."""
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return write_atomically(path, (text + "\n").encode())


def require_writable(folder: str | Path) -> Path:
    """Make `folder` and prove that a file can be written there, before any work whose results belong in it."""
    folder = Path(folder)
    probe = write_atomically(folder / f".value_lens_{secrets.token_hex(8)}", b"")
    probe.unlink()
    return folder


def save(path: str | Path, kind: Kind, meta: dict[str, Any], tensors: dict[str, torch.Tensor] | None = None) -> Path:
    """Write one artefact; with tensors a safetensors file, without them a JSON file.

    Raises `ArtefactError` for metadata that is no JSON (without NaN) or content that the kind does not allow, `OutputError` when the
    place cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in (tensors or {}).items()}
    try:
        meta = json.loads(canonical_json(meta))
        sealed = checksum(kind.name, kind.schema, meta, tensors)
        kind.read(kind.schema, meta, tensors)
    except ArtefactError as error:
        raise ArtefactError(f"{path} is not written: what should be saved {error}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ArtefactError(f"{path} is not written: its metadata is no JSON: {type(error).__name__}: {error}") from error
    envelope = {"kind": kind.name, "schema": kind.schema, "library": __version__, "checksum": sealed, "meta": meta}
    if not tensors:
        return write_json(path, envelope)
    return write_atomically(path, _to_bytes(tensors, metadata={_KEY: canonical_json(envelope)}))


def load(path: str | Path, kind: Kind, build: Callable[[dict[str, Any], dict[str, torch.Tensor]], Artefact]) -> Artefact:
    """Read one artefact back: what `build` makes of its metadata and tensors.

    Files of older schemas of the kind are read as if written today. Raises `ArtefactError`, which names the file, when it is missing,
    damaged, of another kind, of a schema this version does not know, or when its content is not what the kind must hold.
    """
    path = Path(path)
    name, schema, meta, sealed, tensors = _read_artefact(path)
    if name not in (kind.name, *kind.former):
        raise ArtefactError(f"{path} holds a {name if isinstance(name, str) else quoted(name)}, not a {kind.name}")
    try:
        kind.require_known(schema)
        if not _matches(sealed, name, schema, meta, tensors):
            raise ArtefactError("is damaged: its checksum does not match its content")
        return build(*kind.read(schema, meta, tensors))
    except ValueLensError as error:
        raise ArtefactError(f"{path} {error}") from error


def is_artefact(path: Path) -> bool:
    """Whether a file is an artefact of some kind, sound or not."""
    try:
        _read_artefact(path, with_tensors=False)
    except ArtefactError:
        return False
    return True


def _read_artefact(path: Path, *, with_tensors: bool = True) -> tuple[Any, Any, Any, Any, dict[str, torch.Tensor]]:
    """Kind, schema, metadata, checksum and tensors, as they stand in the file."""
    if not os.path.isfile(path):
        raise ArtefactError(f"no file {path}")
    tensors: dict[str, torch.Tensor] = {}
    try:
        with path.open("rb") as file:
            is_json = file.read(1) == b"{"
        if is_json:
            envelope = parse_json(path.read_bytes().decode(), deepest=None)
        else:
            with safe_open(path, framework="pt") as file:
                envelope = parse_json((file.metadata() or {})[_KEY], deepest=None)
                tensors = {name: file.get_tensor(name) for name in file.keys() if with_tensors}
        return (*(envelope[key] for key in ("kind", "schema", "meta", "checksum")), tensors)
    except KeyError as error:
        raise ArtefactError(f"{path} is not a value_lens artefact or is damaged: it has no {error}") from error
    except Exception as error:  # safetensors raises errors of many types for a damaged file
        raise ArtefactError(f"{path} is not a value_lens artefact or is damaged: {error}") from error


def _matches(sealed: object, kind: str, schema: Any, meta: Any, tensors: dict[str, torch.Tensor]) -> bool:
    try:
        return checksum(kind, schema, meta, tensors) == sealed
    except (ValueError, TypeError, RecursionError):  # NaN, infinity or half a character pair, which no artefact holds
        return False
