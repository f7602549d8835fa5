"""Exact and near duplicates among texts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

NEAR = 0.8  # Jaccard similarity of two texts' shingles from which they are near duplicates
SHINGLE = 5  # words in English, characters in Chinese
_PERMUTATIONS = 128


@dataclass(frozen=True)
class Duplicates:
    """Texts that stand earlier already: word for word (`n_exact`), or nearly so (`n_near`); `pairs` are ids of some of them."""

    n_texts: int
    n_exact: int
    n_near: int
    pairs: tuple[tuple[str, str], ...]

    @property
    def rate(self) -> float:
        return (self.n_exact + self.n_near) / self.n_texts


def is_unspaced(language: str) -> bool:
    """Whether a language, by its tag ("zh", "zh-CN", "ja"), is written without spaces between words."""
    return re.split(r"[-_]", language.lower())[0] in ("zh", "yue", "ja", "th", "lo", "km", "my")


def shingles_of(language: str) -> Callable[[str], set[str]]:
    """What makes a text's shingles: overlapping runs of five words, or characters where there are no spaces.

    Args:
        language: The language's tag, such as "en" or "zh-CN".

    Returns:
        A function from a text to its set of shingles; letter case and punctuation make no difference.
    """

    def shingles(text: str) -> set[str]:
        units = re.findall(r"\w", text) if is_unspaced(language) else re.findall(r"\w+", text.lower())
        gap = "" if is_unspaced(language) else " "
        return {gap.join(units[start : start + SHINGLE]) for start in range(max(1, len(units) - SHINGLE + 1))}

    return shingles


def duplicates(
    texts: Iterable[tuple[str, str]], shingles: Callable[[str], set[str]], near: float = NEAR, most_pairs: int = 20
) -> Duplicates:
    """Texts that stand earlier already, or nearly.

    A near duplicate is left out, so later texts are compared with those that are kept, as in cleaning a corpus. Candidates come from
    MinHash with locality-sensitive hashing; each is checked exactly, so that none is counted wrongly; a pair just above the bar may be
    overlooked.

    Args:
        texts: Pairs of id and text.
        shingles: What makes a text's set of shingles, such as `shingles_of("en")`.
        near: The Jaccard similarity of shingles from which two texts are near duplicates.
        most_pairs: How many pairs of ids the result names.

    Returns:
        How many texts repeat an earlier one exactly, how many nearly, and pairs of ids (earlier, later).

    Source:
        Broder 1997, "On the resemblance and containment of documents".
    """
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=near - 0.1, num_perm=_PERMUTATIONS)
    shingles_by_id: dict[str, set[str]] = {}
    first_ids: dict[str, str] = {}
    n_texts, n_exact, pairs, n_near = 0, 0, [], 0
    for name, text in texts:
        n_texts += 1
        if text in first_ids:
            n_exact += 1
            pairs.append((first_ids[text], name))
            continue
        first_ids[text] = name
        units = shingles(text)
        sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update_batch([unit.encode() for unit in units])
        duplicate_of = next(
            (other for other in sorted(map(str, index.query(sketch))) if jaccard(units, shingles_by_id[other]) >= near), None
        )
        if duplicate_of is not None:
            n_near += 1
            pairs.append((duplicate_of, name))
            continue
        key = name if name not in shingles_by_id else f"{name}#{n_texts}"
        index.insert(key, sketch)
        shingles_by_id[key] = units
    return Duplicates(n_texts, n_exact, n_near, tuple(pairs[:most_pairs]))


def jaccard(first: set[str], second: set[str]) -> float:
    """Shared over all; 1 for two empty sets."""
    n_union = len(first | second)
    return len(first & second) / n_union if n_union else 1.0
