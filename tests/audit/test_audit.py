"""Does the audit find what is wrong with a corpus, and nothing where all is well? On corpora made bad on purpose."""

import random

import pytest

import value_lens as vl
from value_lens.audit import Bars, audit_corpus, duplicates, shingles_of
from value_lens.audit._duplicates import jaccard
from value_lens.audit._giveaway import giveaway
from value_lens.data import frames
from value_lens.errors import DataError
from value_lens.report import audit_page

NOUNS = (
    *("river", "market", "lamp", "garden", "letter", "bridge", "teacher", "storm"),
    *("window", "bread", "kettle", "orchard", "ladder", "quilt", "harbour", "meadow"),
)


def dilemma(k, aligned, violating, *, value="care", language="en", pair=""):
    return vl.Dilemma(
        id=f"d{k}",
        scenario=f"Scene {k} by the {NOUNS[k % 16]}.",
        aligned=aligned,
        violating=violating,
        value=value,
        language=language,
        pair_id=pair,
    )


def words(rng, n=14):
    return " ".join(rng.choices(NOUNS, k=n))


# Duplicates, against every pair compared in a plain loop


@pytest.mark.parametrize("seed", range(4))
def test_duplicates_are_those_of_a_plain_loop(seed):
    rng = random.Random(seed)
    texts = [words(rng, 40) for _ in range(30)]
    for k in range(12):  # change some words of earlier texts
        changed = texts[k].split()
        if k % 4:
            changed[(0, 1, 20, 39)[k % 4]] = "comet"
        texts.append(" ".join(changed))
    named = [(f"t{k}", text) for k, text in enumerate(texts)]
    shingles = shingles_of("en")
    kept, n_exact, n_near = [], 0, 0
    for place, text in enumerate(texts):
        if text in texts[:place]:
            n_exact += 1
        elif any(jaccard(shingles(text), shingles(other)) >= 0.8 for other in kept):
            n_near += 1
        else:
            kept.append(text)
    found = duplicates(named, shingles)
    assert (found.n_texts, found.n_exact, found.n_near) == (42, n_exact, n_near)
    assert n_exact == 3 and n_near >= 2 and found.rate == (n_exact + n_near) / 42


def test_shingles_are_runs_of_five_words_or_characters():
    assert shingles_of("en")("One, two three. Four five six") == {"one two three four five", "two three four five six"}
    assert shingles_of("zh")("你好，世界和平！") == {"你好世界和", "好世界和平"}
    assert shingles_of("en")("short") == {"short"} and jaccard(set(), set()) == 1.0


def test_the_first_of_each_pair_is_named():
    found = duplicates([("a", "x y z"), ("b", "other words"), ("c", "x y z")], shingles_of("en"))
    assert found.pairs == (("a", "c"),)


# Giveaways


def test_a_stock_phrase_gives_the_aligned_option_away():
    rng = random.Random(0)
    told = [dilemma(k, f"kindly {words(rng, 4)}", f"rather {words(rng, 4)}") for k in range(40)]
    assert giveaway(told, "en").accuracy["care"] == 1.0


def test_options_that_change_roles_give_nothing_away():
    """Twins share a pair, so that a classifier never trains on one and is tested on the other."""
    rng = random.Random(1)
    twins = []
    for k in range(30):
        first, second = words(rng, 4), words(rng, 4)
        twins += [
            dilemma(2 * k, first, second, pair=f"p{k}"),
            dilemma(2 * k + 1, second, first, pair=f"p{k}"),
        ]
    found = giveaway(twins, "en")
    assert found.accuracy["care"] == 0.5 and found.n_frames["care"] == 30


def test_without_frames_to_hold_out_there_is_no_classifier():
    assert giveaway([dilemma(0, "a b", "c d", pair="p"), dilemma(1, "c d", "a b", pair="p")], "en") is None


def test_options_without_words_tell_nothing():
    assert giveaway([dilemma(k, "?" * (k + 1), "!" * (k + 1)) for k in range(6)], "en").accuracy["care"] == 0.5


@pytest.mark.parametrize("language", ["zh", "zh-CN", "ja"])
def test_languages_without_spaces_are_read_by_character(language):
    rng = random.Random(2)
    letters = "山水桥灯院巷米茶船纸笔门窗雨雪"
    told = [
        dilemma(k, "悄" + "".join(rng.choices(letters, k=6)), "大" + "".join(rng.choices(letters, k=6)), language=language)
        for k in range(40)
    ]
    assert giveaway(told, language).accuracy["care"] == 1.0


def test_small_samples_without_a_signal_are_not_accused():
    for seed in range(12):
        rng = random.Random(seed)
        noise = [dilemma(k, words(rng, 5), words(rng, 5)) for k in range(20)]
        assert not [problem for problem in audit_corpus([], noise).failures() if "bag of words" in problem]


def test_roles_that_are_exchanged_between_frames_are_noticed():
    rng = random.Random(3)
    pairs = [(words(rng, 4), words(rng, 4)) for _ in range(30)]
    swapped = [dilemma(2 * k + s, *(pair if s == 0 else pair[::-1])) for k, pair in enumerate(pairs) for s in (0, 1)]
    assert any(
        "below chance: options recur with exchanged roles" in problem for problem in audit_corpus([], swapped).failures()
    )


# The whole


@pytest.fixture(scope="module")
def bank():
    return vl.load_texts(selection=vl.Selection(per_group=64)), vl.load_dilemmas(selection=vl.Selection(per_group=160))


@pytest.fixture(scope="module")
def audited(bank):
    return audit_corpus(*bank, source="bank")


