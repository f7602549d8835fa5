"""The terminal commands; `value-lens --help` lists them."""

from . import _audit, _config, _demo, _generate, _run, _sources, _values, _version  # noqa: F401 - each registers its command
from ._terminal import app

__all__ = ["app"]
