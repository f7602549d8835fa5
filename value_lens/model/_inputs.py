"""Encoding many inputs, with all faults reported at once."""

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import DataError, TooLongError
from ._batching import TooLong
from ._encoding import EncodedText, encode, tokenize
from ._lens_model import LensModel

FAULTS_SHOWN = 20


class Input(NamedTuple):
    """A text, what precedes it, and the id that a message calls it by."""

    text: str
    prompt: str = ""
    name: str = ""


def encode_each(
    lens: LensModel, inputs: Sequence[Input], *, origin: int = 0, too_long: TooLong = "refuse"
) -> list[EncodedText | DataError]:
    """Every input as `encode` makes it, numbered from `origin` on, or the error that it raises."""
    plain = iter(tokenize(lens, [item.text for item in inputs if not item.prompt]))
    encoded: list[EncodedText | DataError] = []
    for number, item in enumerate(inputs, start=origin):
        ids = None if item.prompt else next(plain)
        try:
            encoded.append(
                encode(lens, item.text, prompt=item.prompt, ids=ids, origin=number, name=item.name, too_long=too_long)
            )
        except DataError as error:
            encoded.append(error)
    return encoded


def encode_all(lens: LensModel, inputs: Sequence[Input], *, too_long: TooLong = "refuse") -> list[EncodedText]:
    """Every input encoded. Raises `TooLongError` or `DataError` that tells the faults of all of them."""
    encoded = encode_each(lens, inputs, too_long=too_long)
    faults = [item for item in encoded if isinstance(item, DataError)]
    if faults:
        raise combine_errors(faults, len(inputs))
    return [item for item in encoded if isinstance(item, EncodedText)]


def combine_errors(faults: Sequence[DataError], n_inputs: int, what: str = "texts") -> DataError:
    """One error for many; a single one as it is. what: the word for what was given."""
    if len(faults) == 1:
        return faults[0]
    lines = "\n".join(f"  {fault}" for fault in faults[:FAULTS_SHOWN])
    more = f"\n  ... and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
    kind = TooLongError if all(isinstance(fault, TooLongError) for fault in faults) else DataError
    return kind(f"{len(faults)} of {n_inputs} {what} cannot be used:\n{lines}{more}")
