"""A client for language-model endpoints, the journal of what was answered, and thoughts in answers."""

from ._client import EndpointWriter, Message, RefusedError, Reply, TransientError, Writer
from ._journal import Journal
from ._thoughts import UNCLOSED, Marks, answer_start, leaves_open, marks_of

__all__ = [
    "EndpointWriter",
    "Journal",
    "Marks",
    "Message",
    "RefusedError",
    "Reply",
    "TransientError",
    "UNCLOSED",
    "Writer",
    "answer_start",
    "leaves_open",
    "marks_of",
]
