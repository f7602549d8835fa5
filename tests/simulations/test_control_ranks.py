"""Does the published table of ranks among controls say what is claimed of them, and is it what its script gives?"""

import pytest
from test_simulations import script, table


def test_harmless_sets_seldom_seem_special_where_loudness_is_matched():
    rows, ranks = table("control_ranks"), script("control_ranks")
    kinds = [row["sets"] for row in rows]
    assert [kinds.count(kind) for kind in ("random", "loud", "norm")] == [4, 8, 4] and ranks.N_SETS == 400
    assert all(float(row["share"]) <= ranks.BAR for row in rows)
    assert all(float(row["share_by_rate_alone"]) > 2 * ranks.BAR for row in rows if row["sets"] != "random")  # it could tell


def test_a_row_is_what_its_setting_gives(monkeypatch):
    """With fewer sets, which are the first of the table's: the same draws, so within what their number allows."""
    ranks = script("control_ranks")
    monkeypatch.setattr(ranks, "N_SETS", 60)
    found = ranks.simulate("loud", 24, 0.5, 1.0, ranks.SEED + 4)
    assert found["share"] < 0.15 < found["share_by_rate_alone"] and found["not_widened"] == 0


@pytest.mark.slow
def test_a_whole_row_is_what_its_setting_gives():
    ranks, row = script("control_ranks"), table("control_ranks")[8]
    found = ranks.simulate(row["sets"], int(row["size"]), float(row["sd"]), float(row["noise"]), ranks.SEED + 8)
    assert {name: float(row[name]) for name in found} == pytest.approx(found, abs=0.01)
