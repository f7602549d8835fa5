"""Is the packaged bank what it promises? Counts, twins, splits, slots, and no value named outright."""

import itertools
import random
import re
from collections import Counter

import pytest

import value_lens as vl
from value_lens.data import LANGUAGES, frames, stream
from value_lens.data._bank import SLOTS, fill, surroundings
from value_lens.data._compose import compose_text, spread

SYSTEMS = {"bank": vl.chinese_social, "bank:schwartz": vl.schwartz}
each_source = pytest.mark.parametrize("source", SYSTEMS)


def wordings():
    return [(frame, language, frame.wording[language]) for s in SYSTEMS for frame in frames(s) for language in LANGUAGES]


def parts(wording):
    return [*wording.situations, *wording.options, *itertools.chain(*wording.rationales)]


@each_source
def test_every_value_has_twenty_four_frames_in_two_splits(source):
    for value in SYSTEMS[source].names:
        splits = Counter(frame.split for frame in frames(source) if frame.value == value)
        assert splits == {"activation": 12, "evaluation": 12}
    assert len({frame.id for frame in frames(source)}) == len(frames(source)) == 24 * len(SYSTEMS[source])


@each_source
def test_topics_differ_within_a_value(source):
    for value in SYSTEMS[source].names:
        topics = Counter(frame.topic for frame in frames(source) if frame.value == value)
        assert len(topics) >= 23 and max(topics.values()) <= 2


def test_slots_are_filled_in_every_situation():
    for frame, language, wording in wordings():
        for slot in SLOTS:
            assert len(set(wording.slots[slot])) == 5, (frame.id, language, slot)
            assert all("{" + slot + "}" in situation for situation in wording.situations), (frame.id, language, slot)
        for part in parts(wording):
            assert set(re.findall(r"{(\w*)}", part)) <= set(SLOTS), (frame.id, language, part)


def test_no_text_names_its_value():
    values = {value.name: value for system in SYSTEMS.values() for value in system}
    for frame, language, wording in wordings():
        for part in (*parts(wording), *itertools.chain(*wording.slots.values())):
            assert not values[frame.value].is_named_in(part, language), (frame.id, part)


def test_no_sentence_stands_twice():
    counts = Counter(part for _, _, wording in wordings() for part in parts(wording))
    assert not [part for part, count in counts.items() if count > 1]


@pytest.mark.parametrize("split", ["activation", "evaluation"])
@each_source
def test_two_hundred_distinct_texts_for_each_value_aspect_and_language(split, source):
    texts = vl.load_texts(source, vl.Selection(per_group=200, split=split))
    counts = Counter((text.group, text.text) for text in texts)
    assert max(counts.values()) == 1
    assert set(Counter(text.group for text in texts).values()) == {200} and len(texts) == len(SYSTEMS[source]) * 2 * 2 * 200


@each_source
def test_the_scale_of_the_papers(source):
    """6,000 activation texts and 200 evaluation dilemmas of each value and language, all different."""
    for value in SYSTEMS[source].names:  # each has room for as many as the one that is composed below
        chosen = [frame for frame in frames(source) if frame.value == value and frame.split == "activation"]
        assert sum(2 * len(frame.fillings) for frame in chosen) >= 3000
    some = SYSTEMS[source].names[:1]
    texts = [
        (text.language, text.aspect, text.text)
        for text in stream(vl.LabelledText, source, vl.Selection(values=some, per_group=3000))
    ]
    assert Counter(language for language, _, _ in texts) == {"en": 6000, "zh": 6000} and len(set(texts)) == 12_000
    dilemmas = vl.load_dilemmas(source, vl.Selection(per_group=200))
    assert len({(d.scenario, d.aligned) for d in dilemmas}) == len(dilemmas) == 2 * 200 * len(SYSTEMS[source])


def test_pole_descriptions_and_questions_at_the_scale_of_the_papers():
    texts = vl.load_texts("bank:poles", vl.Selection(per_group=None))
    assert Counter(text.group for text in texts) == {
        (v, a, l): 80 for v in vl.schwartz.higher_order for a in "+-" for l in LANGUAGES
    }
    assert len({text.text for text in texts}) == len({text.id for text in texts}) == 1280
    questions = vl.load_questions(selection=vl.Selection(per_group=3750))
    assert Counter(q.language for q in questions) == {"en": 15_000, "zh": 15_000}
    assert len({(q.language, q.text) for q in questions}) == len({q.id for q in questions}) == 30_000
    for value in vl.schwartz.higher_order:
        assert len({q.id.split("/")[0] for q in questions if q.value == value}) == 40
    assert not [q for q in questions if "{" in q.text] and all(q.text[-1] in "?？" for q in questions)


def test_poles_are_not_told_apart_by_length_or_by_negations():
    """And both poles speak to 'you' of the same 80 themes: equal places of a pole share one."""
    negations = {"en": r"\b(?:not|never|no|nothing|nobody|rarely|hardly|without|\w+n't)\b", "zh": "不|没|无|别|未"}
    texts = vl.load_texts("bank:poles", vl.Selection(per_group=None))
    for value, language in itertools.product(vl.schwartz.higher_order, LANGUAGES):
        poles = [[t.text for t in texts if (t.value, t.language, t.aspect) == (value, language, a)] for a in "+-"]
        lengths = [sum(map(len, pole)) for pole in poles]
        assert abs(lengths[0] / lengths[1] - 1) <= 0.02
        negated = [sum(bool(re.search(negations[language], text.lower())) for text in pole) for pole in poles]
        assert abs(negated[0] - negated[1]) <= 14


