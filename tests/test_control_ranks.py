"""Does the published table of ranks among controls say what is claimed of them, and is it what its script gives?"""

from test_simulations import script, table


def test_harmless_sets_seldom_seem_special_where_loudness_is_matched():
    """Where loudness has a heavy tail and the score is half of it, twice as often as should be; by rate alone far more often."""
    rows = table("control_ranks")
    bar = script("control_ranks").BAR
    random, loud = ([row for row in rows if row["sets"] == kind] for kind in ("random", "loud"))
    assert len(random) == 4 and len(loud) == 8
    assert all(float(row["share"]) <= bar for row in random)
    above = [row for row in loud if float(row["share"]) > bar]
    assert all((row["sd"], row["noise"]) == ("1.0", "1.0") and float(row["share"]) < 0.1 for row in above) and len(above) == 2
    assert all(float(row["share_by_rate_alone"]) > 2 * float(row["share"]) for row in loud)


def test_a_row_is_what_its_setting_gives(monkeypatch):
    """With fewer sets, which are the first of the table's: the same draws, so within what their number allows."""
    ranks = script("control_ranks")
    monkeypatch.setattr(ranks, "N_SETS", 60)
    found = ranks.simulate("loud", 24, 0.5, 1.0, ranks.SEED + 4)
    assert found["share"] < 0.2 < found["share_by_rate_alone"] and found["not_widened"] == 0
