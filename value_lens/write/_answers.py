"""A model's answers as labelled texts, and the reasons for gaps."""

import warnings
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import LabelledText
from ..endpoint import UNCLOSED, Marks, answer_start
from ..model import decode_new, whole_characters
from ._persona import Prompt

N_LISTED = 5  # ids that a warning lists


class Answers(list[LabelledText]):
    """A list of answers in the order of their prompts, but for those that got none.

    unanswered: why a prompt has no answer, by its id. unpaired: ids of answers whose prompt had a partner at the other pole (same
    cluster and value) that got no answer: leave them out where both poles should have the same questions.
    """

    def __init__(self, answers: Iterable[LabelledText], unanswered: Mapping[str, str], unpaired: Sequence[str]) -> None:
        super().__init__(answers)
        self.unanswered = dict(unanswered)
        self.unpaired = tuple(unpaired)


@dataclass(frozen=True)
class ParsedAnswer:
    """One answer: what stands before it that is not the answer (a thought), its text, and why there is none ("" where there is)."""

    before: str
    text: str
    problem: str = ""


def parse_answer(
    tokenizer: Any, prompt: Sequence[int], new: Sequence[int], *, opened: bool, marks: Sequence[Marks]
) -> ParsedAnswer:
    """The answer in a model's new tokens.

    opened: whether the prompt's end has opened a thought. A closed thought, with white space after it, goes to what stands before;
    a token that spans the end of it belongs to the answer.
    """
    new = whole_characters(tokenizer, prompt, new)
    raw = decode_new(tokenizer, prompt, new, with_special=True)
    start = answer_start(raw, opened=opened, marks=marks)
    if start is None:
        return ParsedAnswer(raw, "", UNCLOSED)
    n_before = (
        bisect_right(range(len(new) + 1), start, key=lambda n: len(decode_new(tokenizer, prompt, new[:n], with_special=True)))
        - 1
        if start
        else 0
    )
    spanning = raw[len(decode_new(tokenizer, prompt, new[:n_before], with_special=True)) : start] if start else ""
    text = decode_new(tokenizer, [*prompt, *new[:n_before]], new[n_before:]).removeprefix(spanning)
    if not text.strip():
        return ParsedAnswer(raw[:start], "", "nothing follows its thought" if start else "it said nothing")
    return ParsedAnswer(raw[:start], text)


def label_answers(prompts: Sequence[Prompt], texts: Sequence[str], answers: Sequence[ParsedAnswer]) -> Answers:
    """The answers with their prompts' labels. `prompt` is all that the model had before it: what it was shown, and its thought."""
    unanswered = {prompt.id: answer.problem for prompt, answer in zip(prompts, answers, strict=True) if answer.problem}
    labelled = [
        LabelledText(
            id=prompt.id,
            text=answer.text,
            value=prompt.value,
            aspect=prompt.aspect,
            language=prompt.language,
            prompt=text + answer.before,
            source="response",
            cluster=prompt.cluster,
        )
        for prompt, text, answer in zip(prompts, texts, answers, strict=True)
        if not answer.problem
    ]
    return Answers(labelled, unanswered, _unpaired_ids(prompts, unanswered))


def _unpaired_ids(prompts: Sequence[Prompt], unanswered: Mapping[str, str]) -> list[str]:
    """Ids of answered prompts all of whose partners at the other pole are unanswered."""
    poles: dict[tuple[str, str], dict[str, list[str]]] = {}
    for prompt in prompts:
        if prompt.cluster:
            poles.setdefault((prompt.cluster, prompt.value), {}).setdefault(prompt.aspect, []).append(prompt.id)
    unpaired: set[str] = set()
    for by_aspect in poles.values():
        for aspect, members in by_aspect.items():
            others = [other for other_aspect, ids in by_aspect.items() if other_aspect != aspect for other in ids]
            if others and all(other in unanswered for other in others):
                unpaired.update(members)
    return [prompt.id for prompt in prompts if prompt.id in unpaired and prompt.id not in unanswered]


def warn_of_gaps(answers: Answers, n_prompts: int) -> None:
    """One warning that names what was not answered, why, and whose partners are thereby alone."""
    if not answers.unanswered:
        return
    reasons = "; ".join(f"{first_ids(ids)}: {reason}" for reason, ids in by_reason(answers.unanswered).items())
    note_on_unpaired = (
        f". {len(answers.unpaired)} answers have lost the answer of the other pole ({first_ids(answers.unpaired)}): see .unpaired"
        if answers.unpaired
        else ""
    )
    warnings.warn(
        f"{len(answers.unanswered)} of {n_prompts} prompts got no answer and are left out, see .unanswered ({reasons}){note_on_unpaired}",
        stacklevel=3,
    )


def by_reason(unanswered: Mapping[str, str]) -> dict[str, list[str]]:
    ids_by_reason: dict[str, list[str]] = {}
    for name, reason in unanswered.items():
        ids_by_reason.setdefault(reason, []).append(name)
    return ids_by_reason


def first_ids(ids: Sequence[str]) -> str:
    """The first of many ids, quoted, and how many more there are."""
    return ", ".join(map(repr, ids[:N_LISTED])) + (f" and {len(ids) - N_LISTED} more" if len(ids) > N_LISTED else "")
