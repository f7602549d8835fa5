"""The terminal commands; `value-lens --help` lists them."""

from . import _corpora, _jobs
from ._terminal import app

__all__ = ["_corpora", "_jobs", "app"]
