"""The audit of one language of a corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core import Dilemma, LabelledText, Value
from ._duplicates import Duplicates, duplicates, shingles_of
from ._first_options import first_option_shares
from ._giveaway import Giveaway, giveaway
from ._lengths import option_length_ratios, text_length_ratios
from ._named_values import named_value_shares
from ._origins import by_value_of


@dataclass(frozen=True)
class Audit:
    """What was measured on one language of a corpus. Ratios are upholding (or aligned) over opposing (or violating).

    length_ratio: mean length of aligned over violating options. text_length_ratio: the same of texts that uphold and oppose.
    first_share: share of the bank's dilemmas whose aligned option is their frame's first (both orders are always asked).
    named: share of texts that name their value, by value.
    """

    language: str
    n_texts: Mapping[str, int]
    n_dilemmas: Mapping[str, int]
    duplicate_texts: Duplicates | None
    duplicate_dilemmas: Duplicates | None
    giveaway: Giveaway | None
    length_ratio: Mapping[str, float]
    text_length_ratio: Mapping[str, float]
    first_share: Mapping[str, float]
    named: Mapping[str, float]


def audit_language(
    language: str, texts: Sequence[LabelledText], dilemmas: Sequence[Dilemma], known_values: Mapping[str, Value]
) -> Audit:
    """Every measurement of the texts and dilemmas of one language."""
    shingles = shingles_of(language)
    text_parts = [(text.id, f"{text.prompt}{text.text}") for text in texts]
    dilemma_parts = [(d.id, "\n".join((d.scenario, *sorted((d.aligned, d.violating))))) for d in dilemmas]
    return Audit(
        language=language,
        n_texts={value: len(members) for value, members in by_value_of(texts).items()},
        n_dilemmas={value: len(members) for value, members in by_value_of(dilemmas).items()},
        duplicate_texts=duplicates(text_parts, shingles) if texts else None,
        duplicate_dilemmas=duplicates(dilemma_parts, shingles) if dilemmas else None,
        giveaway=giveaway(dilemmas, language),
        length_ratio=option_length_ratios(dilemmas),
        text_length_ratio=text_length_ratios(texts),
        first_share=first_option_shares(dilemmas),
        named=named_value_shares(texts, known_values, language),
    )
