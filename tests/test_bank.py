"""Is the packaged bank what it promises? Counts, twins, splits, slots, and no value named outright."""

import itertools
import re
from collections import Counter

import pytest

import value_lens as vl
from value_lens.corpus.bank import LANGUAGES, SLOTS, frames

NAMES = {
    "prosperity": ("prosper", "富强|繁荣"),
    "democracy": ("democra", "民主"),
    "civility": (r"civil|polite", "文明|礼貌"),
    "harmony": ("harmon", "和谐|和睦"),
    "freedom": (r"freedom|freely|libert", "自由"),
    "equality": (r"equal", "平等"),
    "justice": (r"justice|fair(ly|ness)?\b", "公正|正义|公平"),
    "rule_of_law": (r"rule of law|lawful", "法治|守法"),
    "patriotism": (r"patriot|motherland", "爱国|祖国"),
    "dedication": (r"dedicat|devot", "敬业|奉献"),
    "integrity": (r"integrity|honest", "诚信|诚实"),
    "friendliness": (r"friendl|kindness", "友善|友好"),
}


def wordings():
    return [(frame, language, frame.wording[language]) for frame in frames() for language in LANGUAGES]


def parts(wording):
    return [*wording.situations, *wording.options, *itertools.chain(*wording.rationales)]


def test_every_value_has_twelve_frames_in_two_splits():
    for value in vl.chinese_social.names:
        splits = Counter(frame.split for frame in frames() if frame.value == value)
        assert splits["activation"] >= 8 and splits["evaluation"] >= 4
    assert len({frame.id for frame in frames()}) == len(frames()) >= 144


def test_topics_vary_within_a_value():
    for value in vl.chinese_social.names:
        topics = Counter(frame.topic for frame in frames() if frame.value == value)
        assert max(topics.values()) <= 2 and len(topics) >= 8


def test_slots_are_filled_in_every_situation():
    for frame, language, wording in wordings():
        for slot in SLOTS:
            assert len(set(wording.slots[slot])) == 5, (frame.id, language, slot)
            assert all("{" + slot + "}" in situation for situation in wording.situations), (frame.id, language, slot)
        for part in parts(wording):
            assert set(re.findall(r"{(\w*)}", part)) <= set(SLOTS), (frame.id, language, part)


def test_no_text_names_its_value():
    for frame, language, wording in wordings():
        pattern = NAMES[frame.value][LANGUAGES.index(language)]
        for part in parts(wording):
            assert not re.search(rf"\b(?:{pattern})" if language == "en" else pattern, part.lower()), (frame.id, part)


def test_no_sentence_stands_twice():
    counts = Counter(part for _, _, wording in wordings() for part in parts(wording))
    assert not [part for part, count in counts.items() if count > 1]


@pytest.mark.parametrize("split", ["activation", "evaluation"])
def test_two_hundred_distinct_texts_for_each_value_aspect_and_language(split):
    texts = vl.load_texts(per_group=200, split=split)
    counts = Counter((text.group, text.text) for text in texts)
    assert max(counts.values()) == 1
    assert set(Counter(text.group for text in texts).values()) == {200} and len(texts) == 12 * 2 * 2 * 200


def test_splits_share_no_frame():
    used = {split: {d.id.split("/")[0] for d in vl.load_dilemmas(split=split)} for split in ("activation", "evaluation")}
    assert not used["activation"] & used["evaluation"]


def test_twins_make_options_uninformative():
    """Every option is aligned in one situation and violating in the other, so a reader of options alone is at chance."""
    dilemmas = vl.load_dilemmas(per_group=None)
    for language in LANGUAGES:
        aligned = Counter((d.value, d.aligned) for d in dilemmas if d.language == language)
        violating = Counter((d.value, d.violating) for d in dilemmas if d.language == language)
        assert aligned == violating


def test_languages_are_parallel():
    dilemmas = vl.load_dilemmas(per_group=30)
    pairs = Counter(d.pair_id for d in dilemmas)
    assert set(pairs.values()) == {2}
    assert Counter(d.value for d in dilemmas if d.language == "en") == Counter(d.value for d in dilemmas if d.language == "zh")


def test_aspects_differ_only_in_decision_and_reason():
    texts = {text.id: text for text in vl.load_texts(values=["integrity"], per_group=20)}
    for key, text in texts.items():
        if text.aspect == "+":
            other = texts[key.replace("/+/", "/-/")]
            cut = "You decide to" if text.language == "en" else "你决定"
            assert text.text.split(cut)[0] == other.text.split(cut)[0] and text.text != other.text


def test_composing_repeats_itself_by_seed():
    first, again, other = (vl.load_texts(per_group=15, seed=seed) for seed in (4, 4, 5))
    assert first == again and first != other


def test_held_out_fillings_use_a_word_that_training_never_does():
    held = vl.load_dilemmas(fillings="held_out", per_group=40)
    seen = vl.load_dilemmas(fillings="training", per_group=None)
    assert not {d.id for d in held} & {d.id for d in seen}
    assert all("4" in d.id.split("/")[2] for d in held) and not any("4" in d.id.split("/")[2] for d in seen)


def test_frames_and_situations_are_evenly_used():
    dilemmas = vl.load_dilemmas(values=["justice"], languages=["en"], per_group=16)
    used = Counter(tuple(d.id.split("/")[:2]) for d in dilemmas)
    assert set(used.values()) == {1} and len(used) == 16
