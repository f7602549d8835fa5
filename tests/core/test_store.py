"""What is saved comes back whole, and everything else is refused with its reason."""

import json
import os
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from value_lens.core import Expected, Kind, Numbers
from value_lens.core import _store as store
from value_lens.errors import ArtefactError, OutputError, ValueLensError

META = {"name": "自由", "numbers": [1, 2.5, None], "nested": {"true": True}}
TENSORS = {
    "counts": torch.arange(7 * 3, dtype=torch.int64).reshape(7, 3),
    "sums": torch.tensor([[0.1, -3.0]], dtype=torch.float64),
    "mask": torch.tensor([True, False, True]),
    "half": torch.tensor(1.5, dtype=torch.bfloat16),
}


ANY, DTYPES = Expected("anything", lambda given: True), tuple({tensor.dtype for tensor in TENSORS.values()})
ANY_NUMBERS = Numbers("...", DTYPES, optional=True, negative=True, finite=False)


def kind_of(meta, schema=1, **more):
    """A kind that has just these fields, and any tensors."""
    return Kind("thing", fields=dict.fromkeys(meta, ANY), tensors={"*": ANY_NUMBERS}, schema=schema, **more)


THING = kind_of(META)


def save(path, meta, tensors=None, **options):
    return store.save(path, kind_of(meta, **options), meta, tensors)


def load(path, kind=THING):
    return store.load(path, kind, lambda meta, tensors: (meta, tensors))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[{}, TENSORS], ids=["json", "safetensors"])
def saved(request, tmp_path):
    return save(tmp_path / "thing", META, request.param)


def test_metadata_and_tensors_come_back(tmp_path):
    meta, tensors = load(save(tmp_path / "a.safetensors", META, TENSORS))
    assert meta == META
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_without_tensors_the_file_is_readable_json(tmp_path):
    path = save(tmp_path / "a.json", META)
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read["kind"] == "thing" and read["schema"] == 1 and read["meta"] == META
    assert "自由" in path.read_text(encoding="utf-8")
    assert load(path) == (META, {})


def test_same_content_gives_the_same_bytes(tmp_path):
    backwards = dict(reversed(META.items()))
    for name, tensors in (("j", {}), ("t", TENSORS)):
        first = save(tmp_path / f"{name}1", META, tensors)
        second = save(tmp_path / f"{name}2", backwards, dict(reversed(tensors.items())))
        assert first.read_bytes() == second.read_bytes()


def test_strided_tensors_and_tensors_of_size_zero_are_saved(tmp_path):
    tensors = {"turned": torch.arange(12).reshape(3, 4).T, "empty": torch.zeros(2, 0, 3, dtype=torch.float64)}
    _, found = load(save(tmp_path / "a", {}, tensors), kind_of({}))
    assert torch.equal(found["turned"], tensors["turned"])
    assert found["empty"].shape == (2, 0, 3)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=20)
@given(meta=st.dictionaries(st.text(max_size=5).filter(str.isprintable), json_values, max_size=4), with_tensors=st.booleans())
def test_any_json_metadata_comes_back(meta, with_tensors):
    with tempfile.TemporaryDirectory() as folder:
        tensors = {"x": torch.arange(3)} if with_tensors else {}
        assert load(save(Path(folder) / "a", meta, tensors), kind_of(meta))[0] == meta


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_missing_parents_are_made_and_the_process_says_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        path = save(tmp_path / "new" / "folder" / "a.json", {})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["x" * 255, "爱" * 85])
def test_a_name_as_long_as_names_may_be_is_written(tmp_path, name):
    assert load(save(tmp_path / name, META)) == (META, {})


def test_nan_in_metadata_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="a is not written: its metadata is no JSON: ValueError: .*not JSON compliant"):
        save(tmp_path / "a", {"rate": float("nan")})
    assert names_in(tmp_path) == []


# Damage


