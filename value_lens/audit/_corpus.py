"""The audit of a corpus, composed of one measurement a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core import Dilemma, LabelledText, ValueSystem
from ..data import require_one_spelling
from ..errors import DataError
from ..systems import SYSTEMS
from ._bars import Bars
from ._language_audit import Audit, audit_language
from ._parallel import differing_counts
from ._unused_frames import unused_frames


@dataclass(frozen=True)
class CorpusAudit:
    """Audits by language, whether the languages are parallel, and frames of the bank that nothing was made of."""

    source: str
    languages: Mapping[str, Audit]
    not_parallel: tuple[str, ...]
    unused_frames: tuple[str, ...]

    def failures(self, bars: Bars = Bars()) -> list[str]:
        """The bars that are not kept.

        Args:
            bars: What a sound corpus keeps.

        Returns:
            One sentence for each; empty when all are kept.
        """
        problems: list[str] = []
        for language, audit in self.languages.items():
            problems += [f"{language}: {problem}" for problem in bars.missed_by(audit)]
        problems += [f"languages differ: {problem}" for problem in self.not_parallel]
        return problems + [f"frame {name} is not used" for name in self.unused_frames]


def audit_corpus(
    texts: Sequence[LabelledText],
    dilemmas: Sequence[Dilemma],
    *,
    source: str = "",
    systems: Iterable[ValueSystem] = tuple(SYSTEMS.values()),
) -> CorpusAudit:
    """Measure a corpus: duplicates, giveaways, balance, lengths, values named outright, parallel languages, unused frames.

    Args:
        texts: The corpus's texts.
        dilemmas: Its dilemmas.
        source: What the corpus is called in the result.
        systems: Where the words that name a value are looked up; a value in none is looked for by its own name.

    Returns:
        The measurements by language, and those over languages.

    Raises:
        DataError: A corpus that holds nothing, and values or languages that differ in letter case only.
    """
    if not texts and not dilemmas:
        raise DataError("nothing to audit: no texts and no dilemmas")
    require_one_spelling(texts, dilemmas)
    known_values = {value.name: value for system in systems for value in system}
    languages = sorted({record.language for record in (*texts, *dilemmas)})
    audits = {
        language: audit_language(
            language,
            [text for text in texts if text.language == language],
            [dilemma for dilemma in dilemmas if dilemma.language == language],
            known_values,
        )
        for language in languages
    }
    return CorpusAudit(source, audits, differing_counts(texts, dilemmas, languages), unused_frames([*texts, *dilemmas]))
