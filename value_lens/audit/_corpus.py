"""The audit of a corpus: duplicates, giveaways, balance, parallel languages, unused frames."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..core import Dilemma, LabelledText, Value, ValueSystem
from ..data import BANKS, frames, require_one_spelling
from ..errors import DataError
from ..systems import SYSTEMS
from ._duplicates import Duplicates, duplicates, shingles_of
from ._giveaway import Giveaway, by_value_of, frame_of, giveaway, is_of_bank


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


@dataclass(frozen=True)
class CorpusAudit:
    """Audits by language, whether the languages are parallel, and frames of the bank that nothing was made of."""

    source: str
    languages: Mapping[str, Audit]
    not_parallel: tuple[str, ...]
    unused_frames: tuple[str, ...]

    def failures(self, bars: "Bars | None" = None) -> list[str]:
        """The bars that were missed, in words; empty when all are kept."""
        bars = bars or Bars()
        missed: list[str] = []
        for language, audit in self.languages.items():
            missed += [f"{language}: {problem}" for problem in bars.missed_by(audit)]
        missed += [f"languages differ: {problem}" for problem in self.not_parallel]
        return missed + [f"frame {name} is not used" for name in self.unused_frames]


@dataclass(frozen=True)
class Bars:
    """What a sound corpus keeps: at most these shares and differences."""

    duplicates: float = 0.01
    giveaway: float = 0.60
    balance: float = 0.02
    named: float = 0.10

    def missed_by(self, audit: Audit) -> Iterable[str]:
        for kind, found in (("texts", audit.duplicate_texts), ("dilemmas", audit.duplicate_dilemmas)):
            if found is not None and found.pairs and found.rate >= self.duplicates:
                yield f"{found.rate:.1%} of the {kind} are exact or near duplicates, e.g. {found.pairs[0]}"
        yield from self._giveaways(audit.giveaway)
        for what, ratios in (("options", audit.length_ratio), ("texts", audit.text_length_ratio)):
            for value, ratio in ratios.items():
                if abs(ratio - 1) > self.balance:
                    yield f"{value}: {what} that uphold it are {ratio:.3f} times as long as the others"
        for value, share in audit.first_share.items():
            if abs(share - 0.5) > max(self.balance, 0.5 / audit.n_dilemmas[value] + 1e-9):  # an odd count cannot be halved
                yield f"{value}: the aligned option comes first in {share:.1%} of dilemmas"
        for value, share in audit.named.items():
            if share > 0 and share >= self.named:
                yield f"{value}: {share:.0%} of its texts name it outright"

    def _giveaways(self, found: Giveaway | None) -> Iterable[str]:
        """Above the bar and surely above chance; or as surely below, which means that frames share options."""
        for value, accuracy in found.accuracy.items() if found else ():
            lowest, highest = found.interval(value)  # pyright: ignore[reportOptionalMemberAccess]
            if accuracy > self.giveaway and lowest > 0.5:
                yield f"{value}: a bag of words tells the aligned option in {accuracy:.0%} of dilemmas"
            if accuracy < 0.25 and highest < 0.4:
                yield (
                    f"{value}: a bag of words tells the aligned option in {accuracy:.0%} of dilemmas, below chance: options recur with "
                    "exchanged roles; give such dilemmas a common cluster"
                )


def audit_corpus(
    texts: Sequence[LabelledText],
    dilemmas: Sequence[Dilemma],
    *,
    source: str = "",
    systems: Iterable[ValueSystem] = tuple(SYSTEMS.values()),
) -> CorpusAudit:
    """Measure a corpus. systems: where the words that name a value are looked up; a value in none is looked for by its own name.

    Raises `DataError` for a corpus that holds nothing, and for values or languages that differ in letter case only.
    """
    if not texts and not dilemmas:
        raise DataError("nothing to audit: no texts and no dilemmas")
    require_one_spelling(texts, dilemmas)
    named = {value.name: value for system in systems for value in system}
    languages = sorted({record.language for record in (*texts, *dilemmas)})
    found = {
        language: _audit(
            language,
            [text for text in texts if text.language == language],
            [dilemma for dilemma in dilemmas if dilemma.language == language],
            named,
        )
        for language in languages
    }
    return CorpusAudit(source, found, _not_parallel(texts, dilemmas, languages), _unused(texts, dilemmas))


def _audit(language: str, texts: list[LabelledText], dilemmas: list[Dilemma], named: Mapping[str, Value]) -> Audit:
    shingled = shingles_of(language)
    text_parts = [(text.id, f"{text.prompt}{text.text}") for text in texts]
    dilemma_parts = [(d.id, "\n".join((d.scenario, *sorted((d.aligned, d.violating))))) for d in dilemmas]
    by_value, texts_by_value = by_value_of(dilemmas), by_value_of(texts)
    return Audit(
        language=language,
        n_texts={value: len(found) for value, found in texts_by_value.items()},
        n_dilemmas={value: len(found) for value, found in by_value.items()},
        duplicate_texts=duplicates(text_parts, shingled) if texts else None,
        duplicate_dilemmas=duplicates(dilemma_parts, shingled) if dilemmas else None,
        giveaway=giveaway(dilemmas, language),
        length_ratio={
            value: fmean(len(d.aligned) for d in found) / fmean(len(d.violating) for d in found)
            for value, found in by_value.items()
        },
        text_length_ratio=_text_lengths(texts_by_value),
        first_share=_first_shares(by_value),
        named={
            value: fmean(_names(text.text, named.get(value), value, language) for text in found)
            for value, found in texts_by_value.items()
        },
    )


def _names(text: str, value: Value | None, name: str, language: str) -> bool:
    if value is not None:
        return value.is_named_in(text, language)
    plain = re.sub(r"[\W_]+", " ", name).strip().lower()
    return bool(re.search(r"\b" + re.escape(plain), text.lower()))


def _text_lengths(by_value: Mapping[str, list[LabelledText]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for value, texts in by_value.items():
        lengths = {aspect: [len(text.text) for text in texts if text.aspect == aspect] for aspect in "+-"}
        if lengths["+"] and lengths["-"]:
            found[value] = fmean(lengths["+"]) / fmean(lengths["-"])
    return found


def _first_shares(by_value: Mapping[str, list[Dilemma]]) -> dict[str, float]:
    """By value, how often a frame's first option is the aligned one: for dilemmas of the bank, whose ids tell the situation."""
    found: dict[str, float] = {}
    for value, dilemmas in by_value.items():
        situations = [d.id.split("/")[1] for d in dilemmas if is_of_bank(d)]
        if situations:
            found[value] = situations.count("0") / len(situations)
    return found


