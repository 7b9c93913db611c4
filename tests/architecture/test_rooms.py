"""A house whose listing is its table of contents: rooms one can take in, modules one can read in one go."""

from pathlib import Path

import pytest

import gridgate

PACKAGE = Path(gridgate.__file__).parent
LONGEST_MODULE = 400
LONGEST_ROOM = {"organisations": 3_500}
"""In lines of Python: what every other room stands on stays small."""
ROOMS = {
    *(
        "accounts",
        "applications",
        "audit",
        "config",
        "core",
        "dataplane",
        "delivery",
        "demo",
        "directory",
        "eic",
    ),
    *("facades", "kyc", "metering", "notifications", "onboarding", "organisations", "portal", "requests"),
    *("sharing", "tables"),
}


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_rooms_are_those_of_the_design() -> None:
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == ROOMS


def test_no_module_is_longer_than_one_reads() -> None:
    long = {
        str(path.relative_to(PACKAGE)): lines_of(path)
        for path in PACKAGE.rglob("*.py")
        if lines_of(path) > LONGEST_MODULE
    }
    assert long == {}


@pytest.mark.parametrize(("room", "most"), LONGEST_ROOM.items())
def test_a_room_below_all_others_stays_small(room: str, most: int) -> None:
    assert sum(lines_of(path) for path in (PACKAGE / room).rglob("*.py")) <= most


def test_each_room_with_tables_has_one_migration() -> None:
    """Until the first release: whoever changes a table writes its room's migration anew."""
    several = {
        path.parent.name: names
        for path in PACKAGE.glob("*/migrations")
        if (names := sorted(file.name for file in path.glob("0*.py"))) != ["0001_initial.py"]
    }
    assert several == {}
