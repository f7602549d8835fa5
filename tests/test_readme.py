"""Does what the README says work? Its Python is run, its commands exist, its figure is there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.organisms import organism_folder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_runs():
    code, _ = blocks("python")
    smaller = {
        "Qwen/Qwen2.5-0.5B": str(organism_folder("selective-gelu")),
        "per_group=50": "per_group=3",
        "per_group=20": "per_group=1",
        "controls=20": "controls=1",
    }
    for written, run in smaller.items():
        assert written in code
        code = code.replace(written, run)
    found = {}
    exec(compile(code, "README.md", "exec"), found)
    assert len(found["matrix"].to_frame()) == 2 * 12 * 12


def test_the_study_in_python_runs(tmp_path):
    _, code = blocks("python")
    smaller = {
        "./my_model": "selective-gelu",
        '"per_value": "all"': '"per_value": 1, "per_group": 2, "controls": 0, "languages": ("en",)',
        '"results"': repr(str(tmp_path)),
    }
    for written, run in smaller.items():
        assert written in code
        code = code.replace(written, run)
    found = {"vl": vl}
    exec(compile(code, "README.md", "exec"), found)
    assert found["result"].summary["ablation"]["method"] == "opposition" and (tmp_path / "summary.json").is_file()


@pytest.mark.parametrize("command", ["run", "config", "audit", "generate"])
def test_every_option_of_its_commands_exists(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    written = re.findall(rf"value-lens {command} (.*)", README)
    assert written
    for option in re.findall(r"--[a-z-]+", " ".join(written)):
        assert option in shown or option == "--help"


def test_make_targets_and_files_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("value", ["Prosperity", "Rule of law", "Friendliness"])
def test_the_printed_table_is_of_the_demo(value):
    assert any(line.strip().startswith(value) for line in README.splitlines())
