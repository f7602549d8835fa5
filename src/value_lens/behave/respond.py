"""What does a model say when it is asked, under a description of a person? Answers as labelled texts, ready to be counted."""

import random
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..corpus import LabelledText, SituationalQuestion
from ..corpus.generation import RefusedError, Reply, Writer
from ..errors import DataError, ModelLoadError
from ..model import (
    BATCH_TOKENS,
    ModelView,
    blank_tokens,
    bucket,
    chooser,
    continued,
    continued_by_huggingface,
    encode,
    end_tokens,
    pad,
    said,
    tokenize,
)

PERSONA: Mapping[str, str] = {
    "en": "This is you: {description} Answer as yourself, in one or two sentences, and say why.",
    "zh": "下面说的就是你：{description}请以这个身份用一两句话回答，并说明原因。",
}
_PLAIN: Mapping[str, str] = {"en": "{system}\n{user}\nAnswer:", "zh": "{system}\n{user}\n回答："}


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a model is asked: an instruction ("" for none) and a request, with the labels its answer will carry."""

    id: str
    system: str
    user: str
    value: str
    aspect: str
    language: str


def under_poles(
    descriptions: Sequence[LabelledText],
    questions: Sequence[SituationalQuestion],
    *,
    persona: Mapping[str, str] = PERSONA,
    seed: int = 0,
) -> list[Prompt]:
    """Every question twice, under a description of each pole of its value, in its language.

    Descriptions are dealt out evenly, in an order drawn by the seed. Raises `DataError` for a question whose value has no
    descriptions of both poles in its language.
    """
    decks: dict[tuple[str, str, str], list[str]] = {}
    for described in descriptions:
        decks.setdefault((described.value, described.aspect, described.language), []).append(described.text)
    for key, deck in decks.items():
        random.Random(f"{seed}/{key}").shuffle(deck)
    dealt = dict.fromkeys(decks, 0)
    made: list[Prompt] = []
    for question in questions:
        for aspect in "+-":
            key = (question.value, aspect, question.language)
            if key not in decks:
                raise DataError(
                    f"question {question.id!r} needs descriptions of {question.value}{aspect} in {question.language!r}"
                )
            description = decks[key][dealt[key] % len(decks[key])]
            dealt[key] += 1
            system = persona.get(question.language, persona["en"]).format(description=description)
            made.append(
                Prompt(
                    id=f"{question.id}/{aspect}",
                    system=system,
                    user=question.text,
                    value=question.value,
                    aspect=aspect,
                    language=question.language,
                )
            )
    return made


def respond(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    tokenizer: Any = None,
    max_new_tokens: int = 60,
    temperature: float = 0.0,
    seed: int = 0,
    max_tokens: int = BATCH_TOKENS,
    progress: Callable[[int, int], None] | None = None,
) -> list[LabelledText]:
    """A model's answers to prompts, in their order: `prompt` is what it was shown, `text` what it said, which alone is counted.

    model: a `HookedTransformer` or `TransformerBridge`; edits that are in force act on its answers. The tokenizer's chat template is
    used where it has one. temperature: 0 is greedy; above it each answer is drawn from a seed of its own, so that it does not depend on
    the batch. An answer begins with a token that shows something. max_tokens: padded tokens of the prompts in a batch, room for
    the answers included. Raises `DataError` for no prompts, ids that repeat, and a prompt that leaves no room in the context.
    """
    if not prompts:
        raise DataError("no prompts to respond to")
    if len({prompt.id for prompt in prompts}) < len(prompts):
        raise DataError("two prompts have the same id")
    if max_new_tokens < 1 or temperature < 0:
        raise DataError(f"max_new_tokens must be at least 1 and temperature at least 0, got {max_new_tokens} and {temperature}")
    view = model if isinstance(model, ModelView) else ModelView(model, tokenizer)
    shown = [_shown(view, prompt) for prompt in prompts]
    encoded = [encode(view, text, origin=place, name=prompts[place].id) for place, text in enumerate(shown)]
    for item in encoded:
        if view.n_ctx and len(item.ids) + max_new_tokens > view.n_ctx:
            raise DataError(
                f"prompt {prompts[item.origin].id!r} is {len(item.ids)} tokens long and leaves no room for {max_new_tokens} "
                f"more in the model's context of {view.n_ctx}"
            )
    answers: dict[int, str] = {}
    banned = (*blank_tokens(view.tokenizer), *end_tokens(getattr(view.model, "original_model", None), view.tokenizer))
    longest = max(len(item.ids) for item in encoded)
    n_texts = max(1, max_tokens // (longest + max_new_tokens))
    for items in bucket(encoded, max_tokens=max_tokens, max_texts=n_texts):
        batch = pad(view, items, "left")
        seeds = [zlib.crc32(f"{seed}/{prompts[item.origin].id}".encode()) for item in items]
        choose = chooser(seeds, temperature, banned)
        for item, new in zip(items, continued(view, batch.tokens, batch.mask, choose, max_new_tokens), strict=True):
            answers[item.origin] = said(view.tokenizer, item.ids, new)
        if progress is not None:
            progress(len(answers), len(prompts))
    blank = [prompt.id for place, prompt in enumerate(prompts) if not answers[place].strip()]
    if blank:
        raise DataError(
            f"the model said nothing to {len(blank)} prompts, e.g. {blank[0]!r}; leave them out, or give more new tokens"
        )
    return [
        LabelledText(
            id=prompt.id,
            text=answers[place],
            value=prompt.value,
            aspect=prompt.aspect,
            language=prompt.language,
            prompt=shown[place],
            source="response",
        )
        for place, prompt in enumerate(prompts)
    ]


def local_writer(
    model: Any, tokenizer: Any = None, *, max_new_tokens: int = 400, temperature: float = 1.0, seed: int = 0
) -> Writer:
    """A writer for `generate` from a TransformerLens model, or from a Hugging Face model with its tokenizer.

    It works one conversation at a time. The same conversation asked again is answered anew; a new writer with the same seed repeats
    the answers of the last. Raises `ModelLoadError` without a tokenizer, `RefusedError` for a conversation without room for an answer.
    """
    view = ModelView(model, tokenizer) if hasattr(model, "hook_dict") else None
    words: Any = view.tokenizer if view else tokenizer
    if words is None:
        raise ModelLoadError("a Hugging Face model needs its tokenizer: local_writer(model, tokenizer)")
    source = getattr(model, "original_model", None) if view else model
    n_ctx = view.n_ctx if view else int(getattr(model.config, "max_position_embeddings", 0) or 0)
    lock, asked = threading.Lock(), dict[str, int]()
    banned = (*blank_tokens(words), *end_tokens(source, words))

    def write(messages: Sequence[Mapping[str, str]]) -> Reply:
        plain = "\n".join(message["content"] for message in messages) + "\n"
        templated = _templated(words, [dict(message) for message in messages])
        shown = plain if templated is None else templated
        if view is not None:
            ids = [*([words.bos_token_id] if view.prepends_bos else []), *tokenize(view, [_without_bos(view, shown)])[0]]
        else:
            ids = words(shown, add_special_tokens=templated is None)["input_ids"]
        room = n_ctx - len(ids) if n_ctx else max_new_tokens
        if room < 1:
            raise RefusedError(f"the conversation is {len(ids)} tokens long and leaves no room in the context of {n_ctx}")
        tokens = torch.tensor([ids], device=view.device if view else model.device)
        with lock:
            asked[shown] = asked.get(shown, 0) + 1
            choose = chooser([zlib.crc32(f"{seed}/{asked[shown]}/{shown}".encode())], temperature, banned)
            mask, most = torch.ones_like(tokens, dtype=torch.bool), min(max_new_tokens, room)
            if view is not None:
                (new,) = continued(view, tokens, mask, choose, most)
            else:
                (new,) = continued_by_huggingface(model, words, tokens, mask, choose, most)
        return Reply(said(words, ids, new), len(ids), len(new))

    write.model = view.info.name if view else str(getattr(model, "name_or_path", "") or type(model).__name__)  # pyright: ignore
    return write


def _shown(view: ModelView, prompt: Prompt) -> str:
    """The text a model is shown, but for the BOS that `encode` adds: the chat template, or a plain layout where there is none."""
    messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
    text = _templated(view.tokenizer, [*messages, {"role": "user", "content": prompt.user}])
    if text is None:
        return _PLAIN.get(prompt.language, _PLAIN["en"]).format(system=prompt.system, user=prompt.user).lstrip("\n")
    return _without_bos(view, text)


def _without_bos(view: ModelView, text: str) -> str:
    """A rendered text without the BOS it begins with, where the model's own is added."""
    return text.removeprefix(view.tokenizer.bos_token) if view.prepends_bos else text


def _templated(tokenizer: Any, messages: list[dict[str, str]]) -> str | None:
    """By the tokenizer's chat template, None without one; an instruction joins the request where no system role is known."""
    if not getattr(tokenizer, "chat_template", None):
        return None
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception:  # templates raise errors of their own for a role they do not know
        if messages[0]["role"] != "system" or len(messages) < 2:
            raise
        joined = {"role": "user", "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}
        return tokenizer.apply_chat_template([joined, *messages[2:]], tokenize=False, add_generation_prompt=True)
