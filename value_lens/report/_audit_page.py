"""The audit as a page of plain text: measures, missed bars, random items to read."""

import random
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from ..audit import Audit, Bars, CorpusAudit
from ..core import Dilemma, LabelledText, in_order, label_of

WIDTH = 110
_COLUMNS = (
    ("value", 18), ("texts", 7), ("dilemmas", 9), ("told", 7), ("options +/-", 12), ("texts +/-", 10), ("first", 7), ("named", 7),
)  # fmt: skip
_LEGEND = (
    "told: how often a bag of words that never sees the scenario tells the aligned option, on frames it was not trained on (50% is "
    "chance). options +/-, texts +/-: mean length of what upholds the value over that of what goes against it. first: how often a "
    "frame's first option is the aligned one (both orders are always asked). named: share of texts that name their value outright."
)


def audit_page(
    audit: CorpusAudit,
    texts: Sequence[LabelledText],
    dilemmas: Sequence[Dilemma],
    *,
    bars: Bars = Bars(),
    per_value: int = 10,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> str:
    """The audit, and `per_value` random items of each value and language, half of them texts where there are both kinds.

    notes: sentences to set before, such as how many records there were to draw from.
    """
    lines = [f"Audit of {audit.source or 'a corpus'}", *notes, ""]
    for language_audit in audit.languages.values():
        lines += [*_table(language_audit), ""]
    lines += [*textwrap.wrap(_LEGEND, WIDTH), ""]
    missed = audit.failures(bars)
    lines += ["Every bar is kept." if not missed else "Bars that were missed:", *(f"- {problem}" for problem in missed), ""]
    rng = random.Random(seed)
    for language in audit.languages:
        for value in in_order({*audit.languages[language].n_texts, *audit.languages[language].n_dilemmas}):
            lines += [
                "",
                f"== {label_of(value, language)}, {language} ".ljust(WIDTH, "="),
                *_items(texts, dilemmas, value, language, per_value, rng),
            ]
    return "\n".join(lines) + "\n"


def _table(audit: Audit) -> list[str]:
    lines = [f"Language {audit.language}", "".join(name.ljust(width) for name, width in _COLUMNS).rstrip()]
    giveaway = audit.giveaway.accuracy if audit.giveaway else {}
    for value in in_order({*audit.n_texts, *audit.n_dilemmas}):
        label = label_of(value, "en")  # which is as wide as it has letters
        cells = (
            label if len(label) < 18 else f"{label[:16]}…",
            str(audit.n_texts.get(value, "-")),
            str(audit.n_dilemmas.get(value, "-")),
            _share(giveaway, value),
            _ratio(audit.length_ratio, value),
            _ratio(audit.text_length_ratio, value),
            _share(audit.first_share, value),
            _share(audit.named, value),
        )
        lines.append("".join(cell.ljust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True)).rstrip())
    for kind, duplicates in (("texts", audit.duplicate_texts), ("dilemmas", audit.duplicate_dilemmas)):
        if duplicates is not None:
            lines.append(
                f"Of {duplicates.n_texts} {kind}, {duplicates.n_exact} stand twice and "
                f"{duplicates.n_near} nearly so ({duplicates.rate:.2%})."
            )
    return lines


def _share(shares: Mapping[str, float], value: str) -> str:
    return f"{100 * shares[value]:.1f}%" if value in shares else "-"


def _ratio(ratios: Mapping[str, float], value: str) -> str:
    return f"{ratios[value]:.3f}" if value in ratios else "-"


def _items(
    texts: Sequence[LabelledText], dilemmas: Sequence[Dilemma], value: str, language: str, per_value: int, rng: random.Random
) -> list[str]:
    some_texts = [text for text in texts if (text.value, text.language) == (value, language)]
    some_dilemmas = [d for d in dilemmas if (d.value, d.language) == (value, language)]
    n_texts = per_value - min(per_value // 2, len(some_dilemmas)) if some_texts else 0
    sampled_texts = rng.sample(some_texts, min(n_texts, len(some_texts)))
    lines: list[str] = []
    for text in sampled_texts:
        lines += _paragraph(f"{text.aspect} {text.text}")
    for d in rng.sample(some_dilemmas, min(per_value - len(sampled_texts), len(some_dilemmas))):
        lines += [*_paragraph(f"? {d.scenario}"), *_paragraph(f"+ {d.aligned}", 4), *_paragraph(f"- {d.violating}", 4)]
    return lines


def _paragraph(text: str, indent: int = 2) -> Iterable[str]:
    """Wrapped to the page; a Chinese character takes the width of two letters."""
    wide = sum("\u2e80" <= letter <= "\uffef" for letter in text) > len(text) / 3
    inner = " " * indent
    return textwrap.wrap(text, WIDTH // 2 if wide else WIDTH, initial_indent=inner, subsequent_indent=inner + "  ")
