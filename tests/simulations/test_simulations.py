"""Do the published simulations say what is claimed of them, and are they what their scripts give?"""

import csv
import importlib.util
import sys
from pathlib import Path

import pytest

SIMULATIONS = Path(__file__).parents[2] / "simulations"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SIMULATIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def table(name):
    with (SIMULATIONS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def coverage():
    return script("interval_coverage")


def test_intervals_cover_what_they_must_in_every_setting(coverage):
    rows = table("interval_coverage")
    asked = [row for row in rows if row["beyond"] == "False"]
    assert {int(row["clusters"]) for row in asked} == {4, 8, 12, 24, 48} and len(asked) == 2 * 5 * 7 * 20
    for name in ("rate", "difference", "difference_held"):
        shares = [float(row[name]) for row in asked]
        assert min(shares) >= 0.91 and sum(shares) / len(shares) >= 0.94
        assert min(float(row[name]) for row in rows) >= 0.91  # beyond what was asked, too


def test_the_intervals_before_did_not(coverage):
    """Else the simulation could not tell."""
    asked = [row for row in table("interval_coverage") if row["model"] == "beta" and row["beyond"] == "False"]
    for name in ("rate_before", "difference_before", "fixed_bounds"):
        assert min(float(row[name]) for row in asked) < 0.8


def test_the_summary_is_that_of_the_table(coverage):
    assert coverage.SUMMARY.read_text(encoding="utf-8") == coverage.summary(table("interval_coverage"))


@pytest.mark.parametrize("place", [137, 950, 1500, 1800])
def test_a_row_of_the_table_is_what_its_setting_gives(coverage, place):
    """Random numbers and sums may differ a little from machine to machine: by a few of 2,000 simulations at most."""
    row, setting = table("interval_coverage")[place], list(coverage.settings())[place]
    assert {name: str(value) for name, value in vars(setting).items()} == {name: row[name] for name in vars(setting)}
    for name, share in coverage.simulate(setting).items():
        assert float(row[name]) == pytest.approx(share, abs=0.002)


def test_answers_have_the_rates_and_the_correlation_that_they_claim(coverage):
    for model in ("beta", "threshold"):
        setting = coverage.Setting(model, 24, "8", 0.3, 0.85, 0.2, 0.1, beyond=False)
        edited, clean, clusters = coverage.answers(setting)
        flipped, back = (1 - edited[clean > 0]).mean(), edited[clean == 0].mean()
        assert [float(x) for x in (clean.mean(), flipped, back)] == pytest.approx([0.85, 0.2, 0.1], abs=0.006)
        first, second = (clean[:, clusters.diff(prepend=clusters[:1] - 1) > 0], clean[:, 1::8])
        alike = ((first - 0.85) * (second - 0.85)).mean() / (0.85 * 0.15)
        assert float(alike) == pytest.approx(0.3, abs=0.02)


def test_margins_tell_what_rates_do_not():
    rows = table("margin_power")
    with_effect = [row for row in rows if int(row["points"]) and float(row["uneven"]) <= 1]
    assert all(float(row["margin"]) >= float(row["rate"]) for row in with_effect)
    assert sum(float(row["margin"]) - float(row["rate"]) for row in with_effect) / len(with_effect) > 0.2
    null = [row for row in rows if not int(row["points"])]
    assert all(
        float(row[f"{kind}_alarms"]) <= 0.05 + 2 * (0.05 * 0.95 / int(row["n_matrices"])) ** 0.5
        for row in null
        for kind in ("rate", "margin")
    )


@pytest.mark.slow
def test_a_row_of_the_power_table_is_what_its_setting_gives():
    power, rows = script("margin_power"), table("margin_power")
    setting, row = power.SETTINGS[4], rows[4]
    assert {name: str(value) for name, value in vars(setting).items()} == {name: row[name] for name in vars(setting)}
    for name, share in power.simulate(setting).items():
        assert float(row[name]) == pytest.approx(share, abs=0.03)
