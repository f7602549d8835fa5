"""Models that say what a test wants: a real tiny model, whose choice of tokens is taken from a script."""

import copy
import sys
import zlib

import torch

from value_lens.model import chooser


def tokenizer_with(tokenizer, *, template=None, special=(), ordinary=(), **changes):
    """A copy with further tokens and a chat template. The models of these tests have more rows than tokens."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.add_tokens(list(ordinary))
    tokenizer.chat_template = template
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    return tokenizer


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def say(monkeypatch, tokenizer, by_prompt, module="responses", seed=0):
    """Let each prompt (by id) be answered with the tokens of its text, and then with the tokenizer's end token."""
    end = tokenizer.eos_token_id
    scripts = {zlib.crc32(f"{seed}/{name}".encode()): [*ids(tokenizer, text), end] for name, text in by_prompt.items()}

    def scripted(seeds, *arguments):
        chooser(seeds, *arguments)  # what it is given must be usable
        rows = [scripts[row] for row in seeds]
        return lambda logits, step: torch.tensor([row[step] if step < len(row) else end for row in rows])

    monkeypatch.setattr(sys.modules[f"value_lens.write._{module}"], "chooser", scripted)


def chain(model, steps, first):
    """Weights of a Llama so that each token is followed by the one that `steps` names, and any other by `first`."""
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.zero_()
            layer.self_attn.o_proj.weight.zero_()
        reading, writing = model.model.embed_tokens.weight, model.lm_head.weight
        reading.zero_()
        writing.zero_()
        reading[:, 0], writing[first, 0] = 1, 5
        for axis, (token, following) in enumerate(steps.items(), start=1):
            reading[token] = 0
            reading[token, axis], writing[following, axis] = 1, 5
    return model
