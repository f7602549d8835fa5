"""Do the files of a public repository say what is so?"""

from pathlib import Path

import pytest
import yaml

import value_lens

ROOT = Path(__file__).parents[1]


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == value_lens.__version__ and cited["license"] == "MIT" and cited["authors"]


def test_the_workflow_runs_what_developers_run():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {"checks": [".ci/run"], "nightly": ["make test-slow"]}
    targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if ":" in line]
    ran = [line.split()[1:] for line in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines() if line.startswith("make ")]
    assert ran and {target for line in ran for target in line} <= set(targets) and "test-slow" in targets


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", ".editorconfig"])
def test_what_a_reader_looks_for_is_there(name):
    assert (ROOT / name).stat().st_size > 100
