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

Result = TypeVar("Result")
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
    lens = as_lens_model(model)
    batching = batching or lens.batching
    template = ChatTemplate(lens.tokenizer, template_arguments)
    model_inputs = _map_prompts(prompts, lambda index, prompt: _model_input(lens, template, prompt))
    _require_contrast(prompts, [text for text, _ in model_inputs])
    encoded = _map_prompts(prompts, lambda index, prompt: encode(lens, model_inputs[index][0], origin=index, name=prompt.id))
    _require_room(lens, prompts, encoded, max_new_tokens)
    answers: dict[int, ParsedAnswer] = {}
    ends = sorted({*end_tokens(lens.model, lens.tokenizer), *template.turn_ends()})
    banned, known = template.banned_first_tokens([*blank_tokens(lens.tokenizer), *ends]), known_tokens(lens.tokenizer, ends)
    longest = max(len(item.ids) for item in encoded)
    n_texts = max(1, batching.max_tokens // (longest + max_new_tokens))
    batching = replace(batching, max_texts=min(n_texts, batching.max_texts or n_texts))
    for items in bucket(encoded, batching):
        batch = pad(lens, items, "left")
        seeds = [zlib.crc32(f"{seed}/{prompts[item.origin].id}".encode()) for item in items]
        choose = chooser(seeds, temperature, banned, known)
        new_tokens = lens.generate(batch.tokens, batch.mask, choose, max_new_tokens, ends)
        for item, new in zip(items, new_tokens, strict=True):
            opened = model_inputs[item.origin][1]
            answers[item.origin] = parse_answer(lens.tokenizer, item.ids, new, opened=opened, marks=template.marks)
        if progress is not None:
            progress(len(answers), len(prompts))
    labelled = label_answers(prompts, [text for text, _ in model_inputs], [answers[index] for index in range(len(prompts))])
    if not labelled:
        reasons = "; ".join(f"{len(ids)} times {reason}" for reason, ids in by_reason(labelled.unanswered).items())
        raise DataError(f"the model answered none of the {len(prompts)} prompts, e.g. {prompts[0].id!r} ({reasons})")
    warn_of_gaps(labelled, len(prompts))
    return labelled


def _require_usable(prompts: Sequence[Prompt], max_new_tokens: int, temperature: float) -> None:
    if not prompts:
        raise DataError("no prompts to respond to")
    if len({prompt.id for prompt in prompts}) < len(prompts):
        raise DataError("two prompts have the same id")
    if max_new_tokens < 1 or temperature < 0:
        raise DataError(f"max_new_tokens must be at least 1 and temperature at least 0, got {max_new_tokens} and {temperature}")


def _map_prompts(prompts: Sequence[Prompt], make: Callable[[int, Prompt], Result]) -> list[Result]:
    """The result of `make` for every prompt; raises the first `DataError`, with the ids of all further prompts that raise one."""
    results: list[Result] = []
    faults: list[tuple[str, DataError]] = []
    for index, prompt in enumerate(prompts):
        try:
            results.append(make(index, prompt))
        except DataError as error:
            faults.append((prompt.id, error))
    if len(faults) > 1:
        error = faults[0][1]
        raise type(error)(
            f"{error}; {len(faults) - 1} further prompts cannot be asked either: {first_ids([i for i, _ in faults[1:]])}"
        )
    if faults:
        raise faults[0][1]
    return results


def _model_input(lens: LensModel, template: ChatTemplate, prompt: Prompt) -> tuple[str, bool]:
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
    return _remove_bos(lens, text), opened


def _remove_bos(lens: LensModel, text: str) -> str:
    """A rendered text without the BOS it begins with, where the model's own is added."""
    return text.removeprefix(lens.tokenizer.bos_token) if lens.prepends_bos else text


def _require_contrast(prompts: Sequence[Prompt], texts: Sequence[str]) -> None:
    """Raise `DataError` where the two aspects of a value would be answers to one and the same text."""
    first: dict[tuple[str, str], Prompt] = {}
    for prompt, text in zip(prompts, texts, strict=True):
        other = first.setdefault((prompt.value, text), prompt)
        if other.aspect != prompt.aspect:
            raise DataError(
                f"prompts {other.id!r} and {prompt.id!r} are to show opposite aspects of {prompt.value!r}, but the model is shown the "
                f"same text for both: {text[-80:]!r}; give them different instructions"
            )


def _require_room(lens: LensModel, prompts: Sequence[Prompt], encoded: Sequence[EncodedText], max_new_tokens: int) -> None:
    long = [item for item in encoded if lens.n_ctx and len(item.ids) + max_new_tokens > lens.n_ctx]
    if long:
        more = f" ({len(long)} such prompts)" if len(long) > 1 else ""
        raise DataError(
            f"prompt {prompts[long[0].origin].id!r} is {len(long[0].ids)} tokens long and leaves no room for {max_new_tokens} "
            f"more in the model's context of {lens.n_ctx}{more}"
        )
