"""The packaged bilingual bank: hand-written frames, slots and surrounding sentences.

A frame is one pair of options and twin situations in which the two options change roles (option i upholds the value in situation
i), so that nobody who reads only the options can tell which is aligned. Slots (who, where, what is at stake) multiply a frame into
texts. The activation and the evaluation split share no frame.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

from ..core import ValueSystem
from ..errors import UnknownNameError
from ..systems import SYSTEMS, chinese_social

SPLITS = ("activation", "evaluation")
LANGUAGES = ("en", "zh")
SLOTS = ("who", "where", "stake")
_SENTENCE_START = r"([.!?][\"']? )"
BANK = "bank"
BANKS: dict[str, ValueSystem] = {
    (BANK if system is chinese_social else f"{BANK}:{name}"): system for name, system in SYSTEMS.items()
}  # the bank's sources by name: "bank", "bank:schwartz"


def is_bank(source: object) -> bool:
    """Whether a source is the bank's, by its name: "bank" or "bank:..."."""
    return isinstance(source, str) and source.split(":")[0] == BANK


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
        return combinations(self.wording[LANGUAGES[0]].slots)

    def is_held_out(self, filling: tuple[int, ...]) -> bool:
        """Whether the combination uses the last filling of some slot: those are kept from anything trained on the bank."""
        slots = self.wording[LANGUAGES[0]].slots
        return any(index == len(slots[slot]) - 1 for slot, index in zip(SLOTS, filling, strict=True))

    def fill(self, template: str, language: str, filling: tuple[int, ...]) -> str:
        return fill(template, self.wording[language].slots, filling)


def combinations(slots: dict[str, tuple[str, ...]]) -> list[tuple[int, ...]]:
    """Every choice of one filling for each slot, as indices."""
    return list(product(*(range(len(slots[slot])) for slot in SLOTS)))


def fill(template: str, slots: dict[str, tuple[str, ...]], filling: tuple[int, ...]) -> str:
    """The template with one filling in each slot; a filling that begins a later sentence gets a capital."""
    for slot, index in zip(SLOTS, filling, strict=True):
        text = slots[slot][index]
        template = re.sub(_SENTENCE_START + "{" + slot + "}", lambda match, t=text: match[1] + sentence_case(t), template)
        template = template.replace("{" + slot + "}", text)
    return template


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def frames(source: str = BANK) -> tuple[Frame, ...]:
    """Every frame of one of the bank's sources, in the order of its values. Raises `UnknownNameError` for a source it lacks."""
    if source not in BANKS:
        raise UnknownNameError("source of the bank", source, list(BANKS))
    bank_frames: list[Frame] = []
    for value in BANKS[source].names:
        for row in read_packaged(BANKS[source].name, f"{value}.json")["frames"]:
            wording = {language: _wording(row[language]) for language in LANGUAGES}
            bank_frames.append(Frame(row["id"], value, row["topic"], row["split"], wording))
    return tuple(bank_frames)


@cache
def surroundings() -> dict[str, dict[str, tuple[str, ...]]]:
    """{"openings" or "closings": {language: sentences}}: the same for all values, so that they say nothing of any."""
    sentences = read_packaged("surroundings.json")
    return {
        position: {language: tuple(sentences[position][language]) for language in LANGUAGES}
        for position in ("openings", "closings")
    }


def read_packaged(*path: str) -> Any:
    """One of the bank's JSON files."""
    shelf = resources.files("value_lens.data") / "frames"
    return json.loads(shelf.joinpath(*path).read_text(encoding="utf-8"))


def _wording(row: dict) -> FrameText:
    first, second = row["rationales"]
    return FrameText(
        situations=tuple(row["situations"]),
        options=tuple(row["options"]),
        rationales=(tuple(first), tuple(second)),
        slots=read_slots(row),
    )


def read_slots(row: dict) -> dict[str, tuple[str, ...]]:
    return {slot: tuple(row["slots"][slot]) for slot in SLOTS}
