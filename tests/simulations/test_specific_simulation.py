"""Does damage seem specific in no more of the simulated matrices than it may, and is what is planted found?"""

import csv
import importlib.util
import sys
from pathlib import Path

import pytest

SIMULATIONS = Path(__file__).parents[2] / "simulations"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("specific_effect", SIMULATIONS / "specific_effect.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["specific_effect"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(simulation):
    with simulation.TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_damage_seems_specific_in_no_setting_more_often_than_it_may(simulation, rows):
    false = [row for row in rows if not float(row["drop"])]
    assert {row["values"] for row in false} == {"12", "4", "3"} and len(false) == 3 * 4 * 24
    assert max(float(row["specific"]) for row in false) <= simulation.BAR < 0.075


def test_strengths_that_only_add_up_and_the_naive_p_value_fail_where_expected(rows):
    """Else the simulation could not tell."""

    def most(name, damage):
        return max(float(row[name]) for row in rows if row["damage"] == damage)

    assert most("additive", "shrink") > 0.4
    assert all(most("naive", damage) > 0.9 for damage in ("noise", "shrink", "both", "shift"))


def test_power_in_nats_is_above_that_in_rates(rows):
    planted = [row for row in rows if float(row["drop"])]
    assert len(planted) == 24
    assert all(float(row["specific"]) >= float(row["naive"]) for row in planted)
    assert min(float(row["specific"]) for row in planted if float(row["drop"]) >= 0.4) > 0.9


def test_the_summary_is_that_of_the_table(simulation, rows):
    assert simulation.SUMMARY.read_text(encoding="utf-8") == simulation.summary(rows)


@pytest.mark.parametrize("place", [200, 241])
def test_a_row_of_the_table_is_what_its_setting_gives(simulation, rows, place):
    """Random numbers and sums may differ a little from machine to machine."""
    setting = list(simulation.settings())[place]
    assert {name: str(value) for name, value in vars(setting).items()} == {name: rows[place][name] for name in vars(setting)}
    for name, share in simulation.simulate(setting, simulation.SEED + place).items():
        if share != "":
            assert float(rows[place][name]) == pytest.approx(share, abs=0.06 if name == "naive" else 0.01)
