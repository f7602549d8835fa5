"""Texts and dilemmas composed from the bank's frames, deterministically by seed and evenly over frames."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from zlib import crc32

from ..core import Dilemma, LabelledText
from ._bank import Frame, frames, sentence_case, surroundings

_TEXT = {
    "en": "{opening} {situation} You decide to {option}, because {rationale}. {closing}",
    "zh": "{opening}{situation}你决定{option}，因为{rationale}。{closing}",
}

Filling = tuple[int, ...]


@dataclass(frozen=True)
class Composition:
    """A `Selection` resolved for one source of the bank: every value, language, split and count is known."""

    source: str
    values: tuple[str, ...]
    languages: tuple[str, ...]
    split: str
    fillings: str
    per_group: int | None
    seed: int


def compose_texts(composition: Composition) -> Iterator[LabelledText]:
    """Texts of every value, aspect and language: opening, situation, decision, reason, closing.

    The two aspects of one situation differ in decision and reason only. Opening and closing follow from the text's key.
    """
    for value in composition.values:
        for frame, situation, filling in _draws(composition, value):
            key = key_of(frame, situation, filling)
            for language, aspect in product(composition.languages, "+-"):
                text = compose_text(frame, situation, filling, language, aspect)
                yield LabelledText(
                    id=f"{key}/{aspect}/{language}",
                    text=text,
                    value=value,
                    aspect=aspect,
                    language=language,
                    cluster=frame.id,
                    source=composition.source,
                )


def compose_text(frame: Frame, situation: int, filling: Filling, language: str, aspect: str) -> str:
    wording = frame.wording[language]
    option = situation if aspect == "+" else 1 - situation
    parts = {
        "situation": wording.situations[situation],
        "option": wording.options[option],
        "rationale": wording.rationales[situation][option],
    }
    filled = {name: frame.fill(part, language, filling) for name, part in parts.items()}
    opening, closing = surrounding(key_of(frame, situation, filling), language)
    filled["situation"] = sentence_case(filled["situation"])
    return _TEXT[language].format(opening=opening, closing=closing, **filled)


def surrounding(key: str, language: str) -> tuple[str, str]:
    """The opening and the closing of a text: fixed by its key, the same in every language and for both aspects."""
    sentences = surroundings()
    openings, closings = sentences["openings"][language], sentences["closings"][language]
    opening, closing = divmod(crc32(key.encode()) % (len(openings) * len(closings)), len(closings))
    return openings[opening], closings[closing]


def compose_dilemmas(composition: Composition) -> Iterator[Dilemma]:
    """Dilemmas of every value and language; twins of a frame share their options with the roles exchanged."""
    for value in composition.values:
        for frame, situation, filling in _draws(composition, value):
            key = key_of(frame, situation, filling)
            for language in composition.languages:
                wording = frame.wording[language]
                yield Dilemma(
                    id=f"{key}/{language}",
                    scenario=sentence_case(frame.fill(wording.situations[situation], language, filling)),
                    aligned=frame.fill(wording.options[situation], language, filling),
                    violating=frame.fill(wording.options[1 - situation], language, filling),
                    value=value,
                    language=language,
                    pair_id=key,
                    cluster=frame.id,
                    source=composition.source,
                )


def key_of(frame: Frame, situation: int, filling: Filling) -> str:
    return f"{frame.id}/{situation}/{''.join(map(str, filling))}"


def n_draws(composition: Composition) -> int:
    """How many different situations can be composed of the values chosen, whatever `per_group` is."""
    matching = [
        frame for frame in frames(composition.source) if frame.value in composition.values and frame.split == composition.split
    ]
    return sum(2 * len(_allowed(frame, composition.fillings)) for frame in matching)


def _allowed(frame: Frame, fillings: str) -> list[Filling]:
    return [
        filling for filling in frame.fillings if fillings == "all" or frame.is_held_out(filling) == (fillings == "held_out")
    ]


def _draws(composition: Composition, value: str) -> Iterator[tuple[Frame, int, Filling]]:
    """(frame, situation, filling), all different, the same for every language and aspect.

    Every frame comes once before any comes again, each time half of them in their first situation: few draws, many frames.
    """
    fillings = composition.fillings
    rng = random.Random(f"{composition.seed}/{value}/{composition.split}/{fillings}")
    queues: tuple[list, list] = ([], [])
    matching = [frame for frame in frames(composition.source) if frame.value == value and frame.split == composition.split]
    for frame, first in zip(matching, _halves(len(matching), rng), strict=True):
        for queue, situation in zip(queues, (first, 1 - first), strict=True):
            queue.append([(frame, situation, filling) for filling in spread(_allowed(frame, fillings), rng)])
    both = zip(turns(queues[0], rng), turns(queues[1], rng), strict=True)
    yield from islice((draw for pair in both for turn in pair for draw in turn), composition.per_group)


def _halves(size: int, rng: random.Random) -> list[int]:
    """0 for one half of the places and 1 for the other, in random order."""
    halves = [index % 2 for index in range(size)]
    rng.shuffle(halves)
    return halves


def spread(fillings: Sequence[Filling], rng: random.Random) -> list[Filling]:
    """The fillings in random order, but classes of fillings that differ from each other in at least two slots stay together.

    A class holds those whose indices have one sum modulo the slots' size: few draws then differ in more than one word.
    """
    size = 1 + max((max(filling) for filling in fillings), default=0)
    classes = [[f for f in fillings if sum(f) % size == rest] for rest in range(size)]
    rng.shuffle(classes)
    for members in classes:
        rng.shuffle(members)
    return [filling for members in classes for filling in members]


def turns(queues: list[list], rng: random.Random) -> Iterator[list]:
    """One of each queue, shuffled, again and again until all are empty."""
    for depth in range(max(map(len, queues), default=0)):
        turn = [queue[depth] for queue in queues if depth < len(queue)]
        rng.shuffle(turn)
        yield turn
