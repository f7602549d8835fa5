"""What do the benchmarks run on? A random Llama, saved with its tokenizer, and texts of mixed length in 48 groups."""

import itertools
import math
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import value_lens as vl

N_LAYERS, D_MODEL, D_MLP, D_VOCAB, N_CTX = 6, 256, 688, 16_000, 512
MEAN_TOKENS, MAX_TOKENS = 58, 256  # of one text, BOS included
GROUPS = tuple(itertools.product(vl.chinese_social.names, "+-", ("en", "zh")))

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def words() -> list[str]:
    """A thousand invented words of two to four syllables, the same every time."""
    rng = random.Random(0)
    return sorted({"".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(1000)})


def texts(n_texts: int, seed: int = 0) -> list[vl.LabelledText]:
    """Texts of known token counts in shuffled order, the groups in turn.

    The lengths are the quantiles of a log-normal distribution, cut at `MAX_TOKENS`: any number of texts has the same mix.
    """
    rng, vocabulary = random.Random(seed), words()
    normal = NormalDist(math.log(MEAN_TOKENS) - 0.235, 0.7)
    lengths = [min(MAX_TOKENS, round(math.exp(normal.inv_cdf((k + 0.5) / n_texts)))) for k in range(n_texts)]
    rng.shuffle(lengths)
    return [
        vl.LabelledText(
            id=f"t{k}",
            text=" ".join(rng.choices(vocabulary, k=max(1, length - 1))),
            value=value,
            aspect=aspect,
            language=language,
        )
        for k, (length, (value, aspect, language)) in enumerate(zip(lengths, itertools.cycle(GROUPS), strict=False))
    ]


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE in which every word of `words` is one token, at the start of a text and after a space."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=D_VOCAB,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([f"{word} {word}" for word in words()], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, model_max_length=N_CTX, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def save_llama(folder: Path, seed: int = 0) -> Path:
    """A Hugging Face folder: random weights, vocabulary 16,000, and the tokenizer, which uses a part of it."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=D_VOCAB,
        hidden_size=D_MODEL,
        intermediate_size=D_MLP,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=N_CTX,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def require_lengths(lengths: Sequence[int]) -> None:
    """The stated mix: a mean of about 58 tokens, up to 256. Raises `AssertionError` with what was found."""
    mean, longest = sum(lengths) / len(lengths), max(lengths)
    if abs(mean - MEAN_TOKENS) > 1.5 or longest != MAX_TOKENS:
        raise AssertionError(
            f"texts of {mean:.1f} tokens on average, up to {longest}; {MEAN_TOKENS} and {MAX_TOKENS} are meant"
        )
