"""Normal forms of names: width and outer white space make no difference; names that differ in case are an error.

Names of values, of languages and of groups of values pass through `standard` wherever they come in, and whatever holds several of
them passes them through `require_distinct`.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

from ..errors import DataError
from ._json import require_whole_pairs

Entry = TypeVar("Entry")


@lru_cache(maxsize=4096)
def standard(name: str) -> str:
    """The name without outer white space, letters of full or half width as plain ones, accents composed; else as written.

    Raises `DataError` for half of a character pair.

    >>> standard(" ｃａｒｅ\\u3000"), standard("zh-CN"), standard("①")
    ('care', 'zh-CN', '①')
    """
    if name.isascii():
        return name.strip()
    require_whole_pairs(name, "name")
    return unicodedata.normalize("NFC", "".join(map(_of_plain_width, name))).strip()


def _of_plain_width(letter: str) -> str:
    wide = unicodedata.decomposition(letter).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", letter) if wide else letter


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """What all spellings of a name share that differ in case, width, ligatures or outer white space only.

    >>> fold_name("Ｃａｒｅ ") == fold_name("care"), fold_name("care") == fold_name("cares")
    (True, False)
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def require_distinct(what: str, names: Iterable[str] | Mapping[str, object]) -> None:
    """Raise `DataError` that tells all names that differ in case, width or outer white space only.

    what: such as "value". names: as they are written; with a mapping, each with the place it was met first.
    """
    spellings: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        spellings.setdefault(fold_name(name), []).append(name)
    origins = names if isinstance(names, Mapping) else {}
    alike = [
        " and ".join(f"{name!r}{f' ({origins[name]})' if name in origins else ''}" for name in spelt)
        for spelt in spellings.values()
        if len(spelt) > 1
    ]
    if alike:
        raise DataError(
            f"the {what} is written in ways that differ only in case, width or outer white space: {'; '.join(alike)}; "
            "write it in one way"
        )


def key_by_name(what: str, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries by the standard form of their names. Raises `DataError` when two of the names are alike."""
    require_distinct(what, list(entries))
    return {standard(name): entry for name, entry in entries.items()}
