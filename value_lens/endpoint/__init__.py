"""A client for language-model endpoints: requests with retries, cost, the journal of answers, thoughts in answers."""

from ._client import EndpointWriter, Message, RefusedError, Reply, TransientError, Writer
from ._cost import Cost, Prices, Usage
from ._journal import Journal
from ._requests import GivenUpError, Requester, RequestPolicy
from ._thoughts import UNCLOSED, Marks, answer_start, leaves_open, marks_of

__all__ = [
    "Cost",
    "EndpointWriter",
    "GivenUpError",
    "Journal",
    "Marks",
    "Message",
    "Prices",
    "RefusedError",
    "Reply",
    "RequestPolicy",
    "Requester",
    "TransientError",
    "UNCLOSED",
    "Usage",
    "Writer",
    "answer_start",
    "leaves_open",
    "marks_of",
]
