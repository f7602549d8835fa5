"""How a dilemma is worded: both orders of its options, by language and data set."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core import Dilemma
from ..errors import UnknownNameError
from ._wordings import PUBLISHED, SCORINGS, WORDINGS, ChoiceFormat, in_language, require_scoring

_SENTENCE = re.compile(  # it begins with who acts, or says yes or no
    r"(i|you|he|she|it|we|they)\b|[我你您他她它咱]|(yes|no|是|否|对|不|不是|不对)[.!。！]?\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Presentation:
    """One way of putting one dilemma: a prompt and the answers that stand for its aligned and its violating option."""

    item: int
    prompt: str
    aligned: str
    violating: str


@dataclass(frozen=True)
class Question:
    """A scoring and its wordings by language ("zh-CN" is asked as "zh").

    Where `formats` has none for a dilemma's language, it is asked in the wording of the published data set that it comes from (its
    `source`; continuation alone), else in the default wording, in English where there is none in its language.

    Args:
        scoring: "label" (the letter before an option) or "continuation" (the option's own words).
        formats: {language: wording}.

    Raises:
        UnknownNameError: The scoring is another.
        DataError: A wording is not of this scoring.
    """

    scoring: str = "label"
    formats: Mapping[str, ChoiceFormat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scoring not in SCORINGS:
            raise UnknownNameError("scoring", self.scoring, SCORINGS)
        for wording in self.formats.values():
            require_scoring(wording, self.scoring)

    def wording(self, dilemma: Dilemma) -> ChoiceFormat:
        """How this dilemma is asked."""
        published = PUBLISHED.get(dilemma.source, {}) if self.scoring == "continuation" else {}
        default = next(iter(WORDINGS[self.scoring].values()))
        candidates = (in_language(wordings, dilemma.language, otherwise="") for wordings in (self.formats, published, default))
        return next((wording for wording in candidates if wording is not None), default["en"])

    def misfits(self, dilemma: Dilemma) -> bool:
        """Whether an option that is a clause of its own would continue an unfinished sentence: "You decide to I help them."."""
        return self.wording(dilemma).runs_on and any(map(_is_clause, (dilemma.aligned, dilemma.violating)))

    def presentations(self, dilemma: Dilemma, item: int) -> list[Presentation]:
        """Both orders of the options (one, when the prompt does not present them)."""
        wording = self.wording(dilemma)
        aligned, violating = dilemma.aligned, dilemma.violating
        orders = [(aligned, violating), (violating, aligned)] if wording.presents_options else [(aligned, violating)]
        presentations: list[Presentation] = []
        for first, second in orders:
            prompt = wording.prompt.format(scenario=dilemma.scenario, first=first, second=second)
            if isinstance(wording.answers, str):
                answers = {option: wording.answers.format(option=option) for option in (first, second)}
            else:
                answers = dict(zip((first, second), wording.answers, strict=True))
            presentations.append(Presentation(item, prompt, answers[aligned], answers[violating]))
        return presentations


def _is_clause(option: str) -> bool:
    """Whether an option reads as a sentence: it begins with a capital letter or with who acts, or is an answer to a question."""
    text = option.lstrip(" \t\n\"'“‘「『(（")
    return text[:1].isupper() or _SENTENCE.match(text) is not None
