"""What do the benchmarks share? A model folder, no network, and a table at the end of the run that shows without -s."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import workload

TABLE = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The Hugging Face folder of the random Llama."""
    return workload.save_llama(tmp_path_factory.mktemp("model") / "llama")


@pytest.fixture(scope="session")
def table(pytestconfig):
    """Lines to print at the end of the run."""
    return pytestconfig.stash.setdefault(TABLE, [])


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(TABLE, [])
    if lines:
        terminalreporter.section("value_lens benchmarks")
        for line in lines:
            terminalreporter.write_line(line)