# Languages and frames


def _not_parallel(texts: Sequence[LabelledText], dilemmas: Sequence[Dilemma], languages: Sequence[str]) -> tuple[str, ...]:
    """Counts by value and aspect that differ between languages."""
    found: list[str] = []
    counts = {
        "texts": Counter((text.language, text.value, text.aspect) for text in texts),
        "dilemmas": Counter((dilemma.language, dilemma.value, "") for dilemma in dilemmas),
    }
    for kind, counted in counts.items():
        for value, aspect in sorted({key[1:] for key in counted}):
            each = {language: counted[(language, value, aspect)] for language in languages}
            if len(set(each.values())) > 1:
                found.append(f"{value}{aspect} has {kind} {each}")
    return tuple(found)


def _unused(texts: Sequence[LabelledText], dilemmas: Sequence[Dilemma]) -> tuple[str, ...]:
    """Frames of the bank's sources, of values that occur, that nothing was made of."""
    unused: list[str] = []
    for source in BANKS:
        made = [record for record in (*texts, *dilemmas) if record.source == source and is_of_bank(record)]
        if not made:
            continue
        used = {frame_of(record) for record in made}
        asked = {(frame.value, frame.split) for frame in frames(source) if frame.id in used}
        unused += [f.id for f in frames(source) if (f.value, f.split) in asked and f.id not in used]
    return tuple(unused)
