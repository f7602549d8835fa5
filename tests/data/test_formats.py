"""Is a format, and a published data set, known once its file registers it, and by one name only?"""

import pytest

import value_lens as vl
from value_lens.core import Dilemma
from value_lens.data import LAYOUTS, Layout
from value_lens.data.formats import Where, _registry, file_suffixes, read_rows
from value_lens.data.published import _layout
from value_lens.errors import DataError

TEXT = {"id": "a", "text": "She waits.", "value": "care", "aspect": "+", "language": "en"}


@pytest.fixture
def registries(monkeypatch):
    monkeypatch.setattr(_registry, "_READERS", dict(_registry._READERS))
    monkeypatch.setattr(_layout, "LAYOUTS", dict(_layout.LAYOUTS))


def test_every_suffix_is_known():
    assert {".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".tsv", ".xlsx"} <= set(file_suffixes())
    assert list(file_suffixes()) == sorted(file_suffixes())


def test_a_registered_format_is_read_and_named_in_errors(registries, tmp_path):
    @_registry.file_format(".pairs")
    def pairs(path, header):
        yield Where(str(path), "line", 1), dict(line.split("=") for line in path.read_text().splitlines())

    path = tmp_path / "t.PAIRS"
    path.write_text("\n".join(f"{name}={field}" for name, field in TEXT.items()))
    assert vl.load_texts(path) == vl.load_texts([TEXT]) == vl.load_texts(str(path))
    (tmp_path / "t.doc").write_text("")
    with pytest.raises(DataError, match=r"ends in '\.doc'; files that can be read end in .*\.pairs"):
        read_rows(tmp_path / "t.doc")


def test_a_suffix_has_one_format(registries):
    with pytest.raises(DataError, match=r"two formats have the suffix '\.csv'"):
        _registry.file_format(".csv")(lambda path, header: iter(()))


def test_a_data_set_has_a_name_of_its_own_and_states_where_it_comes_from(registries):
    with pytest.raises(DataError, match="two published data sets have the name 'ethics'"):
        _layout.register(Layout("ethics", "", "", "", {Dilemma: lambda row, where: []}))
    assert len(LAYOUTS) >= 9 and all(name == layout.name for name, layout in LAYOUTS.items())
    assert all(layout.title and layout.licence and layout.url.startswith("https://") for layout in LAYOUTS.values())
