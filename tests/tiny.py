"""What models do the tests run on? Tiny random Hugging Face folders, made on the spot, with a saved tokenizer."""

import random
from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedTokenizerFast,
)

WORDS = [
    "the",
    "a",
    "river",
    "teacher",
    "keeps",
    "promise",
    "neighbour",
    "market",
    "quiet",
    "evening",
    "letter",
    "storm",
    "paints",
    "bread",
    "early",
    "bridge",
    "garden",
    "helps",
    "waits",
    "trade",
    "honest",
    "rule",
    "open",
    "shares",
    "window",
    "long",
    "forgets",
    "every",
    "small",
    "answer",
]
HAN = "你我在学校邻居决定说出真相帮助大家等待桥花园小镇规则公开选择"


def sentences(n_texts: int, seed: int = 0, longest: int = 24) -> list[str]:
    """Random word salads of mixed length in English and Chinese, all different."""
    rng = random.Random(seed)
    made: list[str] = []
    while len(made) < n_texts:
        n_words = rng.randint(1, longest)
        if rng.random() < 0.3:
            text = "".join(rng.choice(HAN) for _ in range(n_words))
        else:
            text = " ".join(rng.choice(WORDS) for _ in range(n_words))
        if text not in made:
            made.append(text)
    return made


def byte_tokenizer(vocab_size: int = 400, *, bos: bool = True, pad: bool = True) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(300, seed=99), trainer)
    names = {"eos_token": "</s>"}
    if bos:
        names["bos_token"] = "<s>"
    if pad:
        names["pad_token"] = "<pad>"
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=96, **names)


def llama(vocab_size: int, **changes: object) -> LlamaForCausalLM:
    shape = dict(
        vocab_size=vocab_size,
        hidden_size=24,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=96,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(LlamaConfig(**{**shape, **changes}))


def gpt2(vocab_size: int, **changes: object) -> GPT2LMHeadModel:
    shape = dict(
        vocab_size=vocab_size,
        n_embd=20,
        n_inner=45,
        n_layer=3,
        n_head=2,
        n_positions=96,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        attn_pdrop=0.0,
        embd_pdrop=0.0,
        resid_pdrop=0.0,
    )
    return GPT2LMHeadModel(GPT2Config(**{**shape, **changes}))


def neox(vocab_size: int, **changes: object) -> GPTNeoXForCausalLM:
    shape = dict(
        vocab_size=vocab_size,
        hidden_size=32,
        intermediate_size=50,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=96,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    return GPTNeoXForCausalLM(GPTNeoXConfig(**{**shape, **changes}))


def mixtral(vocab_size: int, **changes: object) -> MixtralForCausalLM:
    shape = dict(
        vocab_size=vocab_size,
        hidden_size=24,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=3,
        num_experts_per_tok=2,
        max_position_embeddings=96,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    return MixtralForCausalLM(MixtralConfig(**{**shape, **changes}))


MAKERS = {"llama": llama, "gpt2": gpt2, "neox": neox, "mixtral": mixtral}


def folder(where: Path, kind: str, make: Callable | None = None, *, seed: int = 0, **changes: object) -> Path:
    """A saved Hugging Face folder of one kind (or of `make`), random weights made large enough that neurons differ."""
    target = where / f"{kind}-{seed}"
    tokenizer = byte_tokenizer()
    torch.manual_seed(seed)
    model = (make or MAKERS[kind])(len(tokenizer), **changes)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target