def test_a_flipped_byte_is_never_taken_for_the_content(saved):
    """One bit of every third byte in turn: refused, or (in the note of the library's version) the same content."""
    good, whole = saved.read_bytes(), load(saved)
    n_accepted = 0
    for place in range(0, len(good), 3):
        saved.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            meta, tensors = load(saved)
        except ArtefactError:
            continue
        n_accepted += 1
        assert meta == whole[0]
        assert all(torch.equal(tensors[name], tensor) for name, tensor in whole[1].items())
    assert n_accepted <= len(f'"library":"{store.__version__}"')


def test_a_changed_tensor_does_not_match_its_checksum(tmp_path):
    path = save(tmp_path / "a", META, TENSORS)
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(ArtefactError, match="damaged: its checksum does not match its content"):
        load(path)


def test_changed_metadata_does_not_match_its_checksum(tmp_path):
    path = save(tmp_path / "a.json", {"seed": 1234})
    path.write_text(path.read_text().replace("1234", "1235"))
    with pytest.raises(ArtefactError, match=r"a\.json is damaged: its checksum does not match"):
        load(path)


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_metadata_changed_to_a_number_that_is_none_is_refused(tmp_path, number):
    path = save(tmp_path / "a.json", {"seed": 1234})
    path.write_text(path.read_text().replace("1234", number))
    with pytest.raises(ArtefactError, match="damaged"):
        load(path)


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 40, 0.5, 0.9, -1])
def test_a_truncated_file_is_refused(saved, kept):
    content = saved.read_bytes()
    end = int(len(content) * kept) if isinstance(kept, float) else kept
    saved.write_bytes(content[:end].rstrip(b"\n}") if content[:1] == b"{" else content[:end])
    with pytest.raises(ArtefactError, match="is not a value_lens artefact or is damaged"):
        load(saved)


def test_another_kind_is_refused(saved):
    with pytest.raises(ArtefactError, match="holds a thing, not a neuron set"):
        load(saved, Kind("neuron set", fields={}))


@pytest.mark.parametrize("tensors", [{}, TENSORS], ids=["json", "safetensors"])
def test_a_later_schema_is_refused(tmp_path, tensors):
    path = save(tmp_path / "a", META, tensors, schema=7)
    with pytest.raises(ArtefactError, match=f"^{path} has schema 7; this version of value_lens reads schema 1 of a thing$"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b'{"kind": "thing"}', b"\x80\x04K\x01.", b"[1]"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match="other is not a value_lens artefact or is damaged"):
        load(path)


def test_plain_safetensors_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2)}, tmp_path / "plain")
    with pytest.raises(ArtefactError, match="is not a value_lens artefact"):
        load(tmp_path / "plain")


def test_a_missing_file_and_a_folder_are_no_files(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ArtefactError, match=f"no file {path}"):
            load(path)


# Writing


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("here first")
    with pytest.raises(OutputError, match=r"cannot write .*file/a\.json: .*; choose a folder you can write to"):
        save(tmp_path / "file" / "a.json", {})
    with pytest.raises(OutputError, match="cannot write"):
        store.require_writable(tmp_path / "file" / "folder")
    assert (tmp_path / "file").read_text() == "here first"


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save(saved, {"new": 1})
    assert saved.read_bytes() == before
    assert names_in(saved.parent) == ["thing"]


def test_an_interrupt_during_a_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.write_atomically(tmp_path / "a", b"content")
    assert names_in(tmp_path) == []


def test_a_good_write_leaves_only_its_file(saved):
    save(saved, {"again": 1})
    assert names_in(saved.parent) == ["thing"]
    assert load(saved, kind_of(["again"])) == ({"again": 1}, {})


def test_require_writable_makes_the_folder_and_leaves_it_empty(tmp_path):
    assert store.require_writable(tmp_path / "new" / "place") == tmp_path / "new" / "place"
    assert names_in(tmp_path / "new" / "place") == []


@pytest.mark.parametrize("error", [ArtefactError, OutputError])
def test_errors_share_the_library_base(error):
    assert issubclass(error, ValueLensError)
