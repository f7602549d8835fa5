"""The contract of artefacts: saved, loaded, refused when damaged, read in older versions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import ArtefactError
from ._equal import equal


class ArtefactContract:
    """Laws of an artefact. Inherit it in a test file and override `artefact`, `name` and `older`."""

    name = "artefact.safetensors"

    def artefact(self) -> Any:
        """One to save, with something in every field."""
        raise NotImplementedError

    def older(self) -> Iterable[Path]:
        """Files that earlier versions of the library wrote."""
        return ()

    def test_it_comes_back_as_it_was(self, tmp_path: Path) -> None:
        """Field by field."""
        artefact = self.artefact()
        artefact.save(tmp_path / self.name)
        assert equal(type(artefact).load(tmp_path / self.name), artefact)

    def test_the_same_is_written_twice(self, tmp_path: Path) -> None:
        """What was loaded is written as it was read."""
        artefact = self.artefact()
        artefact.save(tmp_path / self.name)
        content = (tmp_path / self.name).read_bytes()
        type(artefact).load(tmp_path / self.name).save(tmp_path / self.name)
        assert (tmp_path / self.name).read_bytes() == content

    def test_damage_is_refused(self, tmp_path: Path) -> None:
        """A file cut short, or with another byte at one of a hundred places, is no artefact, unless that byte carries nothing of it."""
        artefact, path = self.artefact(), tmp_path / self.name
        artefact.save(path)
        content = path.read_bytes()
        damaged = [content[: len(content) // 2], b""]
        for position in range(0, len(content), max(1, len(content) // 100)):
            flipped_byte = bytes([content[position] ^ 1])
            damaged.append(content[:position] + flipped_byte + content[position + 1 :])
        for damaged_content in damaged:
            path.write_bytes(damaged_content)
            try:
                loaded = type(artefact).load(path)
            except ArtefactError:
                continue
            assert equal(loaded, artefact), f"a damaged {type(artefact).__name__} was read"

    def test_older_versions_are_read(self, tmp_path: Path) -> None:
        """Files that earlier versions wrote, and what is read of them may be saved again."""
        kind = type(self.artefact())
        for path in self.older():
            loaded = kind.load(path)
            loaded.save(tmp_path / self.name)
            assert equal(kind.load(tmp_path / self.name), loaded), f"{path} changes when it is saved again"
