"""Wordings of dilemmas per language: packaged, of published data sets, or from a file."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from ..core import holds_half_pair, parse_json
from ..data import LAYOUTS
from ..errors import DataError, quoted

Scoring = Literal["label", "continuation"]
SCORINGS: tuple[str, ...] = get_args(Scoring)
Content = TypeVar("Content")

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def template_fields(template: str, known: Sequence[str], name: str) -> frozenset[str]:
    """The fields that a template to be filled by `str.format` uses, e.g. {"scenario"}.

    Args:
        template: a text with {field} for what is filled in, and {{ or }} for a literal brace.
        known: the fields that will be filled in.
        name: what the template is, for the error: "a prompt".

    Raises:
        DataError: for anything else in braces, and for a brace on its own: which it is, and how a literal one is written.
    """
    names: set[str] = set()
    for brace in _BRACES.finditer(template):
        if brace[0] in ("{{", "}}"):
            continue
        if brace[1] not in known:  # None for a brace on its own
            fields = ", ".join(f"{{{field}}}" for field in known)
            raise DataError(
                f"{name} has {quoted(brace[0])} at character {brace.start() + 1}, which is none of {fields}; write a brace that is "
                f"meant as such twice, {{{{ or }}}}: {quoted(template)}"
            )
        names.add(brace[1])
    return frozenset(names)


@dataclass(frozen=True)
class ChoiceFormat:
    """Wording of one scoring in one language.

    A literal brace in a template is written {{ or }}.

    Args:
        prompt: A template with {scenario} and, to present the options, {first} and {second}; without those two there is no order, and
            one presentation is scored.
        answers: What is scored after the prompt: the two labels, as they are, or, for continuation, one template with {option}.

    Raises:
        DataError: The wording cannot be used.
    """

    prompt: str
    answers: tuple[str, str] | str
    presents_options: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if any(map(holds_half_pair, (self.prompt, *self.answers))):
            raise DataError("a wording holds half of a surrogate pair, which no tokenizer reads: write the whole character")
        fields = template_fields(self.prompt, ("scenario", "first", "second"), "a prompt")
        if "scenario" not in fields or ("first" in fields) != ("second" in fields):
            raise DataError(
                f"a prompt needs {{scenario}}, and {{first}} and {{second}} together or neither: {quoted(self.prompt)}"
            )
        object.__setattr__(self, "presents_options", "first" in fields)
        if isinstance(self.answers, str):
            if not template_fields(self.answers, ("option",), "a continuation"):
                raise DataError(f"a continuation needs {{option}}: {quoted(self.answers)}")
        elif not self.presents_options:
            raise DataError("labels need a prompt that presents the options")
        elif len({label.strip() for label in self.answers} - {""}) < 2:
            raise DataError(f"labels need to be two different texts, neither of them blank: {quoted(self.answers)}")

    @property
    def lead(self) -> str:
        """The words right before what is scored, but for the space between them."""
        option = self.answers.partition("{option}")[0] if isinstance(self.answers, str) else ""
        return (self.prompt + option).rstrip().rpartition("\n")[2]

    @property
    def runs_on(self) -> bool:
        """Whether an option continues a sentence that the wording began: "You decide to"; not so after a colon, a full stop, a quote."""
        return isinstance(self.answers, str) and (self.lead[-1:].isalnum() or self.lead[-1:] in (",", "，", "、"))


Wordings = Mapping[str, ChoiceFormat]  # by language

LABEL: Wordings = {
    "en": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\nAnswer:", (" A", " B")),
    "zh": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\n答案：", ("A", "B")),
}
CONTINUATION: Wordings = {  # for options that are verb phrases: "help the others"
    "en": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\nYou decide to", " {option}"),
    "zh": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\n你决定", "{option}"),
}
CLAUSE: Wordings = {  # for options that are whole clauses: "I help the others."
    "en": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\nThe choice:", " {option}"),
    "zh": ChoiceFormat("{scenario}\nA. {first}\nB. {second}\n作出的选择：", "{option}"),
}
CLOZE: Wordings = {
    "en": ChoiceFormat("{scenario} You decide to", " {option}"),
    "zh": ChoiceFormat("{scenario}你决定", "{option}"),
}
WORDINGS: Mapping[str, Mapping[str, Wordings]] = {  # the first is the default
    "label": {"letters": LABEL},
    "continuation": {"verb": CONTINUATION, "clause": CLAUSE, "cloze": CLOZE},
}
PUBLISHED: Mapping[str, Wordings] = {
    name: {language: ChoiceFormat(*wording) for language, wording in layout.continuation.items()}
    for name, layout in LAYOUTS.items()
}


def in_language(wordings: Mapping[str, Content], language: str, otherwise: str = "en") -> Content | None:
    """What is said in a language ("zh-CN" is read as "zh"), else in another one, else None."""
    keys = (language, re.split("[-_]", language)[0].lower(), otherwise)
    return next((wordings[key] for key in keys if key in wordings), None)


def load_wordings(source: str | Path, scoring: str) -> Wordings:
    """Wordings by language: packaged ones by name (those of `WORDINGS`), or one's own from a JSON file.

    The file holds {language: {"prompt": ..., "answers": ...}}, as in `ChoiceFormat`: answers are [" A", " B"] for labels and
    " {option}" for continuation. Raises `DataError` with the file, the language and the field.
    """
    packaged = WORDINGS[scoring]
    if str(source) in packaged:
        return packaged[str(source)]
    path = Path(source)
    if not os.path.isfile(path):
        raise DataError(
            f"no wording {quoted(str(source))} of scoring {scoring!r}, and no such file; give {', '.join(packaged)}, or a JSON file by "
            'language: {"en": {"prompt": ..., "answers": ...}}'
        )
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, DataError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict) or not content:
        raise DataError(f"{path}: expected an object of wordings by language, got {type(content).__name__}")
    return {language: _wording(row, scoring, f"{path}, language {language!r}") for language, row in content.items()}


def _wording(content: Any, scoring: str, where: str) -> ChoiceFormat:
    if not isinstance(content, dict) or set(content) != {"prompt", "answers"}:
        keys = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise DataError(f"{where}: expected an object with 'prompt' and 'answers', got {keys}")
    prompt, answers = content["prompt"], content["answers"]
    if not isinstance(prompt, str):
        raise DataError(f"{where}, field 'prompt': expected a text, got {type(prompt).__name__}")
    if isinstance(answers, list) and len(answers) == 2 and all(isinstance(answer, str) for answer in answers):
        answers = (answers[0], answers[1])
    elif not isinstance(answers, str):
        raise DataError(f"{where}, field 'answers': expected two labels or a text with {{option}}, got {quoted(answers)}")
    try:
        return require_scoring(ChoiceFormat(prompt, answers), scoring)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def require_scoring(wording: ChoiceFormat, scoring: str) -> ChoiceFormat:
    """The wording, if its answers are what the scoring needs. Raises `DataError`."""
    if isinstance(wording.answers, str) == (scoring == "label"):
        needs = "two labels, as (' A', ' B')" if scoring == "label" else "a text with an {option}"
        raise DataError(f"scoring {scoring!r} needs answers that are {needs}, got {quoted(wording.answers)}")
    return wording
