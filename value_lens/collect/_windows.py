"""Windows of encoded texts; a list is checked whole before the first run, a stream as it comes."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..core import LabelledText
from ..errors import DataError
from ..model import EncodedText, Input, LensModel, TooLong, combine_errors, encode_each, special_ids, windows

WINDOW = 1024  # texts encoded and sorted at one time
KEPT_TOKENS = 2**24  # token ids kept between the check of a list and its count: 64 MiB; the rest is encoded twice


class Window(NamedTuple):
    """Consecutive texts, in the corpus's order, and their token ids; `origin` of an encoded text is its place in the corpus."""

    texts: list[LabelledText]
    encoded: list[EncodedText]


@dataclass(frozen=True)
class _PackedText:
    """An encoded text in four bytes a token."""

    ids: "array[int]"
    counted: int
    n_cut: int

    def unpack(self, origin: int) -> EncodedText:
        return EncodedText(tuple(self.ids), self.counted, origin, self.n_cut)


def encoded_windows(lens: LensModel, texts: Iterable[LabelledText], too_long: TooLong) -> Iterator[Window]:
    """The windows of a corpus.

    Of a sequence all texts are encoded before the first window comes, and all that cannot be counted are told in one error. Of
    anything else a window is encoded when it is reached. Raises `DataError` or `TooLongError`.
    """
    packed = _check_all(lens, texts, too_long) if isinstance(texts, Sequence) else []
    first = 0
    for window in windows(texts, WINDOW):
        checked = [packed[index].unpack(index) for index in range(first, min(first + len(window), len(packed)))]
        rest = _encode(lens, window[len(checked) :], first + len(checked), too_long)
        if faults := [item for item in rest if isinstance(item, DataError)]:
            raise combine_errors(faults, len(window))
        yield Window(window, [*checked, *(item for item in rest if isinstance(item, EncodedText))])
        first += len(window)


def _check_all(lens: LensModel, texts: Sequence[LabelledText], too_long: TooLong) -> list[_PackedText]:
    """The first texts, encoded, as far as `KEPT_TOKENS` reach. Raises one error for all texts of the sequence that have faults."""
    packed: list[_PackedText] = []
    faults: list[DataError] = []
    n_tokens = first = 0
    for window in windows(texts, WINDOW):
        for item in _encode(lens, window, first, too_long):
            if isinstance(item, DataError):
                faults.append(item)
                continue
            n_tokens += len(item.ids)
            if n_tokens <= KEPT_TOKENS and not faults:
                packed.append(_PackedText(array("i", item.ids), item.counted, item.n_cut))
        first += len(window)
    if faults:
        raise combine_errors(faults, len(texts))
    return packed


def _encode(lens: LensModel, texts: Sequence[LabelledText], origin: int, too_long: TooLong) -> list[EncodedText | DataError]:
    """Every text with tokens to count, or what is wrong with it."""
    results = encode_each(lens, [Input(text.text, text.prompt, text.id) for text in texts], origin=origin, too_long=too_long)
    special = special_ids(lens.tokenizer)
    for index, (text, item) in enumerate(zip(texts, results, strict=True)):
        if isinstance(item, EncodedText) and special.issuperset(item.ids[item.counted :]):
            results[index] = DataError(f"text {text.id!r} has special tokens only, none to count")
    return results
