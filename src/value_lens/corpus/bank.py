"""What is in the packaged bilingual bank, and how do its frames become texts and dilemmas?

A frame is hand-written: one pair of options, and twin situations in which the two options change roles (option i upholds the
value in situation i), so that nobody who reads only the options can tell which is aligned. Slots (who, where, what is at
stake) multiply a frame into texts. The activation and the evaluation split share no frame.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Literal

from ..errors import UnknownNameError
from ..values import SYSTEMS
from .records import Dilemma, LabelledText

Split = Literal["activation", "evaluation"]
Fillings = Literal["all", "training", "held_out"]
SPLITS = ("activation", "evaluation")
FILLINGS = ("all", "training", "held_out")
LANGUAGES = ("en", "zh")
SLOTS = ("who", "where", "stake")
_TEXT = {
    "en": "{situation} You decide to {option}, because {rationale}.",
    "zh": "{situation}你决定{option}，因为{rationale}。",
}


@dataclass(frozen=True)
class FrameText:
    """One language's wording of a frame. `rationales[s][o]` says why somebody takes option o in situation s."""

    situations: tuple[str, str]
    options: tuple[str, str]
    rationales: tuple[tuple[str, str], tuple[str, str]]
    slots: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Frame:
    """A hand-written conflict of one value, in every language."""

    id: str
    value: str
    topic: str
    split: str
    wording: dict[str, FrameText]

    @property
    def fillings(self) -> list[tuple[int, ...]]:
        """Every combination of slot fillings, as indices into who, where, stake."""
        slots = self.wording[LANGUAGES[0]].slots
        return list(product(*(range(len(slots[slot])) for slot in SLOTS)))

    def is_held_out(self, filling: tuple[int, ...]) -> bool:
        """Whether the combination uses the last filling of some slot: those are kept from anything trained on the bank."""
        slots = self.wording[LANGUAGES[0]].slots
        return any(index == len(slots[slot]) - 1 for slot, index in zip(SLOTS, filling, strict=True))

    def fill(self, template: str, language: str, filling: tuple[int, ...]) -> str:
        for slot, index in zip(SLOTS, filling, strict=True):
            template = template.replace("{" + slot + "}", self.wording[language].slots[slot][index])
        return template


@cache
def frames(system: str = "chinese_social") -> tuple[Frame, ...]:
    """Every frame of a value system, in the order of its values."""
    shelf = resources.files("value_lens.corpus") / "frames"
    folder = shelf / system
    if system not in SYSTEMS or not folder.is_dir():
        held = [name for name in SYSTEMS if (shelf / name).is_dir()]
        raise UnknownNameError("value system of the bank", system, held)
    found: list[Frame] = []
    for value in SYSTEMS[system].names:
        source = folder / f"{value}.json"
        for row in json.loads(source.read_text(encoding="utf-8"))["frames"]:
            wording = {language: _wording(row[language]) for language in LANGUAGES}
            found.append(Frame(row["id"], value, row["topic"], row["split"], wording))
    return tuple(found)


def _wording(row: dict) -> FrameText:
    first, second = row["rationales"]
    return FrameText(
        situations=tuple(row["situations"]),
        options=tuple(row["options"]),
        rationales=(tuple(first), tuple(second)),
        slots={slot: tuple(row["slots"][slot]) for slot in SLOTS},
    )


def _draws(
    value: str, split: str, fillings: str, n_draws: int | None, seed: int
) -> Iterator[tuple[Frame, int, tuple[int, ...]]]:
    """(frame, situation, filling), all different, frames and situations evenly used, the same for every language and aspect."""
    chosen = [frame for frame in frames() if frame.value == value and frame.split == split]
    cells = [(frame, situation) for frame in chosen for situation in (0, 1)]
    rng = random.Random(f"{seed}/{value}/{split}/{fillings}")
    queues = []
    for frame, situation in cells:
        allowed = [f for f in frame.fillings if fillings == "all" or frame.is_held_out(f) == (fillings == "held_out")]
        rng.shuffle(allowed)
        queues.append([(frame, situation, filling) for filling in allowed])
    rounds = [draw for turn in _turns(queues, rng) for draw in turn]
    yield from rounds if n_draws is None else rounds[:n_draws]


def _turns(queues: list[list], rng: random.Random) -> Iterator[list]:
    for depth in range(max(map(len, queues), default=0)):
        turn = [queue[depth] for queue in queues if depth < len(queue)]
        rng.shuffle(turn)
        yield turn


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def compose_texts(
    values: tuple[str, ...], languages: tuple[str, ...], *, split: str, fillings: str, per_group: int | None, seed: int
) -> Iterator[LabelledText]:
    """Texts of every value, aspect and language: situation, decision, reason. The two aspects differ in decision and reason."""
    for value in values:
        for frame, situation, filling in _draws(value, split, fillings, per_group, seed):
            for language, aspect in product(languages, "+-"):
                wording = frame.wording[language]
                option = situation if aspect == "+" else 1 - situation
                parts = {
                    "situation": wording.situations[situation],
                    "option": wording.options[option],
                    "rationale": wording.rationales[situation][option],
                }
                text = _TEXT[language].format(**{k: frame.fill(v, language, filling) for k, v in parts.items()})
                key = f"{frame.id}/{situation}/{''.join(map(str, filling))}"
                yield LabelledText(f"{key}/{aspect}/{language}", sentence_case(text), value, aspect, language, source="bank")


def compose_dilemmas(
    values: tuple[str, ...], languages: tuple[str, ...], *, split: str, fillings: str, per_group: int | None, seed: int
) -> Iterator[Dilemma]:
    """Dilemmas of every value and language; twins of a frame share their options with the roles exchanged."""
    for value in values:
        for frame, situation, filling in _draws(value, split, fillings, per_group, seed):
            key = f"{frame.id}/{situation}/{''.join(map(str, filling))}"
            for language in languages:
                wording = frame.wording[language]
                yield Dilemma(
                    id=f"{key}/{language}",
                    scenario=sentence_case(frame.fill(wording.situations[situation], language, filling)),
                    aligned=frame.fill(wording.options[situation], language, filling),
                    violating=frame.fill(wording.options[1 - situation], language, filling),
                    value=value,
                    language=language,
                    pair_id=key,
                    source="bank",
                )
