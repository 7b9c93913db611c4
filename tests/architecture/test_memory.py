"""The files of tests lie in memory only where there is room for them."""

import tempfile
from pathlib import Path

import pytest

from tests import memory


def test_they_lie_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MEMORY", tmp_path)
    monkeypatch.setattr(memory, "ROOM", 0)
    assert memory.folder() == tmp_path


@pytest.mark.parametrize(("name", "value"), [("ROOM", 1 << 62), ("MEMORY", Path("/nowhere"))])
def test_they_lie_on_the_disk_without_room_or_such_a_folder(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(memory, name, value)
    assert memory.folder() == Path(tempfile.gettempdir())
