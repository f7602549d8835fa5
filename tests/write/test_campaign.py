"""Does a campaign know what is written, what repeats and what is missing?"""

import pytest

import value_lens as vl
from value_lens.endpoint import Cost, Journal, Prices
from value_lens.errors import DataError
from value_lens.write import RECIPES, CorpusPlan
from value_lens.write._campaign import Campaign
from value_lens.write.recipes import _recipe

PLAN = CorpusPlan(n_items=2, values=["justice", "freedom"], languages=["en"])


def answer(task, text):
    return {"id": task.id, "answer": {"question": text}, "usage": [1, 10, 5], "by": "somebody"}


@pytest.fixture
def campaign(tmp_path):
    with Journal.open(tmp_path / "journal.jsonl", PLAN.header(RECIPES["question"])) as journal:
        yield Campaign(RECIPES["question"], PLAN, journal)


def numbers(tasks):
    return [(task.value.name, task.number) for task in tasks]


def test_groups_come_in_turn_and_a_failure_or_a_repeat_is_made_up_for(campaign):
    first = campaign.next_tasks()
    assert numbers(first) == [("justice", 0), ("freedom", 0), ("justice", 1), ("freedom", 1)] and campaign.n_wanted == 4
    same, other = "You stand at a gate at noon. What do you do?", "A friend asks for a map of the old town. And you?"
    for task, text in ((first[0], same), (first[1], same), (first[2], same)):
        campaign.journal.add(answer(task, text))
    campaign.add_results({first[3].id: "no answer"})
    assert campaign.n_duplicates == 1 and campaign.failures == {first[3].id: "no answer"}
    assert numbers(campaign.items) == [("justice", 0), ("freedom", 0)]
    further = campaign.next_tasks()
    assert numbers(further) == [("justice", 2), ("freedom", 2)]
    for task in further:
        campaign.journal.add(answer(task, other))
    campaign.add_results({})
    assert campaign.next_tasks() == []
    assert [record.id for record in campaign.records] == [
        f"question/{value}/en/0000{n}" for value in ("justice", "freedom") for n in (0, 2)
    ]
    assert campaign.written_by == {"somebody": 4} and campaign.cost(Prices(reply=2.0)) == Cost(5, 50, 25, 0.0, 2.0)


def test_a_campaign_goes_on_with_what_its_journal_holds(campaign):
    for task in campaign.next_tasks()[:2]:
        campaign.journal.add(answer(task, "You stand at a gate. What now?"))
    again = Campaign(campaign.recipe, PLAN, campaign.journal)
    assert numbers(again.items) == [("justice", 0), ("freedom", 0)]
    assert numbers(again.next_tasks()) == [("justice", 1), ("freedom", 1)]


def test_a_plan_takes_one_name_as_one_name_and_all_values_by_default():
    assert CorpusPlan(n_items=1, values="justice", languages="zh") == CorpusPlan(
        n_items=1, values=["justice"], languages=["zh"]
    )
    assert CorpusPlan(n_items=1, system=vl.schwartz).values == vl.schwartz.names
    with pytest.raises(DataError, match="n_items is 0; give at least 1"):
        CorpusPlan(n_items=0)


def test_a_recipe_has_a_name_of_its_own():
    with pytest.raises(DataError, match="two recipes have the name 'pole'"):
        _recipe.register(RECIPES["pole"])
    assert {"dilemma", "pole", "question"} <= set(RECIPES) and all(name == recipe.name for name, recipe in RECIPES.items())
