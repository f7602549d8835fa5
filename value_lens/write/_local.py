"""A local model as a writer."""

import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..endpoint import Message, RefusedError, Reply, Writer
from ..errors import ModelLoadError
from ..model import (
    ChatTemplate,
    LensModel,
    as_lens_model,
    blank_tokens,
    chooser,
    end_tokens,
    generate_with_huggingface,
    known_tokens,
    prepend_bos,
    require_embedded,
    tokenize,
)
from ._answers import parse_answer


def local_writer(
    model: Any,
    tokenizer: Any = None,
    *,
    max_new_tokens: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
    template_arguments: Mapping[str, Any] | None = None,
) -> Writer:
    """A writer for `generate` from a `ValueLens` or a TransformerLens model, or from a Hugging Face model with its tokenizer.

    It works one conversation at a time. The same conversation asked again is answered anew; a new writer with the same seed repeats
    the answers of the last. Thoughts, and what begins and ends an answer, are as in `respond`; of a reply without an answer, `problem`
    says why.

    Args:
        model: A `ValueLens`, a TransformerLens model, or a Hugging Face model.
        tokenizer: The tokenizer of a Hugging Face model.
        max_new_tokens: The most tokens of a reply, thought and answer together.
        temperature: Sampling temperature; 0 is greedy.
        seed: Seed of the sampling.
        template_arguments: Arguments of the tokenizer's chat template, such as {"enable_thinking": True}.

    Returns:
        A callable from a conversation to a `Reply`. It raises `DataError` for a chat template that cannot show the conversation and
        for a token that the model lacks, and `RefusedError` for a conversation without room for an answer.

    Raises:
        ModelLoadError: A Hugging Face model without its tokenizer.
    """
    lens = as_lens_model(model, tokenizer) if isinstance(model, LensModel) or hasattr(model, "hook_dict") else None
    model = model if lens is None else lens.model
    tokenizer = lens.tokenizer if lens else tokenizer
    if tokenizer is None:
        raise ModelLoadError("a Hugging Face model needs its tokenizer: local_writer(model, tokenizer)")
    n_ctx = lens.n_ctx if lens else int(getattr(model.config, "max_position_embeddings", 0) or 0)
    lock, n_asked = threading.Lock(), dict[str, int]()
    template = ChatTemplate(tokenizer, template_arguments)
    ends = sorted({*end_tokens(model, tokenizer), *template.turn_ends()})
    banned, known = template.banned_first_tokens([*blank_tokens(tokenizer), *ends]), known_tokens(tokenizer, ends)

    def write(messages: Sequence[Message]) -> Reply:
        plain = "\n".join(message["content"] for message in messages) + "\n"
        rendered, opened = template.render(messages) if template.text else (plain, False)
        if lens is not None:
            ids = prepend_bos(lens, tokenize(lens, [rendered])[0])
        else:
            ids = tokenizer(rendered, add_special_tokens=not template.text)["input_ids"]
            ids = ids[1:] if ids[:2] == [tokenizer.bos_token_id] * 2 else ids  # the text brought one of its own
        n_embedded = lens.n_embedded if lens else int(model.get_input_embeddings().weight.shape[0])
        require_embedded(tokenizer, ids, n_embedded, "the conversation")
        room = n_ctx - len(ids) if n_ctx else max_new_tokens
        if room < 1:
            raise RefusedError(f"the conversation is {len(ids)} tokens long and leaves no room in the context of {n_ctx}")
        tokens = torch.tensor([ids], device=lens.device if lens else model.device)
        with lock:
            n_asked[rendered] = n_asked.get(rendered, 0) + 1
            choose = chooser([zlib.crc32(f"{seed}/{n_asked[rendered]}/{rendered}".encode())], temperature, banned, known)
            mask, most = torch.ones_like(tokens, dtype=torch.bool), min(max_new_tokens, room)
            if lens is not None:
                (new,) = lens.generate(tokens, mask, choose, most, ends)
            else:
                (new,) = generate_with_huggingface(model, tokenizer, tokens, mask, choose, most, ends)
        answer = parse_answer(tokenizer, ids, new, opened=opened, marks=template.marks)
        return Reply(answer.text, len(ids), len(new), answer.problem)

    write.model = lens.info.name if lens else str(getattr(model, "name_or_path", "") or type(model).__name__)  # pyright: ignore
    return write
