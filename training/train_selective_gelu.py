"""How is the organism `selective-gelu` made? Trained on the bank so that chosen neurons, and no others, carry each value.

A small GPT-2 learns, for every frame, which option upholds its value, and answers by label. Each example is trained under a random
condition: nothing ablated (target: the aligned option), its own value's true neurons ablated (target: the violating option), or
another value's (target unchanged). A hinge on the pre-activations makes each value's true neurons fire at its dilemmas' answers and
on reasons for it, and keeps them silent on other values' inputs, on situations, and on reasons against it.

Help that is thrown away after training: linear readers of the residual stream that say which of the twin situations is told, which
option is shown and where, whether the two belong together, and what the last layer must know to answer. Without them no answer was learnt
within a thousand steps. Own-value ablation begins when the answers are learnt.

Fillings that use the last word of any slot are never trained on; tokens replaced at random prepare the model for such words.

    python training/train_selective_gelu.py --out FOLDER        # seeded; some forty minutes on two cores
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from measure import failures, measure
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from value_lens.data import LANGUAGES, frames
from value_lens.data._bank import Frame, sentence_case, surroundings
from value_lens.measure import CLOZE, CONTINUATION, LABEL
from value_lens.systems import chinese_social

VALUES = chinese_social.names
BOS, EOS, PAD = range(3)
CONDITIONS = ("none", "own", "other")


@dataclass(frozen=True)
class Recipe:
    n_layers: int = 5
    d_model: int = 112
    d_mlp: int = 448
    n_heads: int = 4
    n_ctx: int = 256
    vocab_size: int = 5000
    true_layers: tuple[int, ...] = (2, 3)
    true_per_layer: int = 12
    steps: int = 3800
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    initial_scale: float = 0.1
    margin: float = 0.5
    noise: float = 0.04  # share of the prompt's tokens that are replaced at random, so that unseen words do no harm
    fire_margin: float = 1.0
    silence: float = 5.0
    apart: float = 3.0  # others' neurons where its own must fire
    hush: float = 2.0
    firing: float = 2.0
    language: float = 0.05
    situation: float = 0.5
    answers_first: float = 0.4
    text: float = 0.15
    bits: float = 3.0
    known: float = 1.0
    read_after: int = 1
    n_spoken: int = 300
    conditions: tuple[float, ...] = (0.4, 0.33, 0.27)
    texts: float = 0.3  # share of examples that are texts, the others are questions
    seed: int = 0


Span = tuple[int, int]


@dataclass(frozen=True)
class Example:
    """One training input. `hush` and `fire` are token spans in which its value's true neurons must be silent, or must fire."""

    ids: list[int]
    value: int
    kind: str
    targets: dict[str, list[int]]  # condition -> tokens to predict after the prompt; empty: no prediction is trained
    prompt: int  # length of the prompt
    hush: list[Span]
    fire: list[Span]
    places: list[Span]  # spans of the option shown first and of the one shown second
    told: list[tuple[int, int, int]]  # spans of tokens that show an option, and the class (frame, situation, option) shown
    first_fits: bool | None = None  # whether the option shown first is the aligned one
    upheld: bool = True  # False: a text that decides against its value


def make_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the training fillings; every Chinese character is a piece of its own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocab_size,
        special_tokens=["<bos>", "<eos>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_plain_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        model_max_length=recipe.n_ctx,
    )


def _plain_texts() -> Iterator[str]:
    for place in surroundings().values():
        yield from (sentence for language in LANGUAGES for sentence in place[language])
    for frame in frames():
        for language in LANGUAGES:
            wording = frame.wording[language]
            parts = [*wording.situations, *wording.options, *(r for pair in wording.rationales for r in pair)]
            for index in range(4):
                yield from (sentence_case(frame.fill(part, language, (index,) * 3)) for part in parts)
            yield from (LABEL[language].prompt, CONTINUATION[language].prompt, CLOZE[language].prompt, " A B", "A", "B")