@each_source
def test_texts_that_uphold_and_oppose_a_value_are_equally_long(source):
    for value, language in itertools.product(SYSTEMS[source].names, LANGUAGES):
        lengths = Counter()
        for frame in (frame for frame in frames(source) if frame.value == value and frame.split == "activation"):
            for s, filling, aspect in itertools.product((0, 1), frame.fillings[::31], "+-"):
                lengths[aspect] += len(compose_text(frame, s, filling, language, aspect))
        assert 0.98 <= lengths["+"] / lengths["-"] <= 1.02, (value, language)


def test_openings_and_closings_are_the_same_for_every_value_and_name_none():
    around = surroundings()
    for place, language in itertools.product(("openings", "closings"), LANGUAGES):
        assert len(set(around[place][language])) == 40
        for sentence, system in itertools.product(around[place][language], SYSTEMS.values()):
            assert not any(value.is_named_in(sentence, language) for value in system)
    used = {
        text.text.split(". ")[0]
        for text in vl.load_texts(selection=vl.Selection(values=["justice"], languages=["en"], per_group=600))
    }
    assert len(used) >= 38  # any value meets any opening


def test_a_slot_that_begins_a_later_sentence_gets_a_capital():
    slots = {"who": ("your aunt",), "where": ("the inn",), "stake": ("a bet",)}
    assert (
        fill("At {where}. {who} waits. You see {who}.", slots, (0, 0, 0)) == "At the inn. Your aunt waits. You see your aunt."
    )


def test_few_draws_differ_in_more_than_one_word():
    fillings = list(itertools.product(range(5), repeat=3))
    drawn = spread(fillings, random.Random(0))
    assert sorted(drawn) == fillings
    for first, second in itertools.combinations(drawn[:25], 2):
        assert sum(a != b for a, b in zip(first, second, strict=True)) >= 2


def test_splits_share_no_frame():
    used = {
        split: {d.id.split("/")[0] for d in vl.load_dilemmas(selection=vl.Selection(split=split))}
        for split in ("activation", "evaluation")
    }
    assert not used["activation"] & used["evaluation"]


def test_twins_make_options_uninformative():
    """Every option is aligned in one situation and violating in the other, so a reader of options alone is at chance."""
    dilemmas = vl.load_dilemmas(selection=vl.Selection(per_group=None))
    for language in LANGUAGES:
        aligned = Counter((d.value, d.aligned) for d in dilemmas if d.language == language)
        violating = Counter((d.value, d.violating) for d in dilemmas if d.language == language)
        assert aligned == violating


def test_languages_are_parallel():
    dilemmas = vl.load_dilemmas(selection=vl.Selection(per_group=30))
    pairs = Counter(d.pair_id for d in dilemmas)
    assert set(pairs.values()) == {2}
    assert Counter(d.value for d in dilemmas if d.language == "en") == Counter(d.value for d in dilemmas if d.language == "zh")


def test_aspects_differ_only_in_decision_and_reason():
    texts = {text.id: text for text in vl.load_texts(selection=vl.Selection(values=["integrity"], per_group=20))}
    for key, text in texts.items():
        if text.aspect == "+":
            other = texts[key.replace("/+/", "/-/")]
            cut = "You decide to" if text.language == "en" else "你决定"
            assert text.text.split(cut)[0] == other.text.split(cut)[0] and text.text != other.text


def test_composing_repeats_itself_by_seed():
    first, again, other = (vl.load_texts(selection=vl.Selection(per_group=15, seed=seed)) for seed in (4, 4, 5))
    assert first == again and first != other


def test_held_out_fillings_use_a_word_that_training_never_does():
    held = vl.load_dilemmas(selection=vl.Selection(fillings="held_out", per_group=40))
    seen = vl.load_dilemmas(selection=vl.Selection(fillings="training", per_group=None))
    assert not {d.id for d in held} & {d.id for d in seen}
    assert all("4" in d.id.split("/")[2] for d in held) and not any("4" in d.id.split("/")[2] for d in seen)


@pytest.mark.parametrize("fillings", ["all", "training", "held_out"])
def test_frames_and_situations_are_evenly_used(fillings):
    """Twelve draws are of twelve frames, half of them in the first situation; the next twelve of the same in the other."""
    dilemmas = vl.load_dilemmas(selection=vl.Selection(values=["justice"], languages=["en"], fillings=fillings, per_group=72))
    used = [tuple(d.id.split("/")[:2]) for d in dilemmas]
    for start in range(0, 72, 12):
        turn = used[start : start + 12]
        assert len({frame for frame, _ in turn}) == 12 and [s for _, s in turn].count("0") == 6
    assert set(Counter(used).values()) == {3} and len(set(used)) == 24
    assert {d.cluster for d in dilemmas} == {frame for frame, _ in used}
