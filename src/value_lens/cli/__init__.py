"""What can be done from a terminal? `value-lens --help` tells."""

from . import corpora, jobs
from .terminal import app

__all__ = ["app", "corpora", "jobs"]
