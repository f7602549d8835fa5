"""Do the artefacts keep their contract?"""

from pathlib import Path

import pytest

import value_lens as vl
from value_lens.testing import ArtefactContract
from value_lens.testing._methods import random_stats

FIRST = Path(__file__).parents[1] / "schema_1"


class TestStats(ArtefactContract):
    def artefact(self):
        return random_stats()

    def older(self):
        return sorted(FIRST.glob("stats_*.safetensors"))


class TestScores(ArtefactContract):
    def artefact(self):
        return vl.vape(random_stats())

    def older(self):
        return sorted(FIRST.glob("scores_*.safetensors"))


class TestNeurons(ArtefactContract):
    name = "neurons.json"

    def artefact(self):
        return vl.select(vl.opposition(random_stats()))["care"]

    def older(self):
        return sorted(FIRST.glob("neurons*.json"))


def test_there_are_older_files():
    assert all(len(list(suite().older())) > 1 for suite in (TestStats, TestScores, TestNeurons))


class Careless:
    """Is read as something else, whatever stands in the file."""

    def __init__(self, content="as it was"):
        self.content = content

    def save(self, path):
        path.write_text(self.content)

    @classmethod
    def load(cls, path):
        return cls("changed")

    def __eq__(self, other):
        return self.content == other.content


class OfCareless(ArtefactContract):
    def artefact(self):
        return Careless()


def test_the_suite_sees_what_does_not_come_back(tmp_path):
    with pytest.raises(AssertionError):
        OfCareless().test_it_comes_back_as_it_was(tmp_path)
    with pytest.raises(AssertionError, match="a damaged Careless was read"):
        OfCareless().test_damage_is_refused(tmp_path)
