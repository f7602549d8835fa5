"""A model's responses to prompts, in batches, as labelled texts."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..errors import DataError
from ..measure import in_language
from ..model import (
    Batching,
    ChatTemplate,
    EncodedText,
    LensModel,
    as_lens_model,
    blank_tokens,
    bucket,
    chooser,
    encode,
    end_tokens,
    known_tokens,
    pad,
)
from ._answers import Answers, ParsedAnswer, by_reason, first_ids, label_answers, parse_answer, warn_of_gaps
from ._persona import Prompt

Made = TypeVar("Made")
_PLAIN: Mapping[str, str] = {"en": "{system}\n{user}\nAnswer:", "zh": "{system}\n{user}\n回答："}


def respond(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    max_new_tokens: int = 60,
    temperature: float = 0.0,
    seed: int = 0,
    batching: Batching | None = None,
    template_arguments: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """A model's answers to prompts, in their order.

    An answer begins with a token that shows something, has no token that the tokenizer lacks, and ends with one that the model's
    settings, its tokenizer or its chat template end an answer with. What stands before a closed thought is no answer but part of
    `prompt`, since the model saw it. Prompts that got no answer (a thought that was not closed, nothing but white space) are left out
    with a warning.

    Args:
        model: A `ValueLens` or `LensModel`, or a `HookedTransformer` or `TransformerBridge` with its tokenizer; interventions in force
            act on its answers. The tokenizer's chat template is used where it has one.
        prompts: What is asked.
        max_new_tokens: The longest answer, thought included.
        temperature: 0 is greedy; above it each answer is drawn from a seed of its own, so that it does not depend on the batch.
        seed: Of the answers that are drawn.
        batching: How prompts share a run; the model's own by default. Its tokens count the room for the answers, too.
        template_arguments: Arguments of the chat template, such as {"enable_thinking": True}; without one about thinking, thinking is
            turned off where the template can do so.
        progress: Called with how many prompts of how many are answered.

    Returns:
        Labelled texts: `text` is the answer, which alone is counted, `prompt` all that stood before it. `unanswered` and `unpaired`
        name the prompts that were left out.

    Raises:
        DataError: No prompts, ids that repeat, a template that cannot show a prompt, prompts of opposite aspects that look the same to
            the model, a prompt that leaves no room in the context, and no answer at all.
        SiteError: Texts cannot share a batch.
    """
    _require_usable(prompts, max_new_tokens, temperature)
    view = as_lens_model(model)
    batching = batching or view.batching
    template = ChatTemplate(view.tokenizer, template_arguments)
    shown = _for_each(prompts, lambda place, prompt: _shown(view, template, prompt))
    _require_contrast(prompts, [text for text, _ in shown])
    encoded = _for_each(prompts, lambda place, prompt: encode(view, shown[place][0], origin=place, name=prompt.id))
    _require_room(view, prompts, encoded, max_new_tokens)
    answers: dict[int, ParsedAnswer] = {}
    ends = sorted({*end_tokens(view.model, view.tokenizer), *template.turn_ends()})
    banned, known = template.not_first([*blank_tokens(view.tokenizer), *ends]), known_tokens(view.tokenizer, ends)
    longest = max(len(item.ids) for item in encoded)
    n_texts = max(1, batching.max_tokens // (longest + max_new_tokens))
    batching = replace(batching, max_texts=min(n_texts, batching.max_texts or n_texts))
    for items in bucket(encoded, batching):
        batch = pad(view, items, "left")
        seeds = [zlib.crc32(f"{seed}/{prompts[item.origin].id}".encode()) for item in items]
        choose = chooser(seeds, temperature, banned, known)
        new_tokens = view.generate(batch.tokens, batch.mask, choose, max_new_tokens, ends)
        for item, new in zip(items, new_tokens, strict=True):
            opened = shown[item.origin][1]
            answers[item.origin] = parse_answer(view.tokenizer, item.ids, new, opened=opened, marks=template.marks)
        if progress is not None:
            progress(len(answers), len(prompts))
    made = label_answers(prompts, [text for text, _ in shown], [answers[place] for place in range(len(prompts))])
    if not made:
        reasons = "; ".join(f"{len(ids)} times {reason}" for reason, ids in by_reason(made.unanswered).items())
        raise DataError(f"the model answered none of the {len(prompts)} prompts, e.g. {prompts[0].id!r} ({reasons})")
    warn_of_gaps(made, len(prompts))
    return made


def _require_usable(prompts: Sequence[Prompt], max_new_tokens: int, temperature: float) -> None:
    if not prompts:
        raise DataError("no prompts to respond to")
    if len({prompt.id for prompt in prompts}) < len(prompts):
        raise DataError("two prompts have the same id")
    if max_new_tokens < 1 or temperature < 0:
        raise DataError(f"max_new_tokens must be at least 1 and temperature at least 0, got {max_new_tokens} and {temperature}")


def _for_each(prompts: Sequence[Prompt], make: Callable[[int, Prompt], Made]) -> list[Made]:
    """What is made of every prompt; raises the first `DataError`, with the ids of all further prompts that raise one."""
    made: list[Made] = []
    faults: list[tuple[str, DataError]] = []
    for place, prompt in enumerate(prompts):
        try:
            made.append(make(place, prompt))
        except DataError as error:
            faults.append((prompt.id, error))
    if len(faults) > 1:
        error = faults[0][1]
        raise type(error)(
            f"{error}; {len(faults) - 1} further prompts cannot be asked either: {first_ids([i for i, _ in faults[1:]])}"
        )
    if faults:
        raise faults[0][1]
    return made


def _shown(view: LensModel, template: ChatTemplate, prompt: Prompt) -> tuple[str, bool]:
    """The text a model is shown, but for the BOS that `encode` adds, and whether a thought is open at its end.

    By the chat template, or in a plain layout where there is none.
    """
    if not template.text:
        plain = in_language(_PLAIN, prompt.language) or ""
        return plain.format(system=prompt.system, user=prompt.user).lstrip("\n"), False
    messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
    try:
        text, opened = template.render([*messages, {"role": "user", "content": prompt.user}])
    except DataError as error:
        raise DataError(f"prompt {prompt.id!r}: {error}") from None
    return _without_bos(view, text), opened


def _without_bos(view: LensModel, text: str) -> str:
    """A rendered text without the BOS it begins with, where the model's own is added."""
    return text.removeprefix(view.tokenizer.bos_token) if view.prepends_bos else text


def _require_contrast(prompts: Sequence[Prompt], shown: Sequence[str]) -> None:
    """Raise `DataError` where the two aspects of a value would be answers to one and the same text."""
    first: dict[tuple[str, str], Prompt] = {}
    for prompt, text in zip(prompts, shown, strict=True):
        other = first.setdefault((prompt.value, text), prompt)
        if other.aspect != prompt.aspect:
            raise DataError(
                f"prompts {other.id!r} and {prompt.id!r} are to show opposite aspects of {prompt.value!r}, but the model is shown the "
                f"same text for both: {text[-80:]!r}; give them different instructions"
            )


def _require_room(view: LensModel, prompts: Sequence[Prompt], encoded: Sequence[EncodedText], max_new_tokens: int) -> None:
    long = [item for item in encoded if view.n_ctx and len(item.ids) + max_new_tokens > view.n_ctx]
    if long:
        more = f" ({len(long)} such prompts)" if len(long) > 1 else ""
        raise DataError(
            f"prompt {prompts[long[0].origin].id!r} is {len(long[0].ids)} tokens long and leaves no room for {max_new_tokens} "
            f"more in the model's context of {view.n_ctx}{more}"
        )
