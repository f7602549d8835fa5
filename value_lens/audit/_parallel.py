"""Parallel languages: the same number of records of every value and aspect."""

from collections import Counter
from collections.abc import Sequence

from ..core import Dilemma, LabelledText


def differing_counts(texts: Sequence[LabelledText], dilemmas: Sequence[Dilemma], languages: Sequence[str]) -> tuple[str, ...]:
    """Counts by value and aspect that differ between languages, in words."""
    differences: list[str] = []
    counts = {
        "texts": Counter((text.language, text.value, text.aspect) for text in texts),
        "dilemmas": Counter((dilemma.language, dilemma.value, "") for dilemma in dilemmas),
    }
    for kind, counter in counts.items():
        for value, aspect in sorted({key[1:] for key in counter}):
            n_by_language = {language: counter[(language, value, aspect)] for language in languages}
            if len(set(n_by_language.values())) > 1:
                differences.append(f"{value}{aspect} has {kind} {n_by_language}")
    return tuple(differences)
