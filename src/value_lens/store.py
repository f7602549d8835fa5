"""How is a result kept on disk? One envelope for every artefact: safetensors or JSON, checked, written atomically, no pickle.

A tensor artefact is a safetensors file whose header carries the envelope; an artefact without tensors is a JSON file. The
envelope holds the kind, the schema version, the library version, the metadata and a SHA-256 checksum of kind, schema, metadata and tensors.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as _to_bytes

from ._version import __version__
from .errors import ArtefactError, OutputError

SCHEMA = 1
_KEY = "value_lens"


def canonical_json(content: object) -> str:
    """One text for one content: sorted keys, no spaces, no NaN.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def checksum(kind: str, meta: dict[str, Any], tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 over kind, schema, metadata and every tensor's name, dtype, shape and bytes."""
    digest = hashlib.sha256(canonical_json([SCHEMA, kind, meta]).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write `content` to a temporary name beside `path`, then rename: a reader sees the old file or the new one, whole.

    Raises `OutputError` when the folder cannot be made or written.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; choose a folder you can write to") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return path


def write_json(path: str | Path, content: object) -> Path:
    """Readable JSON with sorted keys and without NaN: the same content gives the same bytes."""
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return write_atomically(path, (text + "\n").encode())


def require_writable(folder: str | Path) -> Path:
    """Make `folder` and prove that a file can be written there, before any work whose results belong in it."""
    folder = Path(folder)
    probe = write_atomically(folder / ".value_lens_probe", b"")
    probe.unlink()
    return folder


def save(path: str | Path, kind: str, meta: dict[str, Any], tensors: dict[str, torch.Tensor] | None = None) -> Path:
    """Write one artefact; with tensors a safetensors file, without them a JSON file.

    Metadata must be JSON without NaN. Raises `OutputError` when the place cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in (tensors or {}).items()}
    envelope = {
        "kind": kind,
        "schema": SCHEMA,
        "library": __version__,
        "checksum": checksum(kind, meta, tensors),
        "meta": meta,
    }
    if not tensors:
        return write_json(path, envelope)
    return write_atomically(path, _to_bytes(tensors, metadata={_KEY: canonical_json(envelope)}))


def load(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read one artefact back as (metadata, tensors).

    Raises `ArtefactError` when the file is missing, damaged, of another kind, or of a schema this version does not know.
    """
    path = Path(path)
    if not path.is_file():
        raise ArtefactError(f"no file {path}")
    tensors: dict[str, torch.Tensor] = {}
    try:
        if path.read_bytes()[:1] == b"{":
            envelope = json.loads(path.read_text(encoding="utf-8"))
        else:
            with safe_open(path, framework="pt") as file:
                envelope = json.loads((file.metadata() or {})[_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
        found, schema, meta, expected = (envelope[key] for key in ("kind", "schema", "meta", "checksum"))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{path} is not a value_lens artefact or is damaged: {error}") from error
    if schema != SCHEMA:
        raise ArtefactError(f"{path} has schema {schema}; this version of value_lens reads schema {SCHEMA}")
    if found != kind:
        raise ArtefactError(f"{path} holds a {found}, not a {kind}")
    try:
        matches = checksum(kind, meta, tensors) == expected
    except ValueError:  # a NaN or infinity that no artefact holds
        matches = False
    if not matches:
        raise ArtefactError(f"{path} is damaged: its checksum does not match its content")
    return meta, tensors