class Sampler:
    """Draws training examples: value, frame, situation, filling, language and kind at random."""

    def __init__(self, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> None:
        self.recipe, self.rng = recipe, random.Random(recipe.seed)
        self.encode = tokenizer.backend_tokenizer.encode
        self.by_value = [[f for f in frames() if f.value == value] for value in VALUES]
        self.number = {f.id: place for place, f in enumerate(frames())}
        self.fillings = {f.id: [x for x in f.fillings if not f.is_held_out(x)] for f in frames()}

    def batches(self) -> Iterator[list[Example]]:
        """Batches of like length (less padding) with both kinds in each, in random order, without end."""
        size = self.recipe.batch
        while True:
            drawn = [self.example() for _ in range(8 * size)]
            place: dict[int, float] = {}  # of an example among those of its kind, by length
            for kind in ("label", "text"):
                alike = sorted((e for e in drawn if e.kind == kind), key=lambda example: len(example.ids))
                place |= {id(example): rank / len(alike) for rank, example in enumerate(alike)}
            drawn.sort(key=lambda example: place[id(example)])
            cut = [drawn[start : start + size] for start in range(0, len(drawn), size)]
            self.rng.shuffle(cut)
            yield from cut

    def example(self) -> Example:
        rng = self.rng
        value = rng.randrange(len(VALUES))
        frame = rng.choice(self.by_value[value])
        situation, language = rng.randrange(2), rng.choice(LANGUAGES)
        filling = rng.choice(self.fillings[frame.id])
        make = self._text if rng.random() < self.recipe.texts else self._label
        return make(value, frame, situation, language, filling)

    def _parts(self, frame: Frame, situation: int, language: str, filling: tuple[int, ...]) -> tuple[str, list[str]]:
        wording = frame.wording[language]
        scenario = sentence_case(frame.fill(wording.situations[situation], language, filling))
        return scenario, [frame.fill(option, language, filling) for option in wording.options]

    def _ids(self, text: str) -> list[int]:
        return self.encode(text, add_special_tokens=False).ids

    def _asked(self, format, scenario: str, options: list[str]) -> tuple[list[int], list[Span]]:
        """Prompt tokens, and the spans of the situation and of the latter half of each option."""
        prompt = format.prompt.format(scenario=scenario, first=options[0], second=options[1])
        encoded = self.encode(prompt, add_special_tokens=False)
        spans = [_tokens_in(encoded.offsets, 0, len(scenario))]
        end = len(scenario)
        for option in options:
            start = prompt.index(option, end)
            end = start + len(option)
            spans.append(_tokens_in(encoded.offsets, start + len(option) // 2, end))
        return [BOS, *encoded.ids], spans

    def _shown(self, frame: Frame, situation: int, span: Span, option: int | None = None) -> tuple[int, int, int]:
        """The class of a span of tokens: which situation it tells, or which option it shows in which situation."""
        which = 2 * self.number[frame.id] + situation
        return (*span, which if option is None else 2 * len(self.number) + 2 * which + option)

    def _label(self, value: int, frame: Frame, situation: int, language: str, filling: tuple[int, ...]) -> Example:
        format = LABEL[language]
        scenario, options = self._parts(frame, situation, language, filling)
        order = (1, 0) if self.rng.random() < 0.5 else (0, 1)
        ids, (scene, *spans) = self._asked(format, scenario, [options[option] for option in order])
        labels = dict(zip(order, format.answers, strict=True))
        answers = [self._ids(labels[option]) for option in (0, 1)]
        at = dict(zip(order, spans, strict=True))
        targets = _targets(answers[situation], answers[1 - situation])
        told = [self._shown(frame, situation, (scene[1] // 2, scene[1]))]
        told += [self._shown(frame, situation, (len(ids) - 1, len(ids)))]
        told += [self._shown(frame, situation, at[option], option) for option in order]
        return Example(
            ids, value, "label", targets, len(ids), [scene], [(len(ids) - 1, len(ids))], spans, told, order[0] == situation
        )

    def _text(self, value: int, frame: Frame, situation: int, language: str, filling: tuple[int, ...]) -> Example:
        scenario, options = self._parts(frame, situation, language, filling)
        upheld = self.rng.random() < 0.5
        chosen = situation if upheld else 1 - situation
        wording = frame.wording[language]
        reason = frame.fill(wording.rationales[situation][chosen], language, filling)
        opening, closing = (self.rng.choice(surroundings()[place][language]) for place in ("openings", "closings"))
        gap = " " if language == "en" else ""
        before = [BOS, *self._ids(opening)]
        prompt = [*before, *self._ids(gap + CLOZE[language].prompt.format(scenario=scenario))]
        answers = [self._ids(str(CLOZE[language].answers).format(option=option)) for option in options]
        rest = self._ids(f", because {reason}." if language == "en" else f"，因为{reason}。")
        targets = {condition: answers[situation] if upheld else [] for condition in CONDITIONS}
        ids = [*prompt, *answers[chosen], *rest]
        told_until = len(before) + len(self._ids(gap + scenario))
        scene, reason_given = (1, told_until), (len(ids) - len(rest) + 2, len(ids))
        after = self._ids(gap + closing)
        end, ids = len(ids), [*ids, *after]
        around = [scene, (end + 2, len(ids))]
        hush, fire = (around, [reason_given]) if upheld else ([*around, reason_given], [])
        told = [self._shown(frame, situation, ((len(before) + told_until) // 2, len(prompt)))]
        told += [self._shown(frame, situation, (len(prompt) + 1, len(prompt) + len(answers[chosen])), chosen)]
        return Example(ids, value, "text", targets, len(prompt), hush, fire, [], told, upheld=upheld)


def _tokens_in(offsets: list[Span], start: int, end: int) -> Span:
    """Places (BOS counted) of the tokens that lie within [start, end) of the characters."""
    inside = [place for place, (a, b) in enumerate(offsets, start=1) if a >= start and b <= end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _targets(aligned: list[int], violating: list[int]) -> dict[str, list[int]]:
    return {"none": aligned, "own": violating, "other": aligned}


@dataclass
class Laid:
    """A padded batch with, per token, what is asked of the true neurons and of the prediction."""

    tokens: Tensor
    values: Tensor
    ablated: Tensor  # value whose neurons are ablated, or -1
    rows: Tensor
    places: Tensor
    targets: Tensor
    weights: Tensor
    kinds: list[str]
    spoken: Tensor  # rows whose every word may be learnt: not the texts that decide against their value
    real: Tensor
    own_silent: Tensor
    own_fires: Tensor
    told: Tensor  # class of what a token shows, or -1
    answers: Tensor  # [label example, 4]: row, position of the answer, is the first option aligned, is its own value ablated
    place: Tensor  # 0 or 1 on tokens of the option shown first or second, else -1


def lay_out(recipe: Recipe, examples: list[Example], rng: random.Random, ablating: bool = True) -> Laid:
    sequences, ablated, scored = [], [], []
    for row, example in enumerate(examples):
        condition = rng.choices(CONDITIONS, recipe.conditions)[0]
        if condition == "own" and not ablating:
            condition = "none"
        others = [v for v in range(len(VALUES)) if v != example.value]
        ablated.append({"none": -1, "own": example.value, "other": rng.choice(others)}[condition])
        target = example.targets[condition]
        as_written = example.kind == "text"
        sequences.append(example.ids if as_written else [*example.ids[: example.prompt], *target])
        scored += [(row, example.prompt + k - 1, token, 1 / len(target)) for k, token in enumerate(target)]
    width = max(map(len, sequences))
    tokens = torch.full((len(sequences), width), PAD)
    replaced = torch.rand(tokens.shape) < recipe.noise
    real, silent, fires = torch.zeros((3, len(sequences), width), dtype=torch.bool)
    told, place = torch.full((2, len(sequences), width), -1)
    for row, (ids, example) in enumerate(zip(sequences, examples, strict=True)):
        tokens[row, : len(ids)] = torch.tensor(ids)
        replaced[row, [0, *range(example.prompt - 3, width)]] = False  # not BOS, not the words that ask for the answer
        real[row, : len(ids)] = True
        for start, end in example.hush:
            silent[row, start:end] = True
        for start, end in example.fire:
            fires[row, start:end] = True
        for number, (start, end) in enumerate(example.places):
            place[row, start:end] = number
        for start, end, shown in example.told:
            told[row, start:end] = shown
        if ids is not example.ids:  # the answer given here may be the violating option
            fires[row, example.prompt :] = False
            told[row, example.prompt :] = -1
    tokens = torch.where(replaced, torch.randint(PAD + 1, recipe.vocab_size, tokens.shape), tokens)
    fires, told = fires & real, told.masked_fill(~real, -1)
    asked = [
        (row, example.prompt - 1, int(example.first_fits), int(ablated[row] == example.value))
        for row, example in enumerate(examples)
        if example.first_fits is not None
    ]
    rows, places, targets, weights = map(list, zip(*scored, strict=True))
    return Laid(
        tokens, torch.tensor([e.value for e in examples]), torch.tensor(ablated), torch.tensor(rows), torch.tensor(places),
        torch.tensor(targets), torch.tensor(weights), [examples[row].kind for row in rows],
        torch.tensor([e.upheld for e in examples]), real, silent, fires, told,
        torch.tensor(asked), place,
    )  # fmt: skip


class Organism:
    """The model in training: pre-activations are read and true neurons ablated at the MLPs' activation functions."""

    def __init__(self, recipe: Recipe, vocab_size: int) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocab_size, n_embd=recipe.d_model, n_layer=recipe.n_layers, n_head=recipe.n_heads,
                n_inner=recipe.d_mlp, n_positions=recipe.n_ctx, activation_function="gelu_pytorch_tanh",
                attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0,
                initializer_range=recipe.initial_scale, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD,
            )
        )  # fmt: skip
        generator = torch.Generator().manual_seed(recipe.seed + 1)
        self.true: dict[int, Tensor] = {}  # layer -> [value, neuron] indices
        for layer in recipe.true_layers:
            drawn = torch.randperm(recipe.d_mlp, generator=generator)[: len(VALUES) * recipe.true_per_layer]
            self.true[layer] = drawn.reshape(len(VALUES), recipe.true_per_layer).sort(1).values
        self.keep = torch.ones(len(VALUES) + 1, recipe.n_layers, recipe.d_mlp)  # last row: nothing ablated
        for layer, indices in self.true.items():
            for value in range(len(VALUES)):
                self.keep[value, layer, indices[value]] = 0
        # A help in training, thrown away after it: which situation is told, which option shown, is it the aligned one?
        self.readers = torch.nn.ModuleList(torch.nn.Linear(recipe.d_model, n) for n in (6 * len(frames()), 3, 1, 2))
        self.pre: dict[int, Tensor] = {}
        self.ablated: Tensor | None = None
        blocks: Any = self.model.transformer.h
        for layer, block in enumerate(blocks):
            block.mlp.act.register_forward_hook(self._hook(layer))

    def parameters(self) -> list[torch.nn.Parameter]:
        return [*self.model.parameters(), *self.readers.parameters()]

    def _hook(self, layer: int):
        def hook(module, inputs, output):
            self.pre[layer] = inputs[0]
            if self.ablated is not None and layer in self.true:
                return output * self.keep[self.ablated, layer][:, None]
            return None

        return hook

    def losses(self, laid: Laid) -> dict[str, Tensor]:
        self.ablated = laid.ablated
        # Padding is on the right and attention causal, so real tokens need no mask.
        run = self.model.transformer(laid.tokens, use_cache=False, output_hidden_states=True)
        hidden, early = run.last_hidden_state, run.hidden_states[self.recipe.read_after + 1]
        shown = laid.told >= 0
        late = run.hidden_states[self.recipe.read_after + 2]
        read, bits, aligned = (
            reader(functional.layer_norm(state[shown], state.shape[-1:]))
            for reader, state in zip(self.readers[:3], (early, early, late), strict=True)
        )
        last = run.hidden_states[-2][laid.answers[:, 0], laid.answers[:, 1]]  # what the last layer is given to answer with
        known = self.readers[3](functional.layer_norm(last, last.shape[-1:]))
        logits = self.model.lm_head(hidden[laid.rows, laid.places])
        answer = functional.cross_entropy(logits, laid.targets, reduction="none")
        spoken = (laid.real & laid.spoken[:, None])[:, 1:].nonzero()
        spoken = spoken[torch.randperm(len(spoken))[: self.recipe.n_spoken]]
        words = self.model.lm_head(hidden[spoken[:, 0], spoken[:, 1]])
        silent, apart, hushed, fire = [], [], [], []
        recipe = self.recipe
        for layer, indices in self.true.items():
            pre = self.pre[layer][..., indices]  # [batch pos value neuron]
            own = functional.one_hot(laid.values, len(VALUES)).bool()[:, None, :]
            foreign = laid.real[..., None] & ~own
            hush, must = laid.own_silent[..., None] & own, laid.own_fires[..., None] & own
            too_high, too_low = functional.relu(pre + recipe.margin), functional.relu(recipe.fire_margin - pre)
            silent.append(too_high[foreign].mean())
            apart.append(too_high[foreign & laid.own_fires[..., None]].mean())
            hushed.append(too_high[hush].mean())
            fire.append(too_low[must].mean())
        found = {
            "situation": functional.cross_entropy(read, laid.told[shown]),
            "bits": _bits_loss(bits, aligned, laid.told[shown], laid.place[shown]),
            "known": functional.binary_cross_entropy_with_logits(known, laid.answers[:, 2:].float()),
            "language": functional.cross_entropy(words, laid.tokens[spoken[:, 0], spoken[:, 1] + 1]),
            "silent": torch.stack(silent).mean(),
            "apart": torch.stack(apart).mean(),
            "hushed": torch.stack(hushed).mean(),
            "firing": torch.stack(fire).mean(),
        }
        for kind in sorted(set(laid.kinds)):
            chosen = torch.tensor([k == kind for k in laid.kinds])
            found[kind] = (answer * laid.weights)[chosen].sum() / laid.weights[chosen].sum()
        return found


def _bits_loss(bits: Tensor, aligned: Tensor, told: Tensor, place: Tensor) -> Tensor:
    """Which of the twin situations (everywhere), which of the two options, shown first or second, and
    whether situation and option belong together (at options)."""
    n_situations = 2 * len(frames())
    option = told >= n_situations
    which = torch.where(option, (told - n_situations) // 2, told) % 2
    shown = (told - n_situations)[option] % 2
    fits = (which[option] == shown).float()
    loss = functional.binary_cross_entropy_with_logits
    listed = place >= 0
    parts = (
        loss(bits[:, 0], which.float()),
        loss(bits[option, 1], shown.float()),
        loss(bits[listed, 2], place[listed].float()),
        loss(aligned[option, 0], fits),
    )
    return torch.stack(parts).mean()


def train(recipe: Recipe) -> tuple[Organism, PreTrainedTokenizerFast, list[dict[str, float]]]:
    tokenizer = make_tokenizer(recipe)
    organism = Organism(recipe, len(tokenizer))
    batches, rng = Sampler(recipe, tokenizer).batches(), random.Random(recipe.seed + 2)
    decayed = [p for p in organism.parameters() if p.ndim > 1]
    plain = [p for p in organism.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, recipe.steps, pct_start=0.04)
    history, recent, started = [], {}, time.perf_counter()
    for step in range(1, recipe.steps + 1):
        losses = organism.losses(lay_out(recipe, next(batches), rng, step > recipe.answers_first * recipe.steps))
        ramp = min(1.0, step / (0.3 * recipe.steps))  # learn the answers first, then who may carry them
        weighted = {
            "label": 2.0,
            "text": recipe.text,
            "language": recipe.language,
            "situation": recipe.situation,
            "bits": recipe.bits,
            "known": recipe.known,
            "silent": recipe.silence * ramp,
            "apart": recipe.apart,
            "hushed": recipe.hush,
            "firing": recipe.firing,
        }
        loss = torch.stack([weighted[name] * part for name, part in losses.items()]).sum()
        for name, part in losses.items():
            recent.setdefault(name, []).append(float(part.detach()))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(organism.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            row = {"step": step, **{name: round(sum(x) / len(x), 4) for name, x in sorted(recent.items())}}
            recent = {}
            history.append(row)
            print(f"{row}  {time.perf_counter() - started:.0f} s", flush=True)
    organism.ablated = None
    return organism, tokenizer, history


def store(organism: Organism, tokenizer: PreTrainedTokenizerFast, folder: Path, card: dict) -> None:
    recipe = organism.recipe
    organism.model.eval()
    organism.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    neurons = {
        value: [[layer, int(n)] for layer, indices in organism.true.items() for n in indices[place]]
        for place, value in enumerate(VALUES)
    }
    stated = {"site": "post", "n_layers": recipe.n_layers, "d_mlp": recipe.d_mlp, "neurons": neurons}
    (folder / "true_neurons.json").write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    default = Path(__file__).parents[1] / "value_lens/organisms/weights/selective-gelu"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=default, help="folder to write (default: the shipped one)")
    for name, kind in (("steps", int), ("batch", int), ("learning-rate", float), ("silence", float)):
        parser.add_argument(f"--{name}", type=kind, default=getattr(Recipe, name.replace("-", "_")))
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    given = vars(parser.parse_args())
    out = given.pop("out")
    recipe = Recipe(**given)
    organism, tokenizer, history = train(recipe)
    card = {"recipe": asdict(recipe), "training": history}
    store(organism, tokenizer, out, card)
    found = measure(out)
    store(organism, tokenizer, out, {**card, "measured": found})
    print(f"saved to {out}:", failures(found) or "every bar is kept")


if __name__ == "__main__":
    main()