def test_the_bank_keeps_every_bar(audited):
    found = audited
    assert found.failures() == [] and found.not_parallel == () and found.unused_frames == ()


@pytest.mark.parametrize("source", ["bank", "bank:schwartz"])
def test_the_bank_at_length_keeps_every_bar(source):
    texts, dilemmas = vl.load_texts(source, vl.Selection(per_group=64)), vl.load_dilemmas(source, vl.Selection(per_group=200))
    found = audit_corpus(texts, dilemmas, source=source)
    assert found.failures() == []
    for each in found.languages.values():
        assert each.duplicate_texts.rate < 0.01 and each.duplicate_dilemmas.rate < 0.01
        assert max(each.giveaway.accuracy.values()) <= 0.60
        assert all(abs(ratio - 1) < 0.02 for ratio in each.length_ratio.values())
        assert all(abs(ratio - 1) < 0.03 for ratio in each.text_length_ratio.values())
        assert all(abs(share - 0.5) <= 0.02 for share in each.first_share.values())
        assert max(each.named.values()) < 0.10


def test_what_is_wrong_is_said_in_words(bank):
    texts, _ = bank
    some = [text for text in texts if text.value == "freedom"][:40]
    bad_texts = [
        *some,
        *(
            vl.LabelledText(id=f"twice{k}", text=text.text, value="freedom", aspect="+", language="en")
            for k, text in enumerate(some)
            if text.language == "en"
        ),
        *(
            vl.LabelledText(
                id=f"name{k}",
                text=f"They chose freedom by lamp {k} and bridge {k}.",
                value="freedom",
                aspect="+",
                language="en",
            )
            for k in range(20)
        ),
    ]
    rng = random.Random(0)
    telling = [dilemma(k, f"kindly {words(rng, 9)}", f"rather {words(rng, 2)}", value="freedom") for k in range(40)]
    missed = "\n".join(audit_corpus(bad_texts, telling).failures())
    for part in (
        "of the texts are exact or near duplicates, e.g. (",
        "freedom: a bag of words tells the aligned option in 100% of dilemmas",
        "en: freedom: options that uphold it are ",
        "of its texts name it outright",
        "languages differ: freedom+ has texts {'en': ",
    ):
        assert part in missed, part


def test_bars_may_be_set(audited):
    assert audited.failures(Bars(balance=0.0001)) != []


def test_unused_frames_are_named():
    found = audit_corpus([], vl.load_dilemmas(selection=vl.Selection(values=["justice"], per_group=10)))
    used = {d.id.split("/")[0] for d in vl.load_dilemmas(selection=vl.Selection(values=["justice"], per_group=10))}
    known = {frame.id for frame in frames() if (frame.value, frame.split) == ("justice", "evaluation")}
    assert set(found.unused_frames) == known - used and len(used) == 10
    assert audit_corpus([], vl.load_dilemmas(selection=vl.Selection(values=["justice"], per_group=16))).unused_frames == ()


def test_a_value_of_no_system_is_looked_for_by_its_own_name():
    texts = [
        vl.LabelledText(id=f"t{k}", text=text, value="do_not_kill", aspect="+", language="en")
        for k, text in enumerate(["Do not kill.", "Wait here."])
    ]
    assert audit_corpus(texts, []).languages["en"].named == {"do_not_kill": 0.5}


def test_opposite_biases_of_two_values_do_not_cancel():
    rng = random.Random(0)
    biased = [dilemma(k, words(rng, 8), words(rng, 4), value="care") for k in range(20)]
    biased += [dilemma(20 + k, words(rng, 4), words(rng, 8), value="duty") for k in range(20)]
    missed = audit_corpus([], biased).failures()
    assert any("care: options that uphold it are" in m for m in missed) and any("duty: options" in m for m in missed)


def test_the_same_answer_to_different_prompts_is_no_duplicate():
    texts = [
        vl.LabelledText(id=f"t{k}", text="I agree.", value="care", aspect="+", language="en", prompt=f"Do you like {noun}? ")
        for k, noun in enumerate(NOUNS)
    ]
    assert audit_corpus(texts, []).languages["en"].duplicate_texts.rate == 0


def test_ids_of_ones_own_that_claim_the_bank_do_no_harm():
    mine = [
        vl.Dilemma(
            id=f"mine{k}",
            scenario=f"Scene {k}.",
            aligned=f"go {k}",
            violating=f"stay {k}",
            value="care",
            language="en",
            source="bank",
        )
        for k in range(4)
    ]
    assert audit_corpus([], mine).languages["en"].first_share == {}


def test_one_dilemma_of_a_language_does_not_lose_the_audit(bank):
    some = [d for d in bank[1] if d.value == "freedom"]
    found = audit_corpus(
        [],
        [*some, vl.Dilemma(id="x", scenario="Une scène.", aligned="aller", violating="rester", value="freedom", language="fr")],
    )
    assert found.languages["fr"].giveaway is None and found.languages["en"].giveaway is not None


def test_nothing_cannot_be_audited():
    with pytest.raises(DataError, match="nothing to audit"):
        audit_corpus([], [])


def test_the_page_shows_measures_and_ten_items_a_value(bank, audited):
    found = audited
    page = audit_page(found, *bank, seed=3)
    assert "Every bar is kept." in page and page == audit_page(found, *bank, seed=3) != audit_page(found, *bank, seed=4)
    part = page.split("== 公正, zh ")[1].split("== 法治")[0]
    starts = [line[:4] for line in part.splitlines()]
    assert starts.count("  + ") + starts.count("  - ") == 5 and starts.count("  ? ") == 5
    assert max(map(len, page.splitlines())) <= 110
